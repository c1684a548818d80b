# Every target sets up what it needs in .venv. PYTHON names another interpreter (3.11 or later).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help demo test interop lint types check bench wheel clean

help:
	@echo "make demo      three racks of BGP speakers in one process: watch them converge"
	@echo "make test      all tests; those that need root or another daemon say so where they cannot run"
	@echo "make interop   install BIRD and FRR (Debian or Ubuntu, as root) and run the tests against them"
	@echo "make check     what CI runs: format, lint, types, tests"
	@echo "make bench     figures beside BIRD and FRR (root; see bench/README.md)"

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or later is needed; make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
		{ echo "python3-venv is missing: apt-get install python3-venv" >&2; rm -rf $(VENV); exit 1; }
	@echo "Installing into $(VENV) ..."
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[test,dev]'
	@touch $@

demo: $(READY)
	@$(BIN)/bgp lab as-per-rack --racks 3 --servers 4 --spines 2

# ARGS goes to pytest, here and below: make test ARGS='-k decode -x'
test: $(READY)
	$(BIN)/python -m pytest $(ARGS)

interop: $(READY)
	@sh tests/interop/install.sh
	$(BIN)/python -m pytest -m interop $(ARGS)

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(READY)
	$(BIN)/mypy

check: lint types test

bench: $(READY)
	bench/peers.sh bench/results

wheel: $(READY)
	$(BIN)/python -m pip wheel -q --no-deps -w dist .

clean:
	rm -rf $(VENV) dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
