# `make` alone lists the targets. On a fresh machine `make demo` and `make test` are all that is needed.

PYTHON ?= python3
PROJECT_PYTHON := .venvs/dev/bin/python
ENVIRONMENTS := .venvs/dev/.installed .venvs/ministack/.installed .venvs/checkov/.installed

.DEFAULT_GOAL := help
.PHONY: help setup package demo clean-demo test localstack-test localstack-up localstack-logs localstack-down check format docs init lock clean

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'

setup: $(ENVIRONMENTS) ## Install what the tools and tests need, into .venvs/

.venvs/%/.installed: requirements/%.txt
	@command -v $(PYTHON) >/dev/null || { echo "missing: $(PYTHON); install Python 3.11 or newer" >&2; exit 1; }
	@$(PYTHON) scripts/prerequisites.py
	@echo "installing requirements/$*.txt into .venvs/$* (once)"
	@$(PYTHON) -m venv --clear .venvs/$*
	@.venvs/$*/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	@touch $@

package: .venvs/dev/.installed ## Build the functions' zips for AWS into build/ (PACKAGE="options of scripts/package_lambdas.py")
	@$(PROJECT_PYTHON) scripts/package_lambdas.py $(PACKAGE)

demo: .venvs/dev/.installed .venvs/ministack/.installed ## See the pipeline work, on pictures of its own or IMAGES="files or folders"
	@$(PROJECT_PYTHON) scripts/demo.py $(IMAGES)

clean-demo: ## Remove all that `make demo` left
	rm -rf build/demo

localstack-test: .venvs/dev/.installed ## Run the end-to-end tests on LocalStack (LOCALSTACK=docker or pip decides how it runs)
	@$(PROJECT_PYTHON) scripts/run_localstack.py test

localstack-up: .venvs/dev/.installed ## Start LocalStack and leave it running
	@$(PROJECT_PYTHON) scripts/run_localstack.py up

localstack-logs: .venvs/dev/.installed ## Follow the log of that LocalStack
	@$(PROJECT_PYTHON) scripts/run_localstack.py logs

localstack-down: .venvs/dev/.installed ## End that LocalStack
	@$(PROJECT_PYTHON) scripts/run_localstack.py down

check: setup ## Check style, types, layers, contracts, documents and safety
	@$(PROJECT_PYTHON) scripts/checks.py check

test: setup ## Run all checks and tests, end to end on the embedded emulator
	@$(PROJECT_PYTHON) scripts/package_lambdas.py --local
	@$(PROJECT_PYTHON) scripts/checks.py test

format: setup ## Format Python and Terraform
	@.venvs/dev/bin/ruff format lambdas scripts tests
	@.venvs/dev/bin/ruff check --fix lambdas scripts tests
	@terraform fmt -recursive terraform

docs: setup ## Generate the pages that are made from code
	@$(PROJECT_PYTHON) scripts/document_events.py
	@$(PROJECT_PYTHON) scripts/document_modules.py

init: .venvs/dev/.installed ## Install Terraform's provider in terraform/, from a mirror where the registry is out of reach
	@$(PROJECT_PYTHON) scripts/stack.py init

lock: .venvs/lock/.installed ## Resolve the requirements anew and write the lock files
	@for file in requirements/*.in lambdas/*/requirements.in; do \
	  echo "locking $$file"; \
	  (cd "$$(dirname $$file)" && $(CURDIR)/.venvs/lock/bin/uv pip compile --quiet --universal --upgrade \
	    --python-version 3.11 --generate-hashes --no-header $$(sed -n 's/^# uv: //p' "$$(basename $$file)") "$$(basename $$file)" \
	    --output-file "$$(basename $$file .in).txt") || exit 1; \
	done

clean: ## Remove environments and everything built
	rm -rf .venvs build
