# make install   .venv with the package and its command, and ngspice
# make demo      the main job, shown on a board of 15 neurons
# make test      style, types, tests
# make kicad     KiCad, netgen-lvs and Chromium, some 300 MB, for machines that run the tests unattended
# make verify-full, make bench   the long comparisons; the measurements (build/bench.json)
# make notebooks  run the notebooks and store them with their pictures
# make clean     remove what they wrote, but for .venv

PYTHON ?= python3
BIN := .venv/bin
LDCONFIG := /sbin/ldconfig

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHONUTF8 := 1

.DELETE_ON_ERROR:
.PHONY: install simulator hardware kicad demo test verify-full bench notebooks clean

install: .venv/.installed simulator

.venv/.installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "make: '$(PYTHON)' is missing or older than Python 3.11; name another: make PYTHON=python3.12 install" >&2; \
	    exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	    echo "make: '$(PYTHON)' cannot make virtual environments; on Debian: apt-get install python3-venv" >&2; \
	    exit 1; }
	@echo "Installing hopfield-hw into .venv"
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install -qq --editable '.[test]'
	@touch $@

# The ngspice program, and its shared library for those who use PySpice. Says nothing where both are there.
simulator:
	@$(call installed,ngspice libngspice0,ngspice simulates the circuits$(comma) libngspice0 serves PySpice)

# What the tests run on Verilog; tests are skipped, and say so, where it is missing.
hardware:
	@$(call installed,iverilog verilator yosys,the tests of Verilog need them)

# What the tests ask about boards' files; nobody needs it, and `make test` does not install it. Never fails.
kicad:
	@.ci/kicad

comma := ,
# $(call installed,packages,what for): install Debian packages that are missing, or say how; never fails.
define installed
missing=; as_root=; \
check() { \
    missing=; \
    for package in $(1); do \
        case $$package in \
            lib*) ! command -v $(LDCONFIG) >/dev/null || $(LDCONFIG) -p | grep -q "$${package%0}\." ;; \
            *) command -v $$package >/dev/null ;; \
        esac || missing="$$missing $$package"; \
    done; \
}; \
check; \
test -n "$$missing" || exit 0; \
if ! command -v apt-get >/dev/null; then how="(with your system's package manager)"; \
elif [ "$$(id -u)" = 0 ]; then as_root=env; \
elif sudo -n true 2>/dev/null; then as_root='sudo -n env'; \
else how="(sudo apt-get install$$missing)"; fi; \
if [ -n "$$as_root" ]; then \
    echo "Installing$$missing"; \
    how='(apt-get failed, see above)'; \
    $$as_root apt-get -qq update; \
    $$as_root DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install $$missing >/dev/null; \
    check; \
    test -n "$$missing" || exit 0; \
fi; \
echo "make: still missing:$$missing $$how; $(2)" >&2
endef

demo: install
	@$(BIN)/hopfield-hw demo

test: install hardware
	$(BIN)/ruff check .
	$(BIN)/mypy
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist worksteal

verify-full: install hardware
	$(BIN)/python tests/verify_fixed.py
	$(BIN)/python tests/verify_clocked.py
	$(BIN)/python tests/verify_tasks.py
	$(BIN)/python tests/verify_cellular.py
	$(BIN)/python tests/verify_networks.py
	$(BIN)/python tests/verify_faults.py
	$(BIN)/python tests/verify_dynamics.py
	$(BIN)/python tests/verify_annealing.py
	$(BIN)/python tests/verify_stability.py
	$(BIN)/python tests/verify_boards.py
	$(BIN)/python tests/verify_impossible_boards.py
	$(BIN)/python tests/verify_parts.py
	$(BIN)/python tests/verify_yield.py
	$(BIN)/python tests/verify_gradients.py
	$(BIN)/python tests/verify_ensemble.py
	$(BIN)/python tests/verify_extraction.py
	$(BIN)/python tests/verify_bringup.py
	$(BIN)/python tests/verify_kicad.py

bench: install
	$(BIN)/python tests/benchmarks/run.py

notebooks: install
	$(BIN)/python tests/refresh_notebooks.py

clean:
	rm -rf build dist runs *.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -path ./.venv -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +
