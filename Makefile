# `make` lists the targets. On a new machine, run `make demo` or `make test`.

PYTHON ?= python3
PROJECT_PYTHON := .venvs/dev/bin/python
ENVIRONMENTS := .venvs/dev/.installed .venvs/ministack/.installed .venvs/checkov/.installed .venvs/parts/.installed .venvs/site/.installed

# As it was given: neither make nor a shell reads it again.
export DEMO_IMAGES = $(value IMAGES)

# The project's environments are complete. Another Python's settings break them.
unexport PYTHONHOME PYTHONPATH PYTHONSAFEPATH PYTHONWARNINGS

.DEFAULT_GOAL := help
.PHONY: help setup package demo try clean-demo test fuzz benchmark localstack-test localstack-up localstack-logs localstack-down aws-smoke-test check format docs site init lock schemas clean

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-22s %s\n", $$1, $$2 }'

setup: $(ENVIRONMENTS) ## Install the environments of tools and tests into .venvs/, and the command darkroom

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

demo: .venvs/dev/.installed .venvs/ministack/.installed ## See the pipeline work, on pictures of its own or IMAGES="a file or folder" (several: quoted as in a shell)
	@$(PROJECT_PYTHON) scripts/run_demo.py --images "$$DEMO_IMAGES"

try: .venvs/dev/.installed ## Open the try page on LocalStack (TRY="options of scripts/run_try_page.py")
	@$(PROJECT_PYTHON) scripts/run_try_page.py $(TRY)

clean-demo: ## Remove the results of `make demo` and `make try`
	rm -rf build/demo build/try
	@for folder in build/localstack/run-*; do [ -e "$$folder/process.json" ] || rm -rf "$$folder"; done # not of one that runs

localstack-test: .venvs/dev/.installed ## Run the end-to-end tests on LocalStack (LOCALSTACK=docker or pip decides how it runs)
	@$(PROJECT_PYTHON) scripts/run_localstack.py test

localstack-up: .venvs/dev/.installed ## Start LocalStack and leave it running
	@$(PROJECT_PYTHON) scripts/run_localstack.py up

localstack-logs: .venvs/dev/.installed ## Show and follow the log of that LocalStack
	@$(PROJECT_PYTHON) scripts/run_localstack.py logs

localstack-down: .venvs/dev/.installed ## Stop that LocalStack
	@$(PROJECT_PYTHON) scripts/run_localstack.py down

aws-smoke-test: .venvs/dev/.installed ## Test the pipeline in the AWS account of the environment's credentials (SMOKE="options of scripts/aws_smoke_test.py")
	@$(PROJECT_PYTHON) scripts/aws_smoke_test.py $(SMOKE)

check: setup ## Check style, types, layers, contracts, documents, English and security
	@$(PROJECT_PYTHON) scripts/checks.py check

test: setup ## Run all checks and tests, or a part of them (PART=e2e, terraform, product, tools or check)
	@$(PROJECT_PYTHON) scripts/package_lambdas.py --local
	@$(PROJECT_PYTHON) scripts/checks.py $(or $(PART),test)

fuzz: .venvs/fuzz/.installed ## Fuzz the image core, guided by coverage (SECONDS=300)
	@mkdir -p build/fuzz
	@.venvs/fuzz/bin/python tests/product/hostile/fuzz.py build/fuzz -max_total_time=$(or $(SECONDS),300) -timeout=10 -artifact_prefix=build/fuzz/

benchmark: .venvs/benchmark/.installed ## Measure the image core compared with sharp, pyvips and naive Pillow (BENCHMARK="options of python -m benchmarks")
	@.venvs/benchmark/bin/python -m benchmarks $(BENCHMARK)

format: setup ## Format Python and Terraform
	@.venvs/dev/bin/ruff format benchmarks cli lambdas localstack_adapter scripts tests
	@.venvs/dev/bin/ruff check --fix benchmarks cli lambdas localstack_adapter scripts tests
	@terraform fmt -recursive terraform

docs: setup ## Write the generated documents
	@$(PROJECT_PYTHON) scripts/generate_documents.py
	@$(PROJECT_PYTHON) scripts/document_architecture.py --write

site: .venvs/site/.installed ## Build the website of all documents into build/site, warnings as errors
	@.venvs/site/bin/python scripts/build_site.py

init: .venvs/dev/.installed ## Initialise terraform/, with the provider from a mirror if the registry is unreachable
	@$(PROJECT_PYTHON) scripts/run_terraform.py init

lock: .venvs/dev/.installed ## Resolve the requirements again and write the lock files
	@for file in lambdas/*/requirements*.in requirements/*.in; do \
	  echo "locking $$file"; \
	  (cd "$$(dirname $$file)" && $(CURDIR)/.venvs/dev/bin/uv pip compile --quiet --universal --upgrade \
	    --python-version 3.11 --generate-hashes --no-header $$(sed -n 's/^# uv: //p' "$$(basename $$file)") "$$(basename $$file)" \
	    --output-file "$$(basename $$file .in).txt") || exit 1; \
	done

schemas: .venvs/dev/.installed ## Extract the parts of AWS's schemas that the checks need (after `make lock`, or for a new type of resource)
	@$(PROJECT_PYTHON) scripts/refresh_schemas.py

clean: ## Remove environments and everything built
	rm -rf .venvs build .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
