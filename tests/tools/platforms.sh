#!/usr/bin/env bash
# The core's tests on other platforms: a big-endian one under qemu, Windows under Wine; each where its tools are installed.
set -eu
cd "$(dirname "$0")/../.."
export STORMS=${STORMS:-200} WINEDEBUG=-all
target=${CARGO_TARGET_DIR:-target}
if [ -d ../shared/charts ]; then export CHARTOCI_CHARTS=${CHARTOCI_CHARTS:-$PWD/../shared/charts}; fi

# has NAME PACKAGES PROGRAM…: whether all programs are there; says what to install where not.
has() {
  local name=$1 packages=$2 program
  shift 2
  for program in "$@"; do
    command -v "$program" >/dev/null || { echo "SKIP $name needs $program: apt install $packages"; return 1; }
  done
}

# tests TARGET LINKER RUNNER
tests() {
  local variable
  variable=CARGO_TARGET_$(echo "$1" | tr 'a-z-' 'A-Z_')
  rustup target add "$1" >/dev/null 2>&1 || { echo "SKIP rustup has no $1"; return; }
  env "${variable}_LINKER=$2" "${variable}_RUNNER=$3" \
    cargo test -q --locked --profile ci -p chartoci --lib --tests --target "$1"
}

if has "big-endian s390x" "qemu-user gcc-s390x-linux-gnu libc6-dev-s390x-cross" qemu-s390x s390x-linux-gnu-gcc; then
  tests s390x-unknown-linux-gnu s390x-linux-gnu-gcc "qemu-s390x -L /usr/s390x-linux-gnu"
fi

if has "Windows" "wine gcc-mingw-w64-x86-64" wine x86_64-w64-mingw32-gcc; then
  export WINEPREFIX=$PWD/.cache/wine
  # Wine before 9 lacks the library that Rust takes random numbers from: one function, and Windows has it by an older name.
  library=$target/x86_64-pc-windows-gnu/ci/deps/bcryptprimitives.dll
  mkdir -p "$WINEPREFIX" "$(dirname "$library")"
  x86_64-w64-mingw32-gcc -shared -x c - -o "$library" -ladvapi32 <<'C'
#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID bytes, ULONG count);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE bytes, SIZE_T count) { return SystemFunction036(bytes, (ULONG)count); }
C
  tests x86_64-pc-windows-gnu x86_64-w64-mingw32-gcc wine
fi
