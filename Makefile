# `make demo` shows what it does, `make test` tests all of it. Both install what they lack.

PYTHON ?= python3
CHART ?= examples/web
SEEDS ?= 200000
PROFILE ?= ci
export TZ := UTC

VENV := .venv
BIN := $(VENV)/bin
STAMPS := .cache/stamps
STAGE := $(PYTHON) tests/tools/stage.py
CARGO := cargo --locked

RUST := Cargo.toml Cargo.lock .cargo/config.toml $(wildcard core/Cargo.toml bindings-*/Cargo.toml) \
  $(shell find core/src bindings-python/src bindings-wasm/src bindings-wasm/regex bindings-wasm/xtask -name '*.rs' -o -name Cargo.toml)
PYTHON_SOURCES := pyproject.toml $(shell find bindings-python/python -type f -not -name '*.pyc' -not -name '*.so' 2>/dev/null)
JS_SOURCES := $(shell find bindings-wasm/js -type f -not -path '*/node_modules/*' -not -path '*/dist/*' 2>/dev/null)

.PHONY: demo build test test-all go platforms conformance test-bundlers storms fuzz bench fmt generate clean
.PHONY: provision check-format check-lints test-rust check-docs test-python check-types test-js test-packaging test-e2e check-licences

demo: build
	@$(BIN)/python examples/demo.py $(CHART)
	@node examples/demo.mjs $(CHART)

build: $(STAMPS)/wheel $(STAMPS)/wasm

# Cheap stages first; the summary at the end counts what was skipped and says why.
STAGES := provision check-format check-lints test-rust check-docs test-python check-types test-js test-packaging test-e2e
# The same questions every time; `make test-all` asks others.
test: export PROPTEST_RNG_SEED ?= 1
test:
	@$(STAGE) begin
	@$(MAKE) --no-print-directory $(STAGES); status=$$?; $(STAGE) end; exit $$status

# The full counts; before a piece of work is called done.
test-all: export NASTY ?= 2000
test-all:
	@$(STAGE) begin
	@$(MAKE) --no-print-directory go $(STAGES) platforms storms conformance test-bundlers fuzz check-licences; status=$$?; $(STAGE) end; exit $$status

# Registries and clients by others, for the live tests; those skip what is not there.
go:
	@$(STAGE) run "programs written in Go" $(PYTHON) tests/tools/go.py

# The core where bytes lie the other way round, and on Windows.
platforms:
	@$(STAGE) run "other platforms" tests/tools/platforms.sh

# The distribution specification's own suite, in its released version and in the one to come.
conformance: $(STAMPS)/wheel
	@$(STAGE) run "conformance" $(BIN)/python tests/e2e/conformance.py

# esbuild, Rollup, Vite and webpack, each with an app of its own in Chromium.
test-bundlers: $(STAMPS)/wasm
	@$(STAGE) run "bundlers" tests/tools/bundlers.sh

storms:
	@STORMS=$(SEEDS) $(STAGE) run "storms, $(SEEDS) seeds" $(CARGO) test -q --profile $(PROFILE) -p chartoci --test storms

# A minute for each target, on a nightly toolchain; `make fuzz SECONDS=3600` takes longer.
fuzz: SECONDS ?= 60
fuzz:
	@$(STAGE) run "fuzzing, $(SECONDS) seconds a target" tests/tools/fuzz.sh $(SECONDS)

bench: PROFILE := release
bench: $(STAMPS)/wheel-release $(STAMPS)/peers $(STAMPS)/wasm
	@$(BIN)/python tests/bench/bench.py --write README.md

fmt:
	cargo fmt --all

# Pages and files that are made from the core's tables.
generate: $(STAMPS)/wheel
	@$(BIN)/python tests/tools/generate.py

clean:
	rm -rf target dist .cache/stamps .venv bindings-wasm/js/dist

# The stages

provision: $(STAMPS)/venv
	@$(STAGE) run "what is here" tests/tools/provision.sh $(BIN)/python

check-format:
	@$(STAGE) run "rustfmt" cargo fmt --all --check

check-lints:
	@$(STAGE) run "clippy" $(CARGO) clippy -q --workspace --all-targets -- -D warnings

test-rust:
	@$(STAGE) run "Rust" $(CARGO) test -q --profile $(PROFILE) -p chartoci --features schema

check-docs:
	@RUSTDOCFLAGS=-Dwarnings $(STAGE) run "rustdoc" $(CARGO) doc -q --no-deps -p chartoci

# The tests wait more than they work: meanwhile the modules for JavaScript are built. What fails there, fails once more below.
test-python: $(STAMPS)/wheel
	@$(MAKE) --no-print-directory $(STAMPS)/wasm >.cache/wasm.log 2>&1 & \
	$(STAGE) run "Python" $(BIN)/pytest -q -rs tests/python; status=$$?; wait; exit $$status

check-types: $(STAMPS)/wheel
	@$(STAGE) run "types of Python" tests/tools/types.sh $(BIN)

test-js: $(STAMPS)/wasm
	@$(STAGE) run "JavaScript" npm --prefix tests/js test --silent

test-packaging: $(STAMPS)/wheel
	@$(STAGE) run "packaging and documents" $(BIN)/pytest -q -rs tests/packaging

test-e2e: $(STAMPS)/wheel
	@$(STAGE) run "end to end" $(BIN)/pytest -q -rs tests/e2e

check-licences:
	@$(STAGE) run "licences" tests/tools/deny.sh

# What they stand on

$(STAMPS)/rust: rust-toolchain.toml
	@mkdir -p $(@D)
	@if command -v rustup >/dev/null; then rustup toolchain install --no-self-update >/dev/null && rustup target add wasm32-unknown-unknown; fi
	@touch $@

# pip serves the new environment from outside: Debian's python3 can make one without pip only.
$(STAMPS)/venv: tests/requirements.txt
	@mkdir -p $(@D)
	$(PYTHON) -m venv --without-pip $(VENV)
	$(PYTHON) -m pip --python $(BIN)/python install -q pip -r tests/requirements.txt
	@touch $@

$(STAMPS)/wheel $(STAMPS)/wheel-release: $(STAMPS)/venv $(STAMPS)/rust $(RUST) $(PYTHON_SOURCES)
	rm -rf .cache/wheels/$(PROFILE)
	$(BIN)/maturin build -q --locked --profile $(PROFILE) --interpreter $(BIN)/python --out .cache/wheels/$(PROFILE)
	$(BIN)/pip install -q --force-reinstall --no-deps .cache/wheels/$(PROFILE)/*.whl
	@rm -f $(STAMPS)/wheel $(STAMPS)/wheel-release
	@touch $@

$(STAMPS)/wasm: $(STAMPS)/rust $(RUST) $(JS_SOURCES) $(STAMPS)/npm
	$(CARGO) run -q -p xtask
	@touch $@

$(STAMPS)/npm: bindings-wasm/js/package-lock.json
	@mkdir -p $(@D)
	npm ci --prefix $(<D) --silent --no-audit --no-fund
	@touch $@

$(STAMPS)/peers: $(STAMPS)/venv tests/bench/requirements.txt
	$(BIN)/pip install -q -r tests/bench/requirements.txt
	@touch $@
