#!/bin/sh
# Fuzzes each target for so many seconds (60): `fuzz.sh [SECONDS [TARGET…]]`. Finds lie in .cache/fuzz/TARGET, crashes in
# .cache/fuzz/crashes; a crash ends it. What is worth keeping goes into core/fuzz/corpus by hand.
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:-60}
[ $# -gt 0 ] && shift
if ! cargo +nightly --version >/dev/null 2>&1; then
  echo "SKIP fuzzing: there is no nightly toolchain"
  exit 0
fi
# What cargo-fuzz passes, save the address sanitizer: the code is safe Rust.
export RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
  -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing -Ccodegen-units=1"
host=$(rustc +nightly -vV | sed -n 's/^host: //p')
target=${CARGO_TARGET_DIR:-target}/fuzz
cargo +nightly build -q --release --manifest-path core/fuzz/Cargo.toml --target "$host" --target-dir "$target"
[ $# -gt 0 ] || set -- $(ls core/fuzz/corpus)
mkdir -p .cache/fuzz/crashes
for name in "$@"; do
  mkdir -p ".cache/fuzz/$name"
  echo "== $name, $seconds s"
  "$target/$host/release/$name" -max_total_time="$seconds" -max_len=8192 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -verbosity=0 -artifact_prefix=".cache/fuzz/crashes/$name-" ".cache/fuzz/$name" "core/fuzz/corpus/$name"
done
