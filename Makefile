# make run    set up and run the whole loop on the built-in sample
# make test   run the whole test suite (its tests of the page need chromium: make browser)
SHELL := /bin/bash
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
export ETALAGE_HOME ?= .etalage
export OMP_WAIT_POLICY ?= PASSIVE
# make run FAST=1: the same loop with a short training, for a quick look at whether everything works
RETRAIN := $(if $(FAST),--set train.epochs=4 --set late.epochs=2)

.PHONY: run test browser setup check lint types contracts stages lock audit clean

run: setup
	$(BIN)/etalage ingest sample
	$(BIN)/python -m catalog.sources.unseen $(ETALAGE_HOME)/photo.jpg
	$(BIN)/etalage retrain $(RETRAIN)
	$(BIN)/etalage search "red dotted mug" --k 3
	$(BIN)/etalage search "红色波点马克杯" --k 3
	$(BIN)/etalage search --image $(ETALAGE_HOME)/photo.jpg --k 3
	@echo "Serve it:  $(BIN)/etalage serve"

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep -o '^uv==[^ ]*' requirements.lock)"
	$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	touch $(STAMP)

# a process a core, at most four: one may need 4 GB. A file's tests stay together, since what they share is made once a process;
# in the order of the tree, or the few long ones of tests/pipeline would come last.
PROCESSES ?= logical
test: setup
	$(BIN)/python -m pytest -n $(PROCESSES) --maxprocesses 4 --dist loadfile --no-loadscope-reorder

# the tests of the page need a real browser: Debian's chromium, and what root may install
browser:
	@command -v chromium > /dev/null && exit 0; \
	if command -v apt-get > /dev/null && { [ "$$(id -u)" = 0 ] || sudo -n true 2> /dev/null; }; then \
		root=$$([ "$$(id -u)" = 0 ] || echo "sudo -n"); \
		$$root apt-get update -qq && $$root apt-get install -y -qq --no-install-recommends chromium > /dev/null; \
	else \
		echo "There is no chromium on PATH, and no root to install it: the tests of the page need Debian's package chromium." >&2; exit 1; \
	fi

check: lint types contracts

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

contracts: setup
	$(BIN)/lint-imports

# which code each DVC stage runs, read from the imports
stages: setup
	$(BIN)/python -m tests.contracts.stage_code

lock:
	$(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --python-version 3.11 requirements.in -o requirements.lock

# known vulnerabilities of every pinned package, into docs/audit.md; needs the net. AUDIT=osv asks the OSV database, AUDIT=pypi the index's own list.
# --strict, because a package that nobody could be asked about must not pass as one without vulnerabilities.
AUDIT ?= osv
audit: setup
	$(BIN)/uv tool run --from pip-audit==2.10.1 pip-audit --strict --disable-pip --require-hashes --requirement requirements.lock \
		--vulnerability-service $(AUDIT) --format markdown --desc --output docs/audit.md

clean:
	rm -rf $(VENV)
