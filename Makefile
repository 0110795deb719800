# Every target is one command of run.py, which needs Python 3.11 or newer and nothing else.
PYTHON ?= python3

.PHONY: check demo test lint unit faults bench lock clean

check:            ## what CI runs: every lane
	$(PYTHON) run.py test

demo:             ## a real Airflow runs a flow
	$(PYTHON) run.py demo

test: check

lint:             ## ruff and mypy --strict
	$(PYTHON) run.py test lint

unit:             ## the fast tests
	$(PYTHON) run.py test unit

faults:           ## 10,000 records while three of ten requests are spoilt
	$(PYTHON) run.py test faults

bench:            ## Flux beside its peers
	$(PYTHON) run.py bench

lock:             ## make constraints/ again from pyproject.toml
	$(PYTHON) run.py lock

clean:            ## remove the environments and every cache
	rm -rf .venv .venv-2.11 .venv-bench .venv*.lock .servers .flux-demo .reports .pytest_cache .mypy_cache .ruff_cache .hypothesis dist build
