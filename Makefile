# `make` alone lists what there is. Works from anywhere: make -C <path> run

# Where it is set, each of the many processes would compile all that it loads: a start of 0.6 s takes 6.
unexport PYTHONDONTWRITEBYTECODE
PYTHON ?= python3
PY := .venv/bin/python
UV := $(PY) -m uv --no-cache
# The stamp carries what was installed: other requirements or another Python, and the next target installs anew.
STAMP := .venv/.installed-$(shell { $(PYTHON) -V; cat requirements.txt requirements-dev.txt; } 2>&1 | cksum | cut -d' ' -f1)
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make requirements"
CHECKS := check-format check-lint check-types check-layers check-database check-migrations check-messages check-api check-docs
# Values in the form of real ones, for checks that open no connection but to a database of their own.
LIKE_PRODUCTION := env ENVIRONMENT=production SITE_URL=https://shop.example ALLOWED_HOSTS=shop.example \
	SECRET_KEY=$$($(PY) -c "import secrets; print(secrets.token_urlsafe(50))") \
	STRIPE_SECRET_KEY=sk_live_unused STRIPE_WEBHOOK_SECRET=whsec_unused STRIPE_ALERT_EMAIL=staff@shop.example
SCHEMA := $(LIKE_PRODUCTION) DATABASE_URL=postgres://unused/unused $(PY) manage.py spectacular --lang en --validate --fail-on-warn
EVENTS := $(LIKE_PRODUCTION) DATABASE_URL=postgres://unused/unused $(PY) manage.py event_types
WITH_EMULATOR := ENVIRONMENT=development STRIPE_EMULATOR=1 STRIPE_SECRET_KEY=sk_test_unused

.DEFAULT_GOAL := help
.PHONY: help setup run test bench check $(CHECKS) format messages api docs requirements clean

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: $(STAMP) ## Start everything for development: database, web, worker, beat (VERBOSE=1: every log line)
	@exec $(PY) -m config.devrun

test: $(STAMP) ## Run the tests on all cores and a database of their own (ARGS="-k name -n 0"; DEEP=1: everything they can try)
	@exec env DEEP=$(DEEP) $(PY) -m config.devdb exec --ephemeral -- $(PY) -m pytest -n logical --dist worksteal $(ARGS)

bench: $(STAMP) ## Measure the product beside its peers, write docs/benchmarks.md: half an hour (ARGS="--quick --only ingest")
	@exec env -u DATABASE_URL $(PY) -m benchmarks.bench $(ARGS)

check: $(STAMP) ## Run every check but the tests; all of them, then fail if one did
	@$(MAKE) --no-print-directory --keep-going $(CHECKS)

format: $(STAMP) ## Put the code in shape: order of imports, layout, what can be repaired
	@$(PY) -m ruff check --fix-only --quiet .
	@$(PY) -m ruff format .

messages: $(STAMP) ## Bring locale/*/LC_MESSAGES/django.po up to date with code and templates
	@$(PY) -m config.catalogues extract

api: $(STAMP) ## Write the schema of the JSON API from the code to docs/api/openapi.yaml
	@$(SCHEMA) --file docs/api/openapi.yaml

docs: $(STAMP) ## Write what each event type is good for from the code to docs/events.md and docs/events.fr.md
	@$(PY) -m config.catalogues compile
	@$(EVENTS) > docs/events.md && $(EVENTS) --language fr > docs/events.fr.md

requirements: $(STAMP) ## Compile requirements*.in into hashed requirements*.txt (ARGS=--upgrade)
	@$(COMPILE) $(ARGS) requirements.in --output-file requirements.txt
	@$(COMPILE) $(ARGS) requirements-dev.in --output-file requirements-dev.txt

setup: $(STAMP) ## Only make .venv, as every target does when needed

clean: ## Remove all that was made here: .venv, var, the development database
	@test ! -x $(PY) || $(PY) -m config.devdb drop
	@rm -rf .venv var staticfiles .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} + -o -name '*.mo' -exec rm -f {} +

check-format: $(STAMP)
	@$(PY) -m ruff format --check --output-format concise . || { echo "To repair it:  make format"; exit 1; }

check-lint: $(STAMP)
	@$(PY) -m ruff check .

check-types: $(STAMP)
	@DATABASE_URL=postgres://unused/unused $(PY) -m mypy

check-layers: $(STAMP)
	@$(PY) -c 'from importlinter.cli import lint_imports_command; lint_imports_command()'

check-database: $(STAMP)
	@$(LIKE_PRODUCTION) $(PY) -m config.devdb exec --ephemeral -- sh -c \
		'$(PY) manage.py makemigrations --check --dry-run && $(WITH_EMULATOR) $(PY) manage.py makemigrations --check \
		--dry-run stripe_emulator; told=$$?; \
		$(PY) manage.py check --deploy --fail-level WARNING && exit $$told'

check-migrations: $(STAMP)
	@DJANGO_SETTINGS_MODULE=config.settings $(LIKE_PRODUCTION) DATABASE_URL=postgres://unused/unused $(PY) -m config.migration_rules

check-messages: $(STAMP)
	@$(PY) -m config.catalogues check || { echo "To bring the texts in:  make messages"; exit 1; }

check-api: $(STAMP)
	@$(SCHEMA) | diff -u docs/api/openapi.yaml - || { echo "To bring it up to date:  make api"; exit 1; }

check-docs: $(STAMP)
	@$(PY) -m config.catalogues compile && $(EVENTS) | diff -u docs/events.md - && \
		$(EVENTS) --language fr | diff -u docs/events.fr.md - || { echo "To bring them up to date:  make docs"; exit 1; }

# uv is three times faster; where it fails, pip may not (it alone knows of a mirror or a certificate, for example).
$(STAMP):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or later is needed: make PYTHON=/path/to/python3.12 …"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "Python has no venv module here. This repairs it:  apt install python3-venv"; exit 1; }
	@ls .venv/.installed-* >/dev/null 2>&1 || { echo "Making .venv …"; $(PYTHON) -m venv --clear .venv; }
	@echo "Installing $$(grep -c '^[a-zA-Z].*==' requirements-dev.txt) packages into .venv: a minute or two, once …"
	@rm -f .venv/.installed-*
	@sed -n '/^uv==/,/^ *# via/p' requirements-dev.txt > .venv/uv.txt
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r .venv/uv.txt
	@UV_LINK_MODE=copy $(UV) pip sync --quiet --require-hashes --python $(PY) requirements-dev.txt 2>/dev/null || \
		$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@
