"""Diodes and transistors of vendors' models: the equations of SPICE at 27 degrees Celsius, with the charges.

D: Shockley, breakdown, series resistance. Q: Gummel and Poon. J: Shichman and Hodges. M: level 1, without the charge of
the channel. Sources: ngspice user's manual, chapters 7 to 11; P. Antognetti and G. Massobrio, Semiconductor Device
Modeling with SPICE (1988). Parameters that count at other temperatures, or for noise, are left out; any other one that
is not here is refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType

from ...functions.expressions import Argument, Choice, Expression, Number, call, exp, maximum, minimum
from ...values.errors import InputError
from ...values.physics import THERMAL
from .elements import Element, Formula, Linear
from .libraries import Scope, Words

# Beyond this current a junction goes on straight; models have hundreds of amperes in junctions that limit.
STRAIGHT = 1e6  # A
LEAST = 1e-15  # S, across junctions, so that nothing hangs on one alone that does not conduct
# Of other temperatures, of noise, or of layouts.
LEFT_OUT = frozenset(
    ("level", "tnom", "kf", "af", "eg", "xti", "xtb", "tbv1", "tbv2", "trs1", "trs2", "itf", "vtf", "xtf", "ptf")
)
# What counts beside a transit time alone.
OF_TRANSIT = ("xtf", "ptf")
# Parameters that say nothing from some value on.
SHUT: Mapping[str, float] = MappingProxyType({"irb": 1.0, "ikf": 1e3})
ALIASES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "d": {"cj0": "cjo", "pb": "vj", "ik": "ikf"},
        "q": {
            "va": "vaf",
            "vb": "var",
            "ik": "ikf",
            "c2": "ise",
            "pe": "vje",
            "me": "mje",
            "pc": "vjc",
            "mc": "mjc",
            "ccs": "cjs",
        },
        "j": {},
        "m": {"vt0": "vto"},
    }
)
INFINITE = math.inf
# By kind of device, what a model of it may say, and what it is where it does not.
DEFAULTS: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "d": {
            "is": 1e-14,
            "n": 1.0,
            "rs": 0.0,
            "cjo": 0.0,
            "vj": 1.0,
            "m": 0.5,
            "fc": 0.5,
            "tt": 0.0,
            "bv": INFINITE,
            "ibv": 1e-3,
            "nbv": 0.0,
        },
        "q": {
            "is": 1e-16,
            "bf": 100.0,
            "br": 1.0,
            "nf": 1.0,
            "nr": 1.0,
            "ise": 0.0,
            "ne": 1.5,
            "isc": 0.0,
            "nc": 2.0,
            "vaf": INFINITE,
            "var": INFINITE,
            "ikf": INFINITE,
            "ikr": INFINITE,
            "rb": 0.0,
            "rc": 0.0,
            "re": 0.0,
            "cje": 0.0,
            "vje": 0.75,
            "mje": 0.33,
            "cjc": 0.0,
            "vjc": 0.75,
            "mjc": 0.33,
            "xcjc": 1.0,
            "fc": 0.5,
            "tf": 0.0,
            "tr": 0.0,
        },
        "j": {
            "vto": -2.0,
            "beta": 1e-4,
            "lambda": 0.0,
            "rd": 0.0,
            "rs": 0.0,
            "cgs": 0.0,
            "cgd": 0.0,
            "pb": 1.0,
            "is": 1e-14,
            "fc": 0.5,
        },
        "m": {
            "vto": 0.0,
            "kp": 2e-5,
            "gamma": 0.0,
            "phi": 0.6,
            "lambda": 0.0,
            "rd": 0.0,
            "rs": 0.0,
            "is": 1e-14,
            "cbd": 0.0,
            "cbs": 0.0,
            "pb": 0.8,
            "mj": 0.5,
            "fc": 0.5,
            "cgso": 0.0,
            "cgdo": 0.0,
            "cgbo": 0.0,
            "ld": 0.0,
        },
    }
)
KINDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"d": ("d",), "q": ("npn", "pnp"), "j": ("njf", "pjf"), "m": ("nmos", "pmos")}
)
NODES: Mapping[str, int] = MappingProxyType({"d": 2, "q": 3, "j": 3, "m": 4})


def split_junction(name: str, words: Words, nodes: Sequence[str], scope: Scope) -> Iterator[Element]:
    """Yield the elements of a D, Q, J or M. `nodes`: what its words are, taken for nodes.

    Raises InputError for a model that is not there, or of another kind, and for a parameter that is not known here.
    """
    kind = words.name[0]
    count = NODES[kind]
    if kind == "q" and scope.model(words.plain[count]) is None:
        count += 1  # a substrate, which carries nothing without CJS
    model = scope.model(words.plain[count])
    if model is None:
        raise InputError(f"a model {words.plain[count]}")
    if model.kind not in KINDS[kind]:
        raise InputError(f"a model {model.kind.upper()}")
    given = {ALIASES[kind].get(key, key): value for key, value in model.numbers(scope).items()}
    if given.get("level", 1.0) != 1.0:
        raise InputError(f"LEVEL={given['level']:g}")
    values = dict(DEFAULTS[kind])
    for key, value in given.items():
        if key in values:
            values[key] = value
        elif key not in LEFT_OUT and value != 0.0 and not (key in SHUT and value >= SHUT[key]):
            raise InputError(f"{key.upper()} of a model {model.kind.upper()}")
    if values.get("tf", 0.0):
        for key in OF_TRANSIT:
            if given.get(key, 0.0) != 0.0:
                raise InputError(f"{key.upper()} of a model {model.kind.upper()}")
    rest = [scope.number(word) for word in words.plain[count + 1 :] if word.lower() != "off"]
    area = scope.number(words.keys.get("area", words.keys.get("m", "1"))) * (rest[0] if rest else 1.0)
    sizes = {key: scope.number(text) for key, text in words.keys.items() if key in ("l", "w")}
    sign = -1.0 if model.kind in ("pnp", "pjf", "pmos") else 1.0
    yield from JUNCTIONS[kind](name, tuple(nodes[:count]), values, sign, area, sizes)


def _series(name: str, node: str, ohms: float, what: str) -> Iterator[Element]:
    """Yield the resistance between a node and the inner one; `_inner` says which that is."""
    if ohms:
        inner = f"{name}.{what}"
        yield Linear(name, (node, inner), (node, inner), 1.0 / ohms)


def _inner(name: str, node: str, ohms: float, what: str) -> str:
    return f"{name}.{what}" if ohms else node


def _shockley(current: float, ratio: Expression) -> Expression:
    """Return I (exp(u) - 1), on along its tangent beyond a current that no signal has."""
    end = math.log(max(STRAIGHT / current, 2.0))
    return current * (exp(minimum(ratio, end)) * (1.0 + maximum(ratio - end, 0.0)) - 1.0)


def _depletion(farads: float, volts: Expression, potential: float, grading: float, forward: float) -> Expression:
    """Return the charge of a junction: C (1 - v / V)^-M up to FC V, and straight on from there."""
    end = forward * potential
    below, above = minimum(volts, end), maximum(volts - end, 0.0)
    left = 1.0 - below / potential
    power = call("sqrt", left) if grading == 0.5 else exp((1.0 - grading) * call("log", left))
    at_end = math.pow(1.0 - forward, -grading)
    slope = grading / potential * math.pow(1.0 - forward, -grading - 1.0)
    return farads * (potential / (1.0 - grading) * (1.0 - power) + at_end * above + 0.5 * slope * above * above)


def _diode(
    name: str, nodes: tuple[str, ...], p: Mapping[str, float], sign: float, area: float, sizes: Mapping[str, float]
) -> Iterator[Element]:
    yield from _series(name, nodes[0], p["rs"] / area, "a")
    ends = (_inner(name, nodes[0], p["rs"], "a"), nodes[1])
    volts = Argument(0) - Argument(1)
    current = _shockley(area * p["is"], volts / (p["n"] * THERMAL))
    yield Linear(name, ends, ends, LEAST)
    if p["bv"] < INFINITE:
        broken = (0.0 - volts - p["bv"]) / ((p["nbv"] or p["n"]) * THERMAL)
        size = area * p["ibv"]
        end = math.log(STRAIGHT / size)
        reverse = exp(minimum(broken, end)) * (1.0 + maximum(broken - end, 0.0))
        yield Formula(name, ends, ends, current - size * reverse, "current")
    else:
        yield Formula(name, ends, ends, current, "current")
    if p["cjo"]:
        charge = _depletion(area * p["cjo"], volts, p["vj"], p["m"], p["fc"])
        yield Formula(name, ends, ends, charge, "charge")
    if p["tt"]:
        yield Formula(name, ends, ends, p["tt"] * current, "charge")


def _bipolar(
    name: str, nodes: tuple[str, ...], p: Mapping[str, float], sign: float, area: float, sizes: Mapping[str, float]
) -> Iterator[Element]:
    outer = dict(zip("cbe", nodes, strict=False))
    for what, node in outer.items():
        yield from _series(name, node, p[f"r{what}"] / area, what)
    c, b, e = (_inner(name, outer[what], p[f"r{what}"], what) for what in "cbe")
    sensed = (b, e, c)
    forward, back = sign * (Argument(0) - Argument(1)), sign * (Argument(0) - Argument(2))
    of_e = _shockley(area * p["is"], forward / (p["nf"] * THERMAL))
    of_c = _shockley(area * p["is"], back / (p["nr"] * THERMAL))
    base = _charge_of_base(p, forward, back, of_e, of_c, area)
    flow = (of_e - of_c) if base is None else (of_e - of_c) / base
    yield Formula(name, (c, e), sensed, sign * flow, "current")
    into_e, into_c = of_e / p["bf"], of_c / p["br"]
    if p["ise"]:
        leak = p["ise"] * (p["is"] if p["ise"] > 1.0 else 1.0)
        into_e = into_e + _shockley(area * leak, forward / (p["ne"] * THERMAL))
    if p["isc"]:
        leak = p["isc"] * (p["is"] if p["isc"] > 1.0 else 1.0)
        into_c = into_c + _shockley(area * leak, back / (p["nc"] * THERMAL))
    for node, current in ((e, into_e), (c, into_c)):
        yield Linear(name, (b, node), (b, node), LEAST)
        yield Formula(name, (b, node), sensed, sign * current, "current")
    if p["cje"]:
        charge = _depletion(area * p["cje"], forward, p["vje"], p["mje"], p["fc"])
        yield Formula(name, (b, e), sensed, sign * charge, "charge")
    if p["cjc"]:
        for node, part in ((b, p["xcjc"]), (outer["b"], 1.0 - p["xcjc"])):
            if part:
                charge = _depletion(part * area * p["cjc"], back, p["vjc"], p["mjc"], p["fc"])
                yield Formula(name, (node, c), (node, e, c), sign * charge, "charge")
    if p["tf"]:
        moving = p["tf"] * (of_e if base is None else of_e / base)
        yield Formula(name, (b, e), sensed, sign * moving, "charge")
    if p["tr"]:
        yield Formula(name, (b, c), sensed, sign * (p["tr"] * of_c), "charge")


def _charge_of_base(
    p: Mapping[str, float], forward: Expression, back: Expression, of_e: Expression, of_c: Expression, area: float
) -> Expression | None:
    """Return the charge of the base, as a part of that at rest; None where it does not change."""
    early: Expression | None = None
    for volts, key in ((back, "vaf"), (forward, "var")):
        if 0.0 < p[key] < INFINITE:
            early = (Number(1.0) if early is None else early) - volts / p[key]
    injected: Expression | None = None
    for current, key in ((of_e, "ikf"), (of_c, "ikr")):
        if 0.0 < p[key] < INFINITE:
            term = current / (area * p[key])
            injected = term if injected is None else injected + term
    if injected is not None:
        high: Expression = 0.5 * (1.0 + call("sqrt", maximum(1.0 + 4.0 * injected, 0.0)))
        return high if early is None else high / early
    return None if early is None else 1.0 / early


def _field_effect(
    name: str, nodes: tuple[str, ...], p: Mapping[str, float], sign: float, area: float, sizes: Mapping[str, float]
) -> Iterator[Element]:
    gate = nodes[1]
    yield from _series(name, nodes[0], p["rd"] / area, "d")
    yield from _series(name, nodes[2], p["rs"] / area, "s")
    d, s = _inner(name, nodes[0], p["rd"], "d"), _inner(name, nodes[2], p["rs"], "s")
    of_s, of_d = sign * (Argument(0) - Argument(1)), sign * (Argument(0) - Argument(2))
    across = call("abs", of_s - of_d)
    over = maximum(maximum(of_s, of_d) - p["vto"], 0.0)
    part = minimum(across, over)
    size = area * p["beta"] * (1.0 + p["lambda"] * across) * part * (2.0 * over - part)
    yield Formula(name, (d, s), (gate, s, d), sign * (call("sign", of_s - of_d) * size), "current")
    for node, volts, farads in ((s, of_s, p["cgs"]), (d, of_d, p["cgd"])):
        current = _shockley(area * p["is"], volts / THERMAL)
        yield Linear(name, (gate, node), (gate, node), LEAST)
        yield Formula(name, (gate, node), (gate, s, d), sign * current, "current")
        if farads:
            charge = _depletion(area * farads, volts, p["pb"], 0.5, p["fc"])
            yield Formula(name, (gate, node), (gate, s, d), sign * charge, "charge")


def _mos(
    name: str, nodes: tuple[str, ...], p: Mapping[str, float], sign: float, area: float, sizes: Mapping[str, float]
) -> Iterator[Element]:
    gate, bulk = nodes[1], nodes[3]
    yield from _series(name, nodes[0], p["rd"], "d")
    yield from _series(name, nodes[2], p["rs"], "s")
    d, s = _inner(name, nodes[0], p["rd"], "d"), _inner(name, nodes[2], p["rs"], "s")
    length, width = sizes.get("l", 1e-4) - 2.0 * p["ld"], sizes.get("w", 1e-4)
    sensed = (gate, s, d, bulk)
    of_s, of_d = sign * (Argument(0) - Argument(1)), sign * (Argument(0) - Argument(2))
    bulk_s, bulk_d = sign * (Argument(3) - Argument(1)), sign * (Argument(3) - Argument(2))
    across = call("abs", of_s - of_d)
    threshold: Expression = Number(sign * p["vto"])
    if p["gamma"]:
        start, back = math.sqrt(p["phi"]), maximum(bulk_s, bulk_d)
        beyond = maximum(start - back / (2.0 * start), 0.0)
        root = Choice(back, Number(0.0), beyond, call("sqrt", maximum(p["phi"] - back, p["phi"])))
        threshold = threshold + p["gamma"] * (root - start)
    over = maximum(maximum(of_s, of_d) - threshold, 0.0)
    part = minimum(across, over)
    size = area * p["kp"] * width / length * (1.0 + p["lambda"] * across) * part * (over - 0.5 * part)
    yield Formula(name, (d, s), sensed, sign * (call("sign", of_s - of_d) * size), "current")
    for node, volts, farads in ((s, bulk_s, p["cbs"]), (d, bulk_d, p["cbd"])):
        yield Linear(name, (bulk, node), (bulk, node), LEAST)
        yield Formula(name, (bulk, node), sensed, sign * _shockley(area * p["is"], volts / THERMAL), "current")
        if farads:
            charge = _depletion(area * farads, volts, p["pb"], p["mj"], p["fc"])
            yield Formula(name, (bulk, node), sensed, sign * charge, "charge")
    for node, key, size_of in ((s, "cgso", width), (d, "cgdo", width), (bulk, "cgbo", length)):
        if p[key]:
            yield Linear(name, (gate, node), (gate, node), area * p[key] * size_of, is_rate=True)


Split = Callable[[str, "tuple[str, ...]", Mapping[str, float], float, float, Mapping[str, float]], Iterator[Element]]
JUNCTIONS: Mapping[str, Split] = MappingProxyType({"d": _diode, "q": _bipolar, "j": _field_effect, "m": _mos})
