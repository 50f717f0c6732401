# The project's own commands. They need python3 (3.11 or newer) and make; the rest goes into .venv.
# With VENV=/path/to/env they use that environment as it is, and install nothing.

VENV ?= .venv
PYTHON ?= python3
BIN = $(VENV)/bin
PY = "$(BIN)/python"
INSTALL = .venv/bin/python -m pip --disable-pip-version-check --no-input --quiet install
UV ?= uv
COMPILE = $(UV) pip compile pyproject.toml --extra local --universal --generate-hashes --no-emit-index-url \
	--no-annotate --quiet --custom-compile-command 'make lock' $(UPGRADE)

ifeq ($(origin VENV),file)
RUN = .venv/run.stamp
DEV = .venv/dev.stamp
BENCH = .venv/bench.stamp
endif

.DEFAULT_GOAL := help
.PHONY: help setup run test check bench bench-page chaos faults soak matrix release-check mutants sbom docs cover format lock clean browser ffmpeg memcached

help: ## list these commands
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 15

setup: $(DEV) ## make .venv, with the package (editable) and all that its development needs

run: $(RUN) ## start the example with its own Redis and worker: PORT=8000 HOST=127.0.0.1, NEXUS_*, REDIS_URL
	@exec $(PY) -m example_app

test: $(DEV) browser ffmpeg memcached ## run all tests, with a real Redis, a real browser, memcached and ffmpeg
	@$(PY) -m pytest $(ARGS)

check: $(DEV) ## lint, format, types, floors, dependencies, dead code, spelling
	"$(BIN)/ruff" check .
	"$(BIN)/ruff" format --check .
	$(PY) -m mypy
	$(PY) -m pyright --pythonpath $(PY)
	"$(BIN)/lint-imports"
	"$(BIN)/deptry" .
	$(PY) -m vulture
	"$(BIN)/codespell"

bench: $(BENCH) ## measure what the layers cost, beside their peers
	@$(PY) -m tests.benchmarks && $(PY) -m tests.benchmarks.served && $(PY) -m tests.benchmarks.queues && $(PY) -m tests.benchmarks.caches \
		&& $(PY) -m tests.benchmarks.costs

bench-page: $(BENCH) ## the same, written into docs/benchmarks.md
	@$(PY) -m tests.benchmarks.page

chaos: $(DEV) ## kill the worker 60 times and stop Redis 3 times under 2,000 jobs, plain RQ beside it: some 15 minutes
	@$(PY) -m tests.chaos $(ARGS)

faults: $(DEV) ## break Redis, clients, disk and processes in every way known: longer than in the tests, some 5 minutes
	@ulimit -n 12000 && FAULTS_CONNECTIONS=10000 FAULTS_EXAMPLES=2000 $(PY) -m pytest tests/faults tests/frameworks/test_outages.py \
		tests/services/logs/test_processes.py tests/services/cache/test_outage.py --timeout 600 $(ARGS)

soak: $(DEV) ## ten minutes of mixed traffic and faults, after which nothing may have grown: MINUTES=10 SEED=1
	@$(PY) -m tests.soak

matrix: $(DEV) ## run the apps of eleven frameworks under seven servers, each with all checks: some 4 minutes; ARGS=flask
	@$(PY) -m tests.matrix $(ARGS)

release-check: $(DEV) ## build the wheel and try it in bare environments, alone and with each extra by itself
	@$(PY) -m tests.release $(ARGS)

mutants: $(DEV) ## change the rules a little, and say what no test notices: ARGS="windows networks --each 40"
	@$(PY) -m tests.mutants $(ARGS)

sbom: $(DEV) ## write dist/sbom.cdx.json: all that an installation brings, with versions, licences and hashes (CycloneDX)
	@$(PY) -m tests.sbom $(ARGS)

docs: $(DEV) ## build the documentation into site/
	@NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs build --strict --quiet

cover: $(DEV) ## run all tests and say which lines and branches none of them reached
	@$(PY) -m coverage erase
	@$(PY) -m coverage run -m pytest $(ARGS)
	@$(PY) -m coverage combine --quiet
	@$(PY) -m coverage report

format: $(DEV) ## put the code in order
	"$(BIN)/ruff" check --fix .
	"$(BIN)/ruff" format .

lock: ## resolve requirements/*.lock anew (needs uv); UPGRADE=--upgrade takes the newest versions
	$(COMPILE) --group build --group example -o requirements/run.lock
	$(COMPILE) --group dev -c requirements/run.lock -o requirements/dev.lock
	$(COMPILE) --group dev --group bench -c requirements/dev.lock -o requirements/bench.lock

clean: ## remove .venv and all that was built
	rm -rf .venv build dist site htmlcov .coverage* .hypothesis .nexus .*_cache

.venv/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "make: python3 is missing: install Python 3.11 or newer" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "make: $$($(PYTHON) --version) is too old: install Python 3.11 or newer, or say PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "make: this python3 cannot make virtual environments: install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv --clear .venv

.venv/%.stamp: requirements/%.lock pyproject.toml | .venv/bin/python
	@echo "Setting up .venv from $<, once …"
	@$(INSTALL) --require-hashes --no-deps -r $<
	@$(INSTALL) --no-deps --no-build-isolation --no-index --editable .
	@touch $@

browser: $(DEV)
	@for name in chromium chromium-browser google-chrome; do command -v $$name >/dev/null && exit 0; done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing Chromium, once …"; apt-get -qq update && apt-get -qq -y install chromium >/dev/null; \
	else \
		$(PY) -m playwright install chromium; \
	fi || { echo "make test: no browser: install Chromium (on Debian: apt install chromium)" >&2; exit 1; }

ffmpeg:
	@command -v ffmpeg >/dev/null && exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing ffmpeg, once …"; apt-get -qq update && apt-get -qq -y install ffmpeg >/dev/null; \
	else \
		echo "make test: ffmpeg is missing: install it (on Debian: apt install ffmpeg)" >&2; exit 1; \
	fi

memcached:
	@command -v memcached >/dev/null && exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing memcached, once …"; apt-get -qq update && apt-get -qq -y install memcached >/dev/null && exit 0; \
	fi; echo "make test: memcached is missing, and what needs it is skipped: install it (on Debian: apt install memcached)" >&2
