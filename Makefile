# The two commands a newcomer needs: `make demo` and `make test`. Both set up what they need.
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin

# Servers that are started again and again must not compile all modules each time.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup venv web lab demo run test compose-test test-unit check messages docs format bench lock

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

setup: venv web lab ## Install everything: Python environment, pages' files, Debian packages, Asterisk, prompts

venv: $(VENV)/.installed

$(VENV)/.installed: requirements-dev.lock pyproject.toml
	@lab/setup venv $(VENV)

web: node_modules/.installed

node_modules/.installed: package-lock.json package.json | $(VENV)/.installed
	@lab/setup web $(VENV)

lab: venv
	@lab/setup packages
	@lab/setup asterisk
	@$(BIN)/tstn --config config/tstn.toml prompts build --if-changed >/dev/null

demo: setup ## 200 numbers called through real Asterisks while 72 text 9231, with live progress
	@$(BIN)/python -m lab.demo

run: venv web ## Run the server with config/tstn.toml
	@$(BIN)/tstn migrate && $(BIN)/tstn serve

test: setup ## Every test: unit, integration (both databases), acceptance (real Asterisk)
	@$(BIN)/python -m pytest -n 5 --dist loadscope --no-loadscope-reorder

compose-test: venv ## docker-compose.yml from nothing: demo, upgrade, restore (OPTIONS=--kills or --host: see README)
	@lab/setup docker
	@$(BIN)/python -m lab.containers $(OPTIONS)

test-unit: venv ## The tests without I/O, in seconds
	@$(BIN)/python -m pytest tests/unit

check: venv ## Lint, types, import rules
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

messages: venv ## Add the pages' new words to the catalogue, to be translated there
	@$(BIN)/pybabel --quiet extract -F console/babel.cfg -k marked --no-location -o var/console.pot console
	@$(BIN)/pybabel --quiet update -i var/console.pot -o console/locale/vi/console.po -l vi -w 100 --no-fuzzy-matching --ignore-obsolete

docs: venv ## Write docs/settings.md anew from the settings
	@$(BIN)/python -m runtime.settings_page > var/settings.md && mv var/settings.md docs/settings.md

format: venv ## Format the code and mend what the linter can
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

bench: setup ## Figures of calls beside a plain dialplan IVR, of texts beside a bare ESME, of both at once
	@$(BIN)/python -m bench

lock: venv ## Refresh the lock files from pyproject.toml (needs pip-tools)
	@$(BIN)/python -m piptools compile -q --generate-hashes --allow-unsafe --strip-extras --no-header --no-annotate \
		--no-emit-index-url --no-emit-find-links --no-emit-trusted-host -o requirements.lock pyproject.toml
	@$(BIN)/python -m piptools compile -q --generate-hashes --allow-unsafe --strip-extras --no-header --no-annotate \
		--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --extra dev -c requirements.lock \
		-o requirements-dev.lock pyproject.toml
