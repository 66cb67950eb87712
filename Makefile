# `make` alone lists the targets. On a fresh machine `make demo` and `make test` are all that is needed.

PYTHON ?= python3
PROJECT_PYTHON := .venvs/dev/bin/python
ENVIRONMENTS := .venvs/dev/.installed .venvs/ministack/.installed .venvs/checkov/.installed .venvs/parts/.installed .venvs/site/.installed

.DEFAULT_GOAL := help
.PHONY: help setup package demo demo-page clean-demo test fuzz benchmark localstack-test localstack-up localstack-logs localstack-down aws-smoke-test check format docs site init lock schemas clean

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'

setup: $(ENVIRONMENTS) ## Install what the tools and tests need, into .venvs/, and the command darkroom

.venvs/%/.installed: requirements/%.txt
	@command -v $(PYTHON) >/dev/null || { echo "missing: $(PYTHON); install Python 3.11 or newer" >&2; exit 1; }
	@$(PYTHON) scripts/prerequisites.py
	@echo "installing requirements/$*.txt into .venvs/$* (once)"
	@$(PYTHON) -m venv --clear .venvs/$*
	@.venvs/$*/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	@! grep -q ^hatchling== $< || .venvs/$*/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@test $* != dev || .venvs/dev/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable ./cli
	@touch $@

.venvs/dev/.installed: cli/pyproject.toml

package: .venvs/dev/.installed ## Build the functions' zips for AWS into build/ (PACKAGE="options of scripts/package_lambdas.py")
	@$(PROJECT_PYTHON) scripts/package_lambdas.py $(PACKAGE)

demo: .venvs/dev/.installed .venvs/ministack/.installed ## See the pipeline work, on pictures of its own or IMAGES="files or folders"
	@$(PROJECT_PYTHON) scripts/run_demo.py $(IMAGES)

demo-page: .venvs/dev/.installed ## Try the API on a page, against LocalStack (PAGE="options of scripts/run_try_page.py")
	@$(PROJECT_PYTHON) scripts/run_try_page.py $(PAGE)

clean-demo: ## Remove all that `make demo` and `make demo-page` left
	rm -rf build/demo build/demo-page

localstack-test: .venvs/dev/.installed ## Run the end-to-end tests on LocalStack (LOCALSTACK=docker or pip decides how it runs)
	@$(PROJECT_PYTHON) scripts/run_localstack.py test

localstack-up: .venvs/dev/.installed ## Start LocalStack and leave it running
	@$(PROJECT_PYTHON) scripts/run_localstack.py up

localstack-logs: .venvs/dev/.installed ## Follow the log of that LocalStack
	@$(PROJECT_PYTHON) scripts/run_localstack.py logs

localstack-down: .venvs/dev/.installed ## End that LocalStack
	@$(PROJECT_PYTHON) scripts/run_localstack.py down

aws-smoke-test: .venvs/dev/.installed ## Try the pipeline in the AWS account that the environment leads to (SMOKE="options of scripts/aws_smoke_test.py")
	@$(PROJECT_PYTHON) scripts/aws_smoke_test.py $(SMOKE)

check: setup ## Check style, types, layers, contracts, documents and safety
	@$(PROJECT_PYTHON) scripts/package_lambdas.py --local
	@$(PROJECT_PYTHON) scripts/checks.py check

test: setup ## Run all checks and tests, end to end on the embedded emulator
	@$(PROJECT_PYTHON) scripts/package_lambdas.py --local
	@$(PROJECT_PYTHON) scripts/checks.py test

fuzz: .venvs/fuzz/.installed ## Look for files that break the image core, guided by coverage (SECONDS=300)
	@mkdir -p build/fuzz
	@.venvs/fuzz/bin/python tests/product/hostile/fuzz.py build/fuzz -max_total_time=$(or $(SECONDS),300) -timeout=10 -artifact_prefix=build/fuzz/

benchmark: .venvs/benchmark/.installed ## Measure the image core beside sharp, pyvips and naive Pillow (BENCHMARK="options of python -m benchmarks")
	@.venvs/benchmark/bin/python -m benchmarks $(BENCHMARK)

format: setup ## Format Python and Terraform
	@.venvs/dev/bin/ruff format benchmarks cli lambdas localstack_adapter scripts tests
	@.venvs/dev/bin/ruff check --fix benchmarks cli lambdas localstack_adapter scripts tests
	@terraform fmt -recursive terraform

docs: setup ## Generate the pages that are made from code
	@$(PROJECT_PYTHON) scripts/document_events.py
	@$(PROJECT_PYTHON) scripts/document_api.py
	@$(PROJECT_PYTHON) scripts/document_modules.py
	@$(PROJECT_PYTHON) scripts/document_cost.py
	@$(PROJECT_PYTHON) scripts/document_security.py
	@$(PROJECT_PYTHON) scripts/seal_try_page.py
	@$(PROJECT_PYTHON) scripts/package_lambdas.py --local
	@$(PROJECT_PYTHON) scripts/document_architecture.py --write

site: .venvs/site/.installed ## Build the site of all documents into build/site, warnings as errors
	@.venvs/site/bin/python scripts/build_site.py

init: .venvs/dev/.installed ## Install Terraform's provider in terraform/, from a mirror where the registry is out of reach
	@$(PROJECT_PYTHON) scripts/run_terraform.py init

lock: .venvs/lock/.installed ## Resolve the requirements anew and write the lock files
	@for file in lambdas/*/requirements*.in requirements/*.in; do \
	  echo "locking $$file"; \
	  (cd "$$(dirname $$file)" && $(CURDIR)/.venvs/lock/bin/uv pip compile --quiet --universal --upgrade \
	    --python-version 3.11 --generate-hashes --no-header $$(sed -n 's/^# uv: //p' "$$(basename $$file)") "$$(basename $$file)" \
	    --output-file "$$(basename $$file .in).txt") || exit 1; \
	done

schemas: .venvs/dev/.installed ## Extract what the checks read of AWS's schemas (after `make lock`, and when the code uses a new type)
	@$(PROJECT_PYTHON) scripts/refresh_schemas.py

clean: ## Remove environments and everything built
	rm -rf .venvs build
