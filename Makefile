# The commands of a fresh checkout. `make` alone lists them.
#
# .ci/bootstrap finds Python 3.13 or 3.11, makes .venv and installs what is missing; it does nothing when all is there.

PYTHON := .venv/bin/python
SPEC ?= scenes/quickstart.toml
OUT ?= datasets/quickstart
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo test lint format docs gallery clean setup setup-dev

help:  ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: setup  ## set up, build the quickstart dataset and say where its report is
	@$(PYTHON) run_pipeline.py build $(SPEC) --out $(OUT); status=$$?; \
	if [ -f $(OUT)/LATEST ]; then \
		echo "open in a browser: $(OUT)/builds/$$(cat $(OUT)/LATEST)/report/index.html"; \
	fi; \
	exit $$status

test: setup-dev  ## set up and run every test (ARGS="-k store" for some)
	$(PYTHON) -m pytest $(ARGS)

lint: setup-dev  ## ruff and mypy
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy

format: setup-dev  ## rewrite the code in the project's format
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

docs: setup-dev  ## write the generated pages and tables of docs/ anew
	$(PYTHON) -m pipeline.docs
	$(PYTHON) -m pipeline.dataset.contract docs/data-contract.md
	$(PYTHON) -m pipeline.spec.reference

gallery: setup  ## render docs/gallery.md: every metal, finish, process, film, defect, rig ... (ARGS="--only rigs")
	$(PYTHON) -m pipeline.gallery $(ARGS)

setup:  ## make .venv with what a build needs
	@.ci/bootstrap

setup-dev:  ## make .venv with the test tools too
	@.ci/bootstrap --extra dev

clean:  ## remove environments and caches; datasets stay
	rm -rf .venv .venv311 .cache .mypy_cache .ruff_cache .pytest_cache build dist
	find . -name __pycache__ -type d -not -path './datasets/*' -prune -exec rm -rf {} +
