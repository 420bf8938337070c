# Everything sets itself up: python3 >= 3.11 and make are enough. The second run reuses .venv.

VENV    := .venv
BIN     := $(VENV)/bin
RUNTIME := $(VENV)/.runtime
DEVELOP := $(VENV)/.develop
PYTHON  ?= python3
PROVED  := examples/proved/boat_race_laps.spec
REFUTED := examples/refuted/boat_race.spec

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test lint types check clean

help: ## what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-6s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: $(RUNTIME) ## prove one shipped example and refute another
	@printf '\n$$ twostep prove %s\n' $(PROVED)
	@$(BIN)/twostep prove $(PROVED)
	@printf '\n$$ twostep prove %s\n' $(REFUTED)
	@$(BIN)/twostep prove $(REFUTED); status=$$?; test $$status -eq 1 || exit $$status

test: $(DEVELOP) ## run all tests
	$(BIN)/python -m pytest -n auto

lint: $(DEVELOP) ## ruff
	$(BIN)/ruff check .

types: $(DEVELOP) ## mypy, strict
	$(BIN)/mypy

check: lint types test ## lint, types and tests

clean: ## remove what was built
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	  || { echo 'twostep needs Python 3.11 or newer as $(PYTHON); name another one with: make PYTHON=python3.12 demo' >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo 'cannot create $(VENV): is the venv module of $(PYTHON) installed?' >&2; exit 1; }

$(RUNTIME): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(DEVELOP): pyproject.toml | $(RUNTIME)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@
