# Every task has a target here; `make` alone lists them. Each target sets up what it needs by itself.

PYTHON ?= $(shell ./tools/find-python)
VENV ?= .venv
SAM_VENV ?= .venv-sam
PRESENCE_VENV := .venv-presence
PACKAGES := layers/domain libs/media libs/faces clients/camera clients/cli local
CODE := layers libs clients local functions containers analytics tests benchmarks
INSTALLED := $(VENV)/.installed
SAM := SAM_CLI_TELEMETRY=0 $(SAM_VENV)/bin/sam
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help install demo up test test-fast downstream test-downstream flink-install flink-package flink-demo presence-install check lint format types imports template bench build deploy lock clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

install: $(INSTALLED) ## Everything into .venv (the other targets call it)

$(INSTALLED): requirements/dev.txt $(PACKAGES:%=%/pyproject.toml)
	@./tools/find-python --check "$(PYTHON)"
	@echo "Installing into $(VENV) (a minute or two the first time) ..."
	@./tools/install "$(VENV)" "$(PYTHON)" requirements/dev.txt $(PACKAGES:%=./%)
	@touch $@

demo: install ## The main job on real video, start to finish (ARGS="--video FILE --person NAME=PHOTO")
	@$(VENV)/bin/sightline demo $(ARGS)

up: install ## The whole stack on this machine until Ctrl-C
	@$(VENV)/bin/sightline up $(ARGS) || test $$? -eq 130  # Ctrl-C is how it ends

test: install ## All tests
	@$(VENV)/bin/pytest --numprocesses 2 --dist loadfile $(ARGS)

test-fast: install ## The tests that need no running stack
	@$(VENV)/bin/pytest --numprocesses 2 --dist loadfile tests/architecture tests/unit tests/contract $(ARGS)

FLINK_JAR := build/flink/lib/pyflink-dependencies.jar
FLINK_ZIP := build/flink/sightline-flink.zip
FLINK_BUILT_OF := analytics/flink/pom.xml $(shell find analytics/flink/src -type f)

flink-install: .venv-flink/.installed $(FLINK_JAR) # Flink SQL: PyFlink into .venv-flink, and the jar of its connector

.venv-flink/.installed: requirements/flink.txt
	@./tools/find-java --check "Flink SQL"
	@python=$$(./tools/find-python --find 3.11 "Flink SQL") && \
		echo "Installing PyFlink into .venv-flink (half a minute, 300 MB) ..." && \
		./tools/install .venv-flink "$$python" requirements/flink.txt
	@touch $@

$(FLINK_JAR): $(FLINK_BUILT_OF)
	@./tools/find-java --check "Flink SQL"
	@echo "Building $@ with Maven ..."
	@said=$$(mvn --quiet --batch-mode --file analytics/flink/pom.xml package 2>&1) || { printf '%s\n' "$$said" >&2; exit 1; }
	@touch $@

flink-package: $(FLINK_ZIP) ## What Managed Service for Apache Flink runs, into build/flink/sightline-flink.zip

$(FLINK_ZIP): $(FLINK_JAR) analytics/flink/package.py analytics/flink/main.py $(wildcard analytics/flink/sql/*.sql)
	@$(PYTHON) analytics/flink/package.py $(FLINK_JAR) $@

flink-demo: install flink-install ## The streaming SQL on a local stack, with its results as they come
	@$(VENV)/bin/sightline flink-demo $(ARGS)

downstream: flink-install presence-install ## What Flink SQL and the presence worker need (Java 17, Maven, python3.11)

presence-install: $(PRESENCE_VENV)/.installed ## The presence worker into .venv-presence (Java 17, Maven)

$(PRESENCE_VENV)/.installed: $(wildcard containers/presence_worker/requirements*.txt) containers/presence_worker/pom.xml containers/presence_worker/install layers/domain/pyproject.toml
	@./tools/find-python --check "$(PYTHON)"
	@./tools/find-java --check "The presence worker"
	@echo "Installing the presence worker into $(PRESENCE_VENV) (half a minute, 35 MB of jars the first time) ..."
	@./containers/presence_worker/install "$(PRESENCE_VENV)" "$(PYTHON)" ./layers/domain
	@touch $@

test-downstream: install downstream ## The tests of Flink SQL and of the presence worker; nothing is skipped
	@SIGHTLINE_DOWNSTREAM=1 $(VENV)/bin/pytest tests/downstream $(ARGS)

check: lint types imports template ## Everything but the tests: lint, types, import rules, template

lint: install
	@$(VENV)/bin/ruff check $(CODE)
	@$(VENV)/bin/ruff format --check $(CODE)

format: install ## Format the code
	@$(VENV)/bin/ruff format $(CODE)
	@$(VENV)/bin/ruff check --fix $(CODE)

types: install
	@$(VENV)/bin/mypy layers/domain/sightline libs/media/sightline_media libs/faces/sightline_faces \
		clients/camera/sightline_camera clients/cli/sightline_cli local/sightline_local functions benchmarks containers/presence_worker/presence_worker analytics/flink

imports: install
	@$(VENV)/bin/lint-imports

template: install $(SAM_VENV)/.installed
	@$(VENV)/bin/cfn-lint template.yaml
	@$(SAM) validate --lint

bench: install ## Speed and memory, into build/bench.json
	@$(VENV)/bin/python -m benchmarks $(ARGS)

build: $(SAM_VENV)/.installed ## sam build: what `sam deploy` puts on AWS (needs python3.13 on the PATH)
	@./tools/find-python --require 3.13
	@$(SAM) build

deploy: build ## sam deploy --guided
	@$(SAM) deploy --guided

$(SAM_VENV)/.installed: requirements/sam.txt
	@./tools/find-python --check "$(PYTHON)"
	@echo "Installing aws-sam-cli into $(SAM_VENV) ..."
	@./tools/install "$(SAM_VENV)" "$(PYTHON)" requirements/sam.txt
	@touch $@

LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links
lock: ## Pin the dependencies anew (needs uv on the PATH)
	$(LOCK) requirements/dev.in --output-file requirements/dev.txt
	$(LOCK) requirements/sam.in --output-file requirements/sam.txt
	$(LOCK) --constraint requirements/dev.txt containers/presence_worker/requirements.in --output-file containers/presence_worker/requirements.txt
	$(LOCK) --no-deps requirements/flink.in --output-file requirements/flink.txt
	cd layers/domain && uv pip compile --quiet --python-platform aarch64-manylinux2014 --python-version 3.13 \
		--generate-hashes --no-header --no-emit-index-url --no-emit-find-links --constraint ../../requirements/dev.txt \
		pyproject.toml --output-file requirements.txt
	cd layers/video && uv pip compile --quiet --python-platform aarch64-manylinux_2_28 --python-version 3.13 \
		--generate-hashes --no-header --no-emit-index-url --no-emit-find-links --constraint ../../requirements/dev.txt \
		pyproject.toml --output-file requirements.txt

clean: ## Remove what was built and installed
	rm -rf build .aws-sam $(VENV) $(SAM_VENV) $(PRESENCE_VENV) .venv-flink .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
