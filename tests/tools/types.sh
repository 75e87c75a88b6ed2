#!/usr/bin/env bash
# The stubs against the compiled module, and the public types as two type checkers see them.
set -eu
bin=$1
"$bin/stubtest" chartoci._native
"$bin/mypy" --strict --package chartoci
"$bin/pyright" --pythonpath "$bin/python" --verifytypes chartoci --ignoreexternal
