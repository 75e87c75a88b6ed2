#!/usr/bin/env bash
# The stubs against the compiled module, and the public types as two type checkers see them.
set -eu
PATH=$PWD/$1:$PATH # where pyright finds the interpreter and the package
stubtest chartoci._native
stubtest --ignore-missing-stub chartoci.aclient # what it is made with stands in no stub
mypy --strict --package chartoci
pyright --verifytypes chartoci --ignoreexternal
