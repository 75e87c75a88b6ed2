#!/usr/bin/env bash
# Licences and known faults of what we build on, where cargo-deny is installed: it takes minutes to build.
set -eu
command -v cargo-deny >/dev/null || { echo "SKIP cargo-deny is not installed: cargo install --locked cargo-deny"; exit 0; }
cargo deny --locked check
