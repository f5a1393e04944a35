"""A sampler for dimod's models: Ising, QUBO and polynomials, annealed by the differential equation of a network."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np

from ..values.errors import InputError, MissingExtra
from .dynamics import Dynamics
from .models import BinaryModel, IsingModel, Model
from .polynomial import PolynomialModel
from .presets import PRESETS, as_dynamics, default_preset
from .run import READOUTS, anneal

try:
    import dimod
except ImportError as error:
    raise MissingExtra(
        f"HopfieldSampler needs the package dimod ({error}); install it: pip install '.[optimise]'"
    ) from None

# What `sample` and `sample_poly` take, each with the properties that say what is allowed.
PARAMETERS: Mapping[str, list[str]] = MappingProxyType(
    {
        "num_reads": [],
        "seed": [],
        "dynamics": ["presets"],
        "t_stop": [],
        "readout": ["readouts"],
        "reanneal": [],
        "time_constant": [],
        "threads": [],
    }
)


class HopfieldSampler(dimod.Sampler, dimod.PolySampler):  # type: ignore[misc]  # they are untyped here
    """Samples of low energy from a network's differential equation, for models of dimod.

    A model of SPIN runs in a network of outputs between -1 and 1, one of BINARY in one between 0 and 1; neither is
    converted. `sample_ising`, `sample_qubo`, `sample_hising` and `sample_hubo` are those of dimod, over these two.

        sampler = HopfieldSampler()
        found = sampler.sample_qubo({("a", "a"): -1.0, ("a", "b"): 2.0}, num_reads=64, seed=1)
        found.first, found.record.hit_time, found.info["processor_time"]

    `parameters` and `properties` are as dimod defines them; the properties name the presets with the kinds of models
    that each is for.
    """

    @property
    def parameters(self) -> dict[str, Any]:
        return dict(PARAMETERS)

    @property
    def properties(self) -> dict[str, Any]:
        return {"presets": {name: list(each.kinds) for name, each in PRESETS.items()}, "readouts": list(READOUTS)}

    def sample(
        self,
        bqm: Any,
        *,
        num_reads: int = 64,
        seed: int | None = None,
        dynamics: Dynamics | str | None = None,
        t_stop: float | None = None,
        readout: str | None = None,
        reanneal: int = 1,
        time_constant: float = 1e-3,
        threads: int = 1,
    ) -> Any:
        """Return a dimod.SampleSet of a dimod.BinaryQuadraticModel, one sample a read.

        Vectors: `energy`, exact where the model's numbers are whole, and `hit_time`, seconds: when the network first
        had the state, in its own time. Info: `dynamics` (its representation), `duration` of a read in R C,
        `time_constant` (R C, seconds), `readout`, `reanneal`, `seed`, and `processor_time`, seconds, of all reads.

        `seed`: everything follows from it; by default one is drawn, and is in the info. `dynamics`: an object, the name
        of a preset, or by default the preset for this kind of model. `t_stop`: another duration of an anneal, R C.
        `readout`: "final" or "best"; by default final, and best with `reanneal` above 1: see `anneal`.

        Raises InputError for what `anneal` refuses, and for a dynamics that does not fit BINARY models.
        """
        started = time.process_time()
        quadratic = dimod.as_bqm(bqm)
        spin = quadratic.vartype is dimod.SPIN
        model: Model = (IsingModel if spin else BinaryModel).from_bqm(quadratic)
        return self._sampled(
            model,
            list(quadratic.variables),
            quadratic.vartype,
            started,
            num_reads=num_reads,
            seed=seed,
            dynamics=dynamics,
            t_stop=t_stop,
            readout=readout,
            reanneal=reanneal,
            time_constant=time_constant,
            threads=threads,
        )

    def sample_poly(self, polynomial: Any, **parameters: Any) -> Any:
        """Return a dimod.SampleSet of a dimod.BinaryPolynomial of any degree. Parameters: as those of `sample`."""
        for name in parameters:
            if name not in PARAMETERS:
                raise InputError(f"sample_poly: unknown parameter {name!r}; must be one of {', '.join(PARAMETERS)}")
        started = time.process_time()
        variables = list(polynomial.variables)
        return self._sampled(
            PolynomialModel.from_poly(polynomial), variables, polynomial.vartype, started, **parameters
        )

    def _sampled(
        self,
        model: Model,
        variables: Sequence[Any],
        vartype: Any,
        started: float,
        *,
        num_reads: int = 64,
        seed: int | None = None,
        dynamics: Dynamics | str | None = None,
        t_stop: float | None = None,
        readout: str | None = None,
        reanneal: int = 1,
        time_constant: float = 1e-3,
        threads: int = 1,
    ) -> Any:
        chosen = default_preset(model) if dynamics is None else as_dynamics(dynamics)
        if t_stop is not None:
            chosen = replace(chosen, t_stop=t_stop)
        number = secrets.randbits(62) if seed is None else seed
        result = anneal(
            model,
            chosen,
            reads=num_reads,
            seed=number,
            readout=readout if readout is not None else ("best" if reanneal > 1 else "final"),
            reanneal=reanneal,
            time_constant=time_constant,
            threads=threads,
        )
        info = {
            "dynamics": repr(chosen),
            "duration": result.duration,
            "time_constant": result.time_constant,
            "readout": result.readout,
            "reanneal": reanneal,
            "seed": number,
        }
        found = dimod.SampleSet.from_samples(
            (result.states, variables),
            vartype=vartype,
            energy=result.energies,
            info=info,
            num_occurrences=np.ones(len(result.states), np.int64),
            hit_time=result.hit_seconds,
        )
        found.info["processor_time"] = time.process_time() - started
        return found
