# Everything lands in .venv. Targets that users call are silent on stdout but for the program's own output.
.PHONY: env run test check bench lock train

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

env: $(STAMP)

$(STAMP): pyproject.toml requirements/run.txt requirements/dev.txt
	@bash scripts/env.sh "$(PYTHON)" "$(VENV)" >&2
	@touch $@

run: env
	@$(BIN)/ductwatch run $(ARGS)

test: env
	@bash scripts/needs.sh >&2
	@$(BIN)/python -m pytest $(ARGS)

check: env
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: env
	@$(BIN)/python -m bench $(ARGS)
