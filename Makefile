# The two commands are `make demo` and `make test`; see docs/operations.md.
PYTHON ?= python3
export PORT ARGS
.PHONY: help demo test lint format bench lock clean

help:  ## say what there is
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile

demo:  ## install what is missing, start the portal, walk through it, keep serving (PORT=8000)
	@$(PYTHON) -m deploy.demo

test:  ## install what is missing, run linters, type checks and all tests (ARGS="…" for pytest alone)
	@$(PYTHON) -m deploy.test

lint:  ## all of `make test` but the tests
	@$(PYTHON) -m deploy.test lint

format:  ## lay out the code
	@.venv/bin/python -m ruff check --fix . ; .venv/bin/python -m ruff format .

bench:  ## measure what is held to a limit
	@$(PYTHON) -m deploy.bench

lock:  ## resolve requirements and browser libraries anew (needs uv)
	@$(PYTHON) -m deploy.lock

clean:  ## delete all that the commands have made here, the demo's data included
	@$(PYTHON) -m deploy.clean
