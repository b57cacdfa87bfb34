# One-word commands; `make help` lists them. All that is needed beforehand: Python 3.11 or later with pip, and make.

PYTHON ?= python3
PORT ?= 5000
BIN := .venv/bin

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: .venv/with-run ## the demo: a CRM and the bridge in front of it (PORT=5000)
	@$(BIN)/toolbridge demo --port $(PORT)

test: .venv/with-test ## all tests but the long ones
	$(BIN)/python -m pytest

test-long: .venv/with-test ## the tests that take minutes
	$(BIN)/python -m pytest -m long

lint: .venv/with-lint .venv/with-test ## ruff, mypy strict, and the shape of the package
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_shape.py

bench: .venv/with-test ## the benchmarks, our own servers only
	$(BIN)/python -m benchmarks

bench-peers: .venv/with-test ## the benchmarks, with nginx and other bridges beside ours
	$(BIN)/python -m benchmarks --peers

clean: ## remove what the commands above have made
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist *.egg-info

# What is installed into .venv is known by empty files in it; they are made anew when the requirements change.
.venv/with-run: EXTRAS =
.venv/with-test: EXTRAS = [test]
.venv/with-lint: EXTRAS = [lint]
.venv/with-%: setup.cfg pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.$(EXTRAS)'
	@touch $@

# Debian splits venv's own pip off; the pip that is there can serve the new environment instead.
.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=...")'
	$(PYTHON) -m venv .venv || { $(PYTHON) -m venv --clear --without-pip .venv \
		&& $(PYTHON) -m pip --python .venv/bin/python install --quiet pip; }

.PHONY: help run test test-long lint bench bench-peers clean
