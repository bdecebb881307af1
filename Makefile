VENV ?= .venv
# The first of these that is Python 3.11 to 3.13 and can make a virtual environment is used.
PYTHON ?= python3.13 python3.12 python3.11 python3 python
IS_USABLE := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help demo test lint docs dist clean
.DEFAULT_GOAL := help

help: ## say what the targets do
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-6s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(STAMP) ## train on the built-in oxides and predict new ones (examples/quickstart.py)
	@$(BIN)/python examples/quickstart.py

# Each process starts TensorFlow once and keeps compiled networks, so more of them than cores do not pay.
test: lint ## check the style and the types, and run the tests
	@$(BIN)/python -m pytest --numprocesses 2 --dist worksteal

lint: $(STAMP) ## check the style and the types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

docs: $(VENV)/.installed-docs ## build the site, with its gallery, in build/docs, and check its links
	@$(BIN)/sphinx-build -W --keep-going -q docs build/docs
	@$(BIN)/python docs/check_links.py build/docs
	@echo "the site is build/docs/index.html"

dist: $(VENV)/.installed-release ## build the packages in dist, and check them
	@rm -rf dist
	@$(BIN)/python -m build
	@$(BIN)/twine check --strict dist/*

clean: ## remove the environment and everything built
	rm -rf $(VENV) build dist docs/auto_gallery docs/_commands.md quickstart-output .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

# matbench 0.6 works with today's packages but asks for years-old ones, hence --no-deps.
# The version is read from the package, and what is installed has to say the same.
$(STAMP): pyproject.toml constraints.txt amdnet_matminer/__init__.py
	@echo "Setting up $(VENV); this takes a few minutes, once"
	@for python in $(PYTHON); do \
		$$python -c '$(IS_USABLE)' 2>/dev/null && exec $$python -m venv $(VENV); \
	done; \
	echo "No Python 3.11, 3.12 or 3.13 with venv and pip among: $(PYTHON)." \
		"Install one, or name it: make PYTHON=/path/to/python3" >&2; exit 1
	@$(BIN)/python -m pip install -qq --constraint constraints.txt --editable ".[dev,plots]"
	@$(BIN)/python -m pip install -qq --no-deps matbench==0.6
	@touch $@

# What only some targets need is added when one of them is first asked for.
$(VENV)/.installed-%: $(STAMP)
	@$(BIN)/python -m pip install -qq --constraint constraints.txt --editable ".[$*]"
	@touch $@
