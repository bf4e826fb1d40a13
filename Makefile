# All lands in .venv, and TensorFlow in .venv-training. On stdout there is nothing but what the program prints.
.PHONY: env dev run hil play test test-training check fuzz bench image deb train lock clean

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
TRAINING := .venv-training
BROWSERS := chromium-headless-shell chromium chromium-browser google-chrome
ARCHITECTURE = $(if $(findstring arm64,$(ARGS)),arm64,amd64)

env: $(VENV)/.run                        ## the environment that runs the firmware
dev: $(VENV)/.dev                        ## the same with what tests, checks and benchmarks need

$(VENV)/.run: pyproject.toml requirements/run.txt requirements/build.txt
	@bash scripts/env.sh "$(PYTHON)" $(VENV) run >&2
	@touch $@

$(VENV)/.dev: pyproject.toml requirements/dev.txt requirements/build.txt
	@bash scripts/env.sh "$(PYTHON)" $(VENV) dev >&2
	@touch $(VENV)/.run $@

$(VENV)/.hil: pyproject.toml requirements/hil.txt requirements/build.txt
	@bash scripts/env.sh "$(PYTHON)" $(VENV) hil >&2
	@touch $(VENV)/.run $(VENV)/.dev $@

$(VENV)/.fuzz: $(VENV)/.dev requirements/fuzz.txt
	@$(BIN)/pip --disable-pip-version-check --quiet install --require-hashes -r requirements/fuzz.txt >&2
	@touch $@

$(TRAINING)/.done: pyproject.toml requirements/training.txt requirements/build.txt
	@bash scripts/env.sh "$(PYTHON)" $(TRAINING) training >&2
	@touch $@

run: env                                 ## the firmware on a simulated board; ARGS="..." for `ductwatch run`
	@exec $(BIN)/ductwatch run $(ARGS)

test: dev                                ## all tests, on up to four cores; ARGS="..." for pytest (-n 0: on one)
	@PATH="$$PATH:/usr/sbin" command -v mosquitto >/dev/null || bash scripts/need.sh mosquitto "the MQTT broker Mosquitto" >&2
	@PATH="$$PATH:/usr/sbin:/sbin" command -v debugfs >/dev/null || bash scripts/need.sh e2fsprogs "the tools of ext4" >&2
	@PATH="$$PATH:/usr/sbin:/sbin" command -v sfdisk >/dev/null || bash scripts/need.sh fdisk "the tools of partitions" >&2
	@command -v openssl >/dev/null || bash scripts/need.sh openssl "the openssl command" >&2
	@command -v ssh-keygen >/dev/null || bash scripts/need.sh openssh-client "the ssh-keygen command" >&2
	@for name in $(BROWSERS); do command -v $$name >/dev/null && exit; done; \
	bash scripts/need.sh chromium-headless-shell "a browser, for the pages," >&2 || \
	{ echo "Install one of these, then try again: $(BROWSERS)" >&2; exit 1; }
	@$(BIN)/python -m pytest -n auto --maxprocesses 4 $(ARGS)

test-training: $(TRAINING)/.done         ## the tests that need TensorFlow (1.7 GB); ARGS="..." for pytest
	@$(TRAINING)/bin/python -m pytest tests/training_with_tensorflow $(ARGS)

check: dev                               ## format, lint, types, import contracts
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

fuzz: $(VENV)/.fuzz                      ## random input on all that is read from outside; ARGS="--minutes 5" (docs/fuzzing.md)
	@nice $(BIN)/python -m tests.fuzz $(ARGS)

hil: $(VENV)/.hil                        ## the suite on the virtual bench; ARGS="..." for pytest (hil/README.md)
	@bash scripts/hil-needs.sh "$(BIN)/python" >&2
	@$(BIN)/python -m hil $(ARGS)

play: $(VENV)/.hil                       ## the virtual bench as a playground on a web page
	@bash scripts/hil-needs.sh "$(BIN)/python" >&2
	@exec $(BIN)/ductwatch hil play $(ARGS)

bench: dev                               ## speed and memory, against rivals, into bench/results
	@$(BIN)/python -m bench $(ARGS)

image: env                               ## the image that a board is flashed with; ARGS="--architecture arm64", ...
	@bash scripts/image_tools.sh $(ARCHITECTURE) >&2
	@exec $(BIN)/python -m hil.image $(ARGS)

deb: env                                 ## only the firmware, as a Debian package
	@bash scripts/image_tools.sh $(ARCHITECTURE) >&2
	@exec $(BIN)/python -m hil.image --deb $(ARGS)

lock: dev                                ## write the lock files anew from pyproject.toml
	@bash scripts/lock.sh $(BIN)

clean:
	rm -rf $(VENV) $(TRAINING) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
