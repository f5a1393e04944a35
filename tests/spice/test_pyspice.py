"""PySpice: the same netlist, and the same waveforms in its shared library."""

from __future__ import annotations

import os
import subprocess
import sys
from ctypes.util import find_library

import pytest

from hopfield_hw.circuit import Circuit
from hopfield_hw.designs import load_design
from hopfield_hw.designs.export import design_circuit

# libngspice holds one circuit to a process, so this runs in one of its own.
SCRIPT = """
import numpy as np
import hopfield_hw as hh
from hopfield_hw.designs.export import design_circuit

design = hh.load_design("flip_flop")
circuit = design_circuit(design, "hopfield_tank")
simulator = circuit.to_pyspice().simulator(temperature=27, nominal_temperature=27)
simulator.options(reltol=1e-7, method="trap")
simulator.initial_condition(**circuit.initial)
found = simulator.transient(step_time=1e-6, max_time=1e-6, end_time=design.t_stop, use_initial_condition=True)
reference = hh.reference(design.graph(), t_stop=design.t_stop)
for probe in circuit.states:
    expected = np.interp(np.array(found.time), reference.time, reference.state.sel(neuron=probe.label))
    print(np.max(np.abs(np.array(found.nodes[probe.node]) - expected)))
"""


@pytest.fixture(scope="module")
def circuit() -> Circuit:
    return design_circuit(load_design("flip_flop"), "hopfield_tank")


def test_it_has_the_same_lines(circuit: Circuit) -> None:
    lines = str(circuit.to_pyspice()).splitlines()
    assert lines[0] == f".title {circuit.title}"
    assert sorted(line for line in lines[1:] if line) == sorted(
        line for line in circuit.netlist().splitlines() if not line.startswith("*")
    )


def test_it_runs_in_pyspices_shared_library() -> None:
    library = find_library("ngspice")
    if library is None:
        pytest.skip("libngspice is not installed: `make install` installs it, or says how")
    environment = {**os.environ, "NGSPICE_LIBRARY_PATH": library}
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    apart = [float(line) for line in done.stdout.split()]
    # Steps of 1 us, of which the transition takes 100: 2.5e-5 V was measured, of 1 V.
    assert len(apart) == 2
    assert max(apart) < 1e-4
