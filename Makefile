# `make up`: from a bare machine to the walkthrough.  `make test`: all that CI runs.  `make test-all`: more.
# `make check`: seconds, no root.  `make observe`: adds Kiali and Jaeger.  `make down`: stop.  `make clean`: also delete the data.

SHELL := /bin/bash -eu
PYTHON ?= python3.11
BIN := .venv/bin

LONG_SUITES := \
  adopt canary_short drift_schedule drift_under_load examples gateway_api gateways interrupts metrics \
  observe_access observe_grafana observe_pictures observe_traces observe_validations operations_traffic policy \
  protection security rollout_status zero_loss

.PHONY: up observe pictures down clean check test test-all docs lock

up: .venv/ready
	@$(BIN)/python -m lab up

# Prometheus, Kiali with its web interface, Jaeger. Needs Node.js and npm too.
observe: .venv/ready
	@$(BIN)/python -m lab observe

down: .venv/ready
	@$(BIN)/python -m lab down

clean: .venv/ready
	@$(BIN)/python -m lab clean

check: .venv/ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy mesh-platform/__main__.py
	$(BIN)/mypy policy/__main__.py
	$(BIN)/lint-imports
	$(BIN)/python -m pytest tests/unit tests/program -q -n auto

# Everything but the long suites and the canary's folder. The lab first, to show its progress.
test: check
	$(BIN)/python -m lab up
	$(BIN)/python -m pytest tests/e2e --ignore=tests/e2e/canary \
	  $(LONG_SUITES:%=--ignore=tests/e2e/test_%.py)

test-all: check
	$(BIN)/python -m lab up
	$(BIN)/python -m pytest tests/e2e

# The schema and the pages that are generated from the model. `make check` fails if they are out of date.
docs: .venv/ready
	@$(BIN)/python -m reference

# The pictures of docs/, taken by the tests that check their content.
pictures: .venv/ready
	PICTURES=docs/pictures $(BIN)/python -m pytest tests/e2e/test_observe_pictures.py \
	  tests/e2e/test_observe_traces.py

# Hashes for every package, so that every install is the same.
lock: .venv/ready
	$(PYTHON) -m venv .venv/lock
	.venv/lock/bin/pip install --quiet pip-tools
	.venv/lock/bin/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras \
	  --no-emit-index-url --no-emit-find-links --output-file=requirements.lock requirements-dev.txt

.venv/ready: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null || \
	  { echo "'$(PYTHON)' is not Python 3.11: install it, or set its path: make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "  … Python packages with their hashes into .venv (about 1 min)"
	@$(PYTHON) -m venv .venv || \
	  { echo "$(PYTHON) cannot create a virtual environment: on Debian, apt-get install python3.11-venv"; exit 1; }
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock || \
	  { echo "pip could not install a package, see above; nothing else was started. Check the network, then: make $(MAKECMDGOALS)"; exit 1; }
	@touch $@
