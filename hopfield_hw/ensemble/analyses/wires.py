"""Lines at rest and in small signals: what comes out of each end is an unknown, with an equation of its own.

At a port p with the other port q of the line comes out e_p(t) = w_q(t - delay), w_q = 2 v_q - e_q (see
`kernels.delays`): at rest e_p = w_q, and of small signals exp(-j w delay) times as much.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.sparse import csr_array, vstack

from ..equations.system import Matrix, System


def join_lines(system: System) -> System:
    """Return a system whose lines let all through at once: what comes out of them are unknowns, behind the others.

    Their rows are the last ones, in the order of `ports`.
    """
    outs = system.ports[:, 2]
    if not outs.size:
        return system
    n, every, count = system.unknowns, len(system.nodes), len(outs)
    given = np.setdiff1d(np.arange(n, every), outs)
    order = np.concatenate([np.arange(n), outs, given])
    place = np.empty(every, dtype=np.int32)
    place[order] = np.arange(every, dtype=np.int32)
    ports = system.ports.copy()
    ports[:] = place[system.ports]
    entries = []
    for p, (_, _, out) in enumerate(ports.tolist()):
        plus, minus, other = ports[p ^ 1].tolist()
        entries += [(n + p, out, 1.0), (n + p, other, 1.0), (n + p, plus, -2.0), (n + p, minus, 2.0)]
    rows, columns, values = zip(*entries, strict=True)
    coupling = vstack([system.coupling[:, order], csr_array((count, every))], format="csr")
    return replace(
        system,
        nodes=tuple(system.nodes[k] for k in order.tolist()),
        unknowns=n + count,
        start=np.concatenate([system.start, np.zeros((count, system.samples))]),
        linear=Matrix(
            np.concatenate([system.linear.rows, np.array(rows, dtype=np.int32)]),
            np.concatenate([place[system.linear.columns], np.array(columns, dtype=np.int32)]),
            np.concatenate([system.linear.values, np.tile(np.array(values)[:, np.newaxis], system.samples)]),
        ),
        rates=system.rates._replace(columns=place[system.rates.columns]),
        coupling=coupling,
        groups=tuple(group._replace(nodes=place[group.nodes]) for group in system.groups),
        ports=ports,
        laws=system.laws[order],
    )
