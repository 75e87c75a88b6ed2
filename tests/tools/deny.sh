#!/usr/bin/env bash
# Licences and known faults of what we build on, where cargo-deny is installed: it takes minutes to build.
set -eu
command -v cargo-deny >/dev/null || { echo "SKIP cargo-deny is not installed: cargo install --locked cargo-deny"; exit 0; }
cargo deny --locked check bans licenses sources
if cargo deny --locked fetch db 2>/dev/null; then
  cargo deny --locked check advisories
else
  echo "SKIP known faults: their list cannot be fetched"
fi
