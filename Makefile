# The same targets on a laptop and in CI. PYTHON chooses the interpreter (3.11 or newer).
PYTHON ?= python3
OUTPUT ?= runs/quickstart
BIN := .venv/bin
# The marker is newer than the lock when the environment is as the lock says.
READY := .venv/ready

.PHONY: setup quickstart check test compile benchmark lock clean

setup: $(READY)

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed, this is " + sys.version.split()[0] + ": set PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	$(BIN)/python -m pip check
	@touch $(READY)

quickstart: setup
	$(BIN)/harmo run quickstart --output $(OUTPUT)

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

test: setup
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder --cov=components.rewards --cov=components.evaluation --cov-report=term --cov-fail-under=85

compile: setup
	$(BIN)/harmo compile quickstart --output pipelines/compiled/alignment.yaml
	$(BIN)/harmo compile qwen2_5_vl_3b --output pipelines/compiled/alignment_qwen2_5_vl_3b.yaml

benchmark: setup
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.benchmarks.verifier
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.benchmarks.verifier_fuzz
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.benchmarks.statistics
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.benchmarks.embedder
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.benchmarks.surrogate
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.benchmarks.pictures
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.benchmarks.typing
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.benchmarks.signatures
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.benchmarks.curation
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.benchmarks.training_step
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.benchmarks.evaluation
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.benchmarks.graders
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.benchmarks.report
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.benchmarks.quickstart

lock: setup
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --universal --python-version 3.11 --group dev pyproject.toml --generate-hashes --no-header --no-annotate --output-file requirements.lock

clean:
	rm -rf .venv build *.egg-info
