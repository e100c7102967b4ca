# Everything a person or a CI machine runs. `make help` lists it.

BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help setup compile demo test check check-python check-solidity check-slither check-gas \
	prove prove-self-test bench snapshot fmt lock clean distclean
# All targets share .venv and .build, so they run one after the other, also under `make -j`.
.NOTPARALLEL:

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

setup: ## install the locked toolchain into .venv and node_modules
	@tools/setup.sh

compile: setup ## compile the contracts
	@echo '[compile] what changed (all contracts take a minute or more)'
	@$(BIN)/ape compile

demo: compile ## run the depeg cascade on a local chain
	@$(BIN)/ape run scenario depeg-cascade

test: compile ## run all tests, deterministically
	@$(BIN)/ape test tests --hypothesis-profile=ci $(PYTEST_ARGS)

check: check-python check-solidity check-slither check-gas ## run every static check and compare gas
	@echo '[check] all passed'

check-python: setup ## ruff and mypy
	@echo '[check] ruff'
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@echo '[check] mypy'
	@$(BIN)/mypy

check-solidity: setup ## formatting, compiler warnings, contract sizes
	@echo '[check] forge fmt'
	@$(BIN)/forge fmt --check
	@$(BIN)/python tools/check_contracts.py

check-slither: check-solidity ## static analysis; exceptions are in slither-triage.json
	@$(BIN)/python tools/slither_gate.py

check-gas: compile ## compare measured gas with gas-snapshot.json
	@$(BIN)/ape run bench --only gas
	@$(BIN)/python tools/compare_gas.py

prove: setup ## prove the ledger's lemmas symbolically (minutes)
	@tools/proofs/setup.sh
	@$(BIN)/python tools/proofs/prove.py

prove-self-test: setup ## show that the proofs see planted bugs
	@tools/proofs/setup.sh
	@$(BIN)/python tools/proofs/prove.py --self-test

bench: compile ## measure gas and speed into reports/ (five minutes)
	@$(BIN)/ape run bench

snapshot: compile ## measure gas and write gas-snapshot.json
	@$(BIN)/ape run bench --only gas
	@$(BIN)/python tools/compare_gas.py --update

fmt: setup ## format Python and Solidity
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .
	@$(BIN)/forge fmt

lock: ## resolve the dependencies anew (needs network)
	@tools/lock.sh

clean: ## remove what was built
	rm -rf .build .check out cache reports contracts/.cache
	rm -rf .hypothesis .mypy_cache .ruff_cache .pytest_cache

distclean: clean ## remove what was built or installed (not .ape, which may hold keys)
	rm -rf .venv .venv-proofs node_modules .build-logs
