# run, test, check, bench, conformance: see `make help`. Plain sh, and no network once .venv is there.

PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8765
VENV := .venv
BIN := $(VENV)/bin
# Compiled tests are kept, also where the environment says otherwise: each worker of the check would compile them all again (5 s).
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest
# A comma in a call would end the argument.
TEST_EXTRAS := all,dev
NEWEST := $(CURDIR)/$(VENV)/newest

.DEFAULT_GOAL := help
.PHONY: help run test check bench conformance newest clean

help:
	@echo 'make run [PORT=8765]   set up .venv, start the server with the engine that needs no network'
	@echo 'make test              all tests; with VOICE_TEST_ALL=1 a test that cannot run is a failure'
	@echo 'make check             before each commit, under 30 s: ruff, mypy --strict, the fast tests'
	@echo 'make bench             the figures of bench/README.md, measured here'
	@echo 'make conformance       the wire against documents, other clients and Autobahn: some minutes'
	@echo 'make newest            the quick tests with the newest websockets, which openai in .venv holds back'
	@echo 'make clean             remove .venv and caches'
	@echo 'PYTHON=python3.12 chooses the Python (3.11 or newer) that .venv is made with.'

# A stamp is a copy of the pyproject.toml that was installed: a newer date alone (a checkout, a branch) installs nothing.
# $(1): extras, $(2): the stamp, $(3): one more thing to do
define install
	@if ! cmp -s pyproject.toml $(2); then \
	  $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	    echo "voice needs Python 3.11 or newer, and '$(PYTHON)' is not: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }; \
	  echo "setting up $(VENV) (once; this takes a minute)" >&2; \
	  $(PYTHON) -m venv $(VENV) || { \
	    echo "cannot make $(VENV); on Debian and Ubuntu: sudo apt install python3-venv" >&2; exit 1; }; \
	  { $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$(1)]' && $(or $(3),true); } || { \
	    echo "cannot install the packages (see above): the set-up needs the network once" >&2; exit 1; }; \
	fi
	@cp pyproject.toml $(2)
endef

# Whoever has set up the tests has all that `run` needs.
$(VENV)/.run: pyproject.toml
	@if cmp -s pyproject.toml $(VENV)/.dev; then cp pyproject.toml $@; fi
	$(call install,all,$@)

$(VENV)/.dev: pyproject.toml
	@if ! cmp -s pyproject.toml $@; then rm -rf "$(NEWEST)"; fi
	$(call install,$(TEST_EXTRAS),$@,$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --target "$(NEWEST)" websockets)

# On a terminal the server gets a job of its own in the foreground (set -m), so that Ctrl-C reaches it and not make:
# it ends in order, with 0, and make has nothing to complain about.
run: $(VENV)/.run
	@if [ -t 0 ]; then set -m; $(BIN)/voice serve --host $(HOST) --port $(PORT); \
	else exec $(BIN)/voice serve --host $(HOST) --port $(PORT); fi

test: $(VENV)/.dev
	@scripts/test-packages
	@set -- tests/web/*.test.mjs; \
	if [ ! -e "$$1" ]; then exit 0; \
	elif command -v node >/dev/null; then node --test "$$@"; \
	elif [ "$$VOICE_TEST_ALL" = 1 ]; then echo 'node is not installed, and VOICE_TEST_ALL=1 leaves nothing out' >&2; exit 1; \
	else echo 'node is not installed: the tests of the page are left out' >&2; fi
	@$(PYTEST) -m 'not slow' --numprocesses auto --dist worksteal
	@$(PYTEST) -m 'bulk and not apart' --numprocesses auto --dist worksteal --durations=5
	@$(PYTEST) -m 'slow and not bulk and not apart' --numprocesses 2 --dist loadgroup --durations=10

check: $(VENV)/.dev
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy --strict voice
	@$(PYTEST) -m 'not slow' --numprocesses auto --dist worksteal --durations=5 --durations-min=0.5

bench: $(VENV)/.dev
	@missed=; for script in bench/*.py; do echo "== $$script"; $(BIN)/python "$$script" || missed="$$missed $$script"; done; \
	if [ -n "$$missed" ]; then echo "a goal is missed in:$$missed" >&2; exit 1; fi

# Other makers' programs are installed once, under .venv-clients: that needs the network.
conformance: $(VENV)/.dev
	@$(PYTEST) -m conformance --durations=10

# openai, in the dev extra, holds websockets back at the oldest that we work with; users get the newest.
newest: $(VENV)/.dev
	@PYTHONPATH="$(NEWEST)" $(BIN)/python -c 'import websockets; print("websockets", websockets.__version__)'
	@PYTHONPATH="$(NEWEST)" $(PYTEST) -m 'not slow' --numprocesses auto --dist worksteal

clean:
	rm -rf $(VENV) .venv-clients .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
