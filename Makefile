# `make help` lists the targets. Each does the set-up it needs; a second time that is instant.

SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON := .venv/bin/python
BOOTSTRAP := $(shell for p in python3 python3.11 python3.12; do $$p -c '' 2>/dev/null && echo $$p && break; done)
TEST_ARGS ?= -n logical --maxprocesses 8 --dist worksteal

export NO_ALBUMENTATIONS_UPDATE := 1
unexport PYTHONPATH PYTHONHOME

.PHONY: help setup demo test lint bench clean

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

setup:  ## make .venv: pinned packages, mmcv with compiled operators, mmmammo (once)
	@if [ -z "$(BOOTSTRAP)" ]; then \
	    echo 'setup stopped: no python3 runs on this machine' >&2; \
	    echo '  remedy: install Python 3.11 or 3.12 with its venv and header files, then run make again' >&2; exit 1; \
	fi
	@$(BOOTSTRAP) tools/setup_env.py

demo: setup  ## train and test AG-RCNN and Mask R-CNN on a small synthetic set, and write a report
	@$(PYTHON) tools/demo.py

test: setup  ## run the tests; TEST_ARGS='-x tests/test_io' for some of them
	OMP_NUM_THREADS=1 $(PYTHON) -m pytest $(TEST_ARGS)

lint: setup  ## check style and types
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy

bench: setup  ## run every benchmark and print its table
	@for script in benchmarks/*.py; do echo "== $$script"; $(PYTHON) $$script || exit 1; done

clean:  ## remove generated files; .venv, work_dirs and compiled wheels stay
	rm -rf demo_out build dist .pytest_cache .mypy_cache .ruff_cache .setup/tmp
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
