# Hito. `make help` lists the targets; the work is done by the scripts in .make/.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory --no-builtin-rules

# Options for the program that a target starts: make serve ARGS="--port 7443"
ARGS ?=

.PHONY: help
help: ## Lists the targets
	@printf 'usage: make TARGET [ARGS="..."]\n\n'
	@grep -hE '^[a-z][a-z-]*:.*## ' $(MAKEFILE_LIST) \
	  | awk -F ':.*## ' '{ printf "  %-16s %s\n", $$1, $$2 }'
	@printf '\n`make serve` and `make test` do all the set-up by themselves.\n'

.PHONY: setup
setup: ## Installs what Hito needs; does nothing when all is there
	@.make/setup.sh

.PHONY: build
build: setup ## Builds the optimized server, .build/release/hito, and the launcher of its sandbox beside it
	@.make/build.sh release --product hito
	@.make/build.sh release --product hito-sandbox

.PHONY: serve
serve: build ## Runs the server with its own database (ARGS: options of `hito serve`)
	@exec .make/serve.sh $(ARGS)

.PHONY: test
test: setup ## Builds and runs every test
	@.make/test.sh

.PHONY: check
check: setup ## Formatting, layers, figures of the docs, generated code, warnings, TLS scan
	@.make/check.sh

.PHONY: format
format: ## Formats the Swift code in place
	@.make/format.sh

.PHONY: clean
clean: ## Removes what builds and set-up made in this folder (never data or shared components)
	@rm -rf .build .build-bench .build-clients .build-fuzz .build-peers .venv .pytest_cache clients/python/*.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

include .make/bench-build.mk

# Targets of parts that come with a folder of their own: present when the part is.
ifneq ($(wildcard .make/generate.sh),)
include .make/generate.mk
endif
ifneq ($(wildcard Tests/Demo/demo.py),)
include .make/demo.mk
endif
ifneq ($(wildcard Tests/Benchmarks/RPCBench/RPCBench.swift),)
include .make/bench.mk
endif
ifneq ($(wildcard Tests/EndToEnd/history_soak.py),)
include .make/soak.mk
endif
ifneq ($(wildcard Tests/Evaluation/evaluate.py),)
include .make/eval.mk
endif
ifneq ($(wildcard Tests/Conformance/runner.py),)
include .make/conformance.mk
endif
ifneq ($(wildcard clients/*/test.sh),)
include .make/clients.mk
endif
ifneq ($(wildcard Tests/Fuzz/corpus),)
include .make/fuzz.mk
endif
ifneq ($(wildcard Tests/Exercism/ExercismCheck.swift),)
include .make/exercism.mk
endif
