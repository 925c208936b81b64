# Everything runs in .venv, from the exact pins of requirements.lock.
PY := .venv/bin/python
export PATH := $(CURDIR)/.venv/bin:$(PATH)
# Files in the order of tests/conftest.py, not by their number of tests.
PYTEST := pytest -n 2 --dist loadfile --no-loadscope-reorder
CLIENTS := tests/ingestion/collector/clients
.DEFAULT_GOAL := help
.PHONY: help setup demo dev docs refresh check test lint types style bench lock clean databases clients spark

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/ready  ## Make the local environment from exact pins

.venv/ready: requirements.lock pyproject.toml
	@echo "Setting up .venv"
	@test -x $(PY) || python3.11 -m venv .venv || python3 -m venv .venv
	@awk '/^uv==/ {on = 1} on {print} on && !/\\$$/ {exit}' requirements.lock > .venv/uv.lock
	@$(PY) -m pip install -q --no-deps --require-hashes -r .venv/uv.lock
	@$(PY) -m uv pip install -q --compile-bytecode --python $(PY) --require-hashes -r requirements.lock \
		|| $(PY) -m pip install -q --no-deps --require-hashes -r requirements.lock
	@$(PY) -m pip install -q --no-deps --no-build-isolation -e .
	@touch $@

demo: setup  ## Run the whole platform once on a real shop's orders
	@cdp demo

dev: setup  ## Open the Dagster UI on 127.0.0.1:3000
	@cdp dev

docs: setup  ## Write the dbt docs as one page, data/docs/index.html
	@cdp docs

refresh: setup  ## Run one refresh with your own settings (.env)
	@cdp refresh

check: lint  ## Lint, types, layers, docs and the fast tests
	$(PYTEST) -m "not slow"

test: databases clients lint  ## Everything: `make check` and the slow tests
	$(PYTEST)

lint: setup
	@$(MAKE) --no-print-directory -j 2 --output-sync types style

types:
	mypy

style:
	ruff check .
	ruff format --check .
	lint-imports
	sqlfluff lint -q dbt_project/models dbt_project/tests

databases:
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 \
		|| (apt-get update -qq && apt-get install -y -qq postgresql) \
		|| (echo "The tests need PostgreSQL: install your system's postgresql package." && exit 1)
	@ls /usr/sbin/mariadbd >/dev/null 2>&1 \
		|| (apt-get update -qq && apt-get install -y -qq --no-install-recommends mariadb-server) \
		|| echo "Without MariaDB the tests of MySQL are skipped: install your system's mariadb-server."

clients: $(CLIENTS)/node_modules/.package-lock.json
	@command -v chromium >/dev/null \
		|| (apt-get update -qq && apt-get install -y -qq chromium) \
		|| (echo "The tests need Chromium: install your system's chromium package." && exit 1)

$(CLIENTS)/node_modules/.package-lock.json: $(CLIENTS)/package-lock.json
	@command -v npm >/dev/null \
		|| (apt-get update -qq && apt-get install -y -qq nodejs npm) \
		|| (echo "The tests need Node.js 20 or later with npm." && exit 1)
	@npm ci --prefix $(CLIENTS) --silent --omit=optional --ignore-scripts --no-audit --no-fund
	@touch $@

bench: setup  ## Print speed as ratios against references in the same run
	@$(PY) -m benchmarks

spark: .venv-spark/ready  ## Build the models and resolve identity on Spark too, and compare with DuckDB
	@rm -rf data/spark
	@CDP_HOME=data/spark cdp demo --people 300
	@CDP_HOME=data/spark $(PY) -m tests.spark.tables
	@set -a; . data/spark/demo.env; .venv-spark/bin/python -m tests.spark.models data/spark
	@CDP_TARGET=spark .venv-spark/bin/python -m tests.spark.identity data/spark

.venv-spark/ready: requirements-spark.lock .venv/ready
	@echo "Setting up .venv-spark"
	@test -x .venv-spark/bin/python || $(PY) -m uv venv -q .venv-spark
	@$(PY) -m uv pip install -q --python .venv-spark/bin/python --require-hashes \
		-r requirements-spark.lock
	@touch $@

lock: setup  ## Resolve requirements.in into requirements.lock anew
	@$(PY) -m uv pip compile -q --python-version 3.11 --generate-hashes --no-strip-extras \
		--no-emit-index-url --no-annotate --no-header requirements.in -o requirements.lock
	@$(PY) -m uv pip compile -q --python-version 3.11 --generate-hashes --no-strip-extras \
		--no-emit-index-url --no-annotate --no-header requirements-spark.in \
		-c requirements.lock -o requirements-spark.lock

clean:  ## Remove the environment and everything that runs have written
	rm -rf .venv .venv-spark data $(CLIENTS)/node_modules
