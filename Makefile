# The one front door. `make` alone lists the doors.
#
# Every target makes what it needs: a virtual environment in .venv, made with the first
# Python from 3.11 on that is found (or PYTHON=...), used again while pyproject.toml stays
# as it is.

.DEFAULT_GOAL := help
.NOTPARALLEL:

VENV ?= .venv
BIN := $(VENV)/bin
PACKAGES := machine asyncmachine amtracer am_dbg
SESSION ?= exports/worker-pool.msgpack.br
PYTEST_ARGS ?=
# On all cores; the tests of a file stay together, as they share what they make.
SHARED_OUT := -n auto --dist loadfile

find_python = for python in $(PYTHON) python3 python3.13 python3.12 python3.11 python; do \
	if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then break; fi; \
	python=; done; \
	if [ -z "$$python" ]; then echo "make: needs Python 3.11 or newer; name one with PYTHON=..." >&2; exit 1; fi

# A Python without ensurepip still makes an environment; the pip outside then fills it.
make_venv = $(find_python); \
	if [ ! -x $(1)/bin/python ] || ! $(1)/bin/python -c '' >/dev/null 2>&1; then \
	rm -rf $(1); \
	$$python -m venv $(1) >/dev/null 2>&1 || $$python -m venv --without-pip --clear $(1); fi
install = if $(1)/bin/python -m pip --version >/dev/null 2>&1; then pip="$(1)/bin/python -m pip"; \
	else pip="$$python -m pip --python $(1)/bin/python"; fi; \
	$$pip --disable-pip-version-check install -qq

.PHONY: help
help: ## list these
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

.PHONY: demo
demo: $(VENV)/ready ## set up, then open the debugger on the session of exports/
	@if [ -t 0 ] && [ -t 1 ]; then \
	echo "demo: opens $(SESSION); q quits, ? tells the keys"; \
	exec $(BIN)/python -m am_dbg --listen-on -1 -i $(SESSION); \
	else \
	echo "demo: no terminal here, so only a list of what $(SESSION) holds" >&2; \
	exec $(BIN)/python -m am_dbg list $(SESSION); fi

.PHONY: test
test: $(VENV)/ready-dev ## set up, then run the test suite
	@echo "test: runs the test suite"
	@$(BIN)/python -m pytest $(SHARED_OUT) $(PYTEST_ARGS)

.PHONY: check
check: quick lowest package test ## all that has to hold: format, lint, types, contracts, tests, packages

.PHONY: quick
quick: formatted lint types contracts ## the checks that run nothing: format, lint, types, contracts

.PHONY: lowest
lowest: $(VENV)/lowest/ready ## run the quick tests with the lowest allowed versions of what we depend on
	@echo "lowest: runs the quick tests with the lowest allowed versions"
	@HYPOTHESIS_PROFILE=few $(VENV)/lowest/bin/python -m pytest -q $(SHARED_OUT) -m 'not slow' tests/wire tests/dbg tests/screens

.PHONY: package
package: $(VENV)/ready-dev ## build what users install, install it into an environment of its own and try it there
	@echo "package: builds what users install and tries it"
	@rm -rf $(VENV)/package
	@$(BIN)/python -m build --outdir $(VENV)/package . >$(VENV)/build.log 2>&1 || { cat $(VENV)/build.log; exit 1; }
	@$(call make_venv,$(VENV)/package/env); $(call install,$(VENV)/package/env) "$$(echo $(VENV)/package/*.whl)[test]"
	@AM_PACKAGE=$(VENV)/package $(BIN)/python -m pytest -q tests/package

.PHONY: formatted
formatted: $(VENV)/ready-dev
	@echo "format: looks whether every file is formatted"
	@$(BIN)/ruff format --check --quiet . || { echo "format: \`make format\` mends that" >&2; exit 1; }

.PHONY: format
format: $(VENV)/ready-dev ## format the code in place, with what lint can mend by itself
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format .

.PHONY: lint
lint: $(VENV)/ready-dev ## look for mistakes
	@echo "lint: looks for mistakes"
	@$(BIN)/ruff check --quiet .

.PHONY: types
types: $(VENV)/ready-dev ## check the types, strictly
	@echo "types: checks the types"
	@$(BIN)/mypy $(PACKAGES) examples

.PHONY: contracts
contracts: $(VENV)/ready-dev ## check who may import whom
	@echo "contracts: checks who imports whom"
	@$(BIN)/lint-imports --no-logo >$(VENV)/contracts.log 2>&1 || { cat $(VENV)/contracts.log; exit 1; }

.PHONY: docs
docs: $(VENV)/ready-dev ## write the parts of the docs that are made from code
	@$(BIN)/python docs/write.py

.PHONY: site
site: $(VENV)/ready-docs ## build the site of the docs in the folder site/, offline; a dead link is an error
	@echo "site: builds site/index.html"
	@$(BIN)/python -m sphinx -q -E -W --keep-going -b html -d $(VENV)/doctrees docs site

.PHONY: picture
picture: $(VENV)/ready-dev ## draw the pictures of README and docs from the sessions of exports/
	@$(BIN)/python docs/picture.py

.PHONY: clean
clean: ## remove the environment and all that checks leave behind
	@rm -rf $(VENV) site .coverage htmlcov .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/ready: pyproject.toml
	@echo "set-up: makes $(VENV) and installs asyncmachine into it (once)"
	@$(call make_venv,$(VENV)); $(call install,$(VENV)) --editable .
	@touch $@

$(VENV)/ready-dev: pyproject.toml
	@echo "set-up: makes $(VENV) and installs asyncmachine into it with all that the checks need (once)"
	@$(call make_venv,$(VENV)); $(call install,$(VENV)) --editable '.[dev]'
	@touch $(VENV)/ready $@

$(VENV)/ready-docs: $(VENV)/ready-dev
	@echo "set-up: installs what the site of the docs needs into $(VENV) (once)"
	@$(call make_venv,$(VENV)); $(call install,$(VENV)) --editable '.[docs]'
	@touch $@

$(VENV)/lowest/ready: $(VENV)/ready-dev
	@echo "set-up: makes $(VENV)/lowest with the lowest allowed versions (once)"
	@$(BIN)/python .ci/lowest.py pyproject.toml >$(VENV)/lowest.txt
	@$(call make_venv,$(VENV)/lowest); $(call install,$(VENV)/lowest) --constraint $(VENV)/lowest.txt --editable '.[test]'
	@touch $@
