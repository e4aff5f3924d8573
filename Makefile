# Two commands for a newcomer: `make demo` and `make test`. Both need Python 3.11
# or later and nothing else; they install into .venv.

PYTHON ?= python3
BIN := .venv/bin
DEMO := fixtures/five-to-three
SECONDS ?= 600

.PHONY: demo test lint clean fuzz

demo: .venv/demo
	@cd $(DEMO) && ../../$(BIN)/kopslint check --before before.yaml --after after.yaml \
	  --commands commands.sh || test $$? -eq 1

test: lint
	$(BIN)/pytest -n auto

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.venv/demo: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	@touch $@

.venv/dev: .venv/demo
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

# Strict: a warning fails. The theme's own advertisement is none.
.PHONY: docs
docs: .venv/docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

.venv/docs: .venv/demo
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[docs]'
	@touch $@

# Not part of the tests: it looks for input that nobody thought of.
fuzz: .venv/dev
	$(BIN)/python fuzz/readers.py --seconds $(SECONDS)

# Compares the model with real etcd servers on 127.0.0.1. As root it installs Debian's
# etcd-server and etcd-client when they are missing. COUNT sequences, SECONDS at most.
COUNT ?= 300
.PHONY: verify-etcd bench
verify-etcd: SECONDS = 1800
verify-etcd: .venv/demo
	$(BIN)/python -m verify --count $(COUNT) --seconds $(SECONDS)

bench: .venv/demo
	$(BIN)/python -m benchmarks

clean:
	rm -rf .venv build dist site .mypy_cache .pytest_cache .ruff_cache .hypothesis
