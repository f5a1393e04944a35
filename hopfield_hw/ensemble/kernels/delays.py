"""Lossless lines: what enters one at one end comes out at the other a delay later.

At a port of a line of impedance Z the current is (v - e) / Z, where e, what comes out there, is what entered at the
other port a delay before: e(t) = w(t - delay) with w = 2 v - e there (F. H. Branin, Proc. IEEE 55:2012, 1967). So the
voltages e are given, as those of sources are. Each sample keeps w at its points, in pieces between corners: w is
interpolated in one piece by a cubic, and never across a corner. Steps are at most the shortest delay long.

What jumps where a piece begins, and what has a corner there, does so again a delay later, where another piece begins.
"""

from __future__ import annotations

from typing import Any, Final

from ..equations.layout import LANES
from .lanes import compiled

# Levels of pieces: a jump, and corners that fewer and fewer delays have smoothed; beyond the last one it is smooth.
JUMP, CORNER, LAST = 0, 1, 3
SLACK: Final = 1e-12  # of the time: two that are no further apart are one
VISIBLE: Final = 10.0  # tolerances: a jump
NODES: Final = 4  # of the interpolation


@compiled
def give_lines(g: Any, numbers: Any, s: Any, t: Any, v: Any) -> bool:
    """Write what comes out of the lines at the times of the lanes; return whether the past reaches far enough back."""
    first = g.n + g.wave_starts.shape[0] - 1
    for lane in range(LANES):
        if not s.active[lane]:
            continue
        known, begin, count = -1.0, 0, 0
        for p in range(g.ports.shape[0]):
            delay = numbers.delays[p // 2, lane]
            if delay != known:
                begin, count = _weigh(s, lane, t[lane], t[lane] - delay)
                known = delay
                if count < 0:
                    return False
            total = 0.0
            for j in range(count):
                total += s.shares[j] * s.history[(begin + j) % s.history.shape[0], p ^ 1, lane]
            v[first + p, lane] = total if count > 0 else float(p % 2) * numbers.before[p // 2, lane]
    return True


@compiled
def _weigh(s: Any, lane: int, now: float, t: float) -> Any:
    """Return which points of the past t lies between, and how many; write their weights. -1 of a past that is lost."""
    room, last = s.history.shape[0], s.written[lane] - 1
    early = t - SLACK * now
    if early <= 0.0:
        return 0, 0
    oldest = max(0, last + 1 - room)
    if s.history_times[oldest % room, lane] >= early:
        return 0, -1
    # The first point at t or behind it: what is at the time of a jump is what was before it.
    low, high = oldest, last
    while high - low > 1:
        middle = (low + high) // 2
        if s.history_times[middle % room, lane] >= early:
            high = middle
        else:
            low = middle
    piece = s.pieces[high % room, lane]
    begin, end = max(high - NODES // 2, oldest), min(high + NODES // 2 - 1, last)
    while s.pieces[begin % room, lane] != piece:
        begin += 1
    while s.pieces[end % room, lane] != piece:
        end -= 1
    if end - begin + 1 < NODES and begin > oldest and s.pieces[(begin - 1) % room, lane] == piece:
        begin -= 1
    if end - begin + 1 < NODES and end < last and s.pieces[(end + 1) % room, lane] == piece:
        end += 1
    for j in range(begin, end + 1):
        w = 1.0
        for m in range(begin, end + 1):
            if m != j:
                at = s.history_times[m % room, lane]
                w *= (t - at) / (s.history_times[j % room, lane] - at)
        s.shares[j - begin] = w
    return begin, end - begin + 1


@compiled
def begin_lines(g: Any, numbers: Any, s: Any, options: Any) -> None:
    """Write the past of the lines at t = 0, where a piece begins with what may be a jump."""
    for lane in range(LANES):
        s.longest[lane] = options.longest
        for line in range(numbers.delays.shape[0]):
            s.longest[lane] = min(s.longest[lane], numbers.delays[line, lane])
        if g.ports.shape[0] > 0:
            for p in range(g.ports.shape[0]):
                s.history[0, p, lane] = float(1 - p % 2) * numbers.before[p // 2, lane]
            s.written[lane] = 1
            _begin_piece(g, s, lane, True)


@compiled
def _begin_piece(g: Any, s: Any, lane: int, jumps: bool) -> None:
    """Begin a piece at the last point, with the values there as far as nothing jumps."""
    room = s.history.shape[0]
    last, to = (s.written[lane] - 1) % room, s.written[lane] % room
    for p in range(g.ports.shape[0]):
        s.history[to, p, lane] = s.history[last, p, lane]
    s.history_times[to, lane] = s.history_times[last, lane]
    s.pieces[to, lane] = s.pieces[last, lane] + 1
    s.written[lane] += 1
    s.jumps[lane] = jumps


@compiled
def remember(g: Any, numbers: Any, s: Any, options: Any) -> None:
    """Add what enters the lines at the points that were accepted; where it jumped, say when it comes out."""
    ports, room = g.ports.shape[0], s.history.shape[0]
    if ports == 0:
        return
    for lane in range(LANES):
        if not s.accepted[lane]:
            continue
        last, to = (s.written[lane] - 1) % room, s.written[lane] % room
        for p in range(ports):
            plus, minus, out = g.ports[p, 0], g.ports[p, 1], g.ports[p, 2]
            s.history[to, p, lane] = 2.0 * (s.v[plus, lane] - s.v[minus, lane]) - s.v[out, lane]
        s.history_times[to, lane] = s.t[lane]
        s.pieces[to, lane] = s.pieces[last, lane]
        s.written[lane] += 1
        if s.jumps[lane]:
            s.jumps[lane] = False
            for p in range(ports):
                before, after = s.history[last, p, lane], s.history[to, p, lane]
                s.history[last, p, lane] = after
                size = max(abs(before), abs(after))
                jumped = abs(after - before) > VISIBLE * (options.tolerance * size + options.nothing)
                comes = s.history_times[last, lane] + numbers.delays[p // 2, lane]
                _add_break(s, options, lane, comes, JUMP if jumped else CORNER + 1)


@compiled
def _add_break(s: Any, options: Any, lane: int, t: float, level: int) -> None:
    """Note that a piece begins at t; where there is no room, the control of errors has to see to it."""
    if t >= options.t_stop - options.first:
        return
    count = s.waiting[lane]
    at = count
    while at > 0 and s.pending[at - 1, lane] > t:
        at -= 1
    for near in (at - 1, at):
        if 0 <= near < count and abs(s.pending[near, lane] - t) <= options.first:
            s.levels[near, lane] = min(s.levels[near, lane], level)
            return
    if count == s.pending.shape[0]:
        return
    for k in range(count, at, -1):
        s.pending[k, lane] = s.pending[k - 1, lane]
        s.levels[k, lane] = s.levels[k - 1, lane]
    s.pending[at, lane], s.levels[at, lane] = t, level
    s.waiting[lane] = count + 1


@compiled
def next_break(g: Any, s: Any, options: Any, lane: int) -> Any:
    """Return when the next piece of a lane begins, or its run ends."""
    end = options.t_stop
    if s.next_break[lane] < g.breaks.shape[0]:
        end = g.breaks[s.next_break[lane]]
    if s.waiting[lane] > 0:
        end = min(end, s.pending[0, lane])
    return end


@compiled
def pass_breaks(g: Any, numbers: Any, s: Any, options: Any, lane: int) -> int:
    """Begin a piece where one begins at the time of a lane; return its level, or -1 for none."""
    t, level = s.t[lane], LAST + 1
    while s.next_break[lane] < g.breaks.shape[0] and g.breaks[s.next_break[lane]] <= t:
        s.next_break[lane] += 1
        level = CORNER
    passed = 0
    while passed < s.waiting[lane] and s.pending[passed, lane] <= t + options.first:
        level = min(level, s.levels[passed, lane])
        passed += 1
    if level > LAST:
        return -1
    for k in range(passed, s.waiting[lane]):
        s.pending[k - passed, lane] = s.pending[k, lane]
        s.levels[k - passed, lane] = s.levels[k, lane]
    s.waiting[lane] -= passed
    if g.ports.shape[0] > 0:
        _begin_piece(g, s, lane, level == JUMP)
        if JUMP < level < LAST:
            for line in range(numbers.delays.shape[0]):
                _add_break(s, options, lane, t + numbers.delays[line, lane], level + 1)
    return level
