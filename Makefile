# Copyright 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
#
# One command per intent; `make` alone lists them. PYTHON chooses the interpreter that .venv is made with.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
PYTHON ?= python3
BIN := .venv/bin
# Beside a full ROS 2 the built interfaces lie in .venv, which its set-up file adds to the search paths.
ENTER = if [ -n "$${ROS_DISTRO:-}" ] && [ -f .venv/share/vidgen/local_setup.bash ]; then set +u; . .venv/share/vidgen/local_setup.bash; set -u; fi;
# Tests that start graphs need the machine for themselves; the others run side by side.
ALONE := test/node test/system
WORKERS ?= auto
# Two threads on two busy cores are slower than one.
export OMP_NUM_THREADS := 1

.PHONY: help setup demo test lint types unit fix validate bench interfaces-lock config readme clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' Makefile | sed -E 's/:[^#]*## /\t/' | expand -t 18

setup:  ## make .venv: packages, ROS 2, interfaces, the vidgen command (does nothing when all is there)
	@$(PYTHON) tools/setup_env.py

demo: setup  ## the whole graph on the simulated flight, 20 seconds
	@$(ENTER) $(BIN)/vidgen demo --seconds 20

test: lint types unit  ## everything that CI checks

lint: setup  ## style
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: setup  ## mypy --strict over everything but the nodes
	@$(BIN)/mypy

unit: setup  ## every test
	@$(ENTER) $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile $(ALONE:%=--ignore=%)
	@$(ENTER) $(BIN)/python -m pytest $(ALONE)

fix: setup  ## format, and repair what ruff can repair
	@$(BIN)/ruff check --fix --exit-zero .
	@$(BIN)/ruff format .

validate: setup  ## physics and solver against what is published; writes validation.json and docs/VALIDATION.md
	@$(BIN)/python tools/validate.py

bench: setup  ## measure what the performance table in the README says
	@$(ENTER) $(BIN)/vidgen bench goals
	@$(BIN)/python tools/readme_tables.py

interfaces-lock: setup  ## accept added messages and fields into msg/fields.lock
	@$(BIN)/python tools/interfaces_lock.py

config: setup  ## write config/vidgen.yaml from vidgen_nodes/params/
	@$(BIN)/python tools/default_config.py

readme: setup  ## write the generated tables of README.md (parameters, figures of the last `make bench`)
	@$(BIN)/python tools/readme_tables.py

clean:  ## remove everything that the other targets made
	@rm -rf .venv build install log vidgen_out .pytest_cache .mypy_cache .ruff_cache .hypothesis vidgen_nodes.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
