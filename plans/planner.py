"""Search which mines of a cluster to merge, so that as few as possible miss the thresholds.

Plain Python over frozen rows; nothing here knows the registry, the rulebook or the ground. A merger
is proposed only when its mines hang together by links, dig ore of one family, and hold ore enough
for the least scale over the least service life (四(二)2). Whether to follow it, people decide.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from random import Random

from plans.planner_exact import exact
from plans.planner_parts import (
    MOST_EXACT,
    Aim,
    Cluster,
    Part,
    Proposal,
    as_one,
    clusters,
    total_cost,
)

# Larger clusters are searched through window by window: smaller windows and fewer passes where
# many mines are searched at once.
SMALL_WINDOW = 8
PASSES, PASSES_AT_LEISURE, IDLE_PASSES = 2, 24, 4


def proposals(cluster: Cluster, *, at_leisure: bool = True) -> list[Proposal]:
    """Return the best proposal for each aim, equal ones once, the one that cures most first.

    `at_leisure` takes more time over clusters that are too large to be searched through.
    """
    found: dict[tuple[tuple[int, ...], ...], tuple[tuple[Part, ...], list[Aim]]] = {}
    for aim in Aim:
        parts = solve(cluster, aim, at_leisure=at_leisure)
        key = tuple(sorted(part.members for part in parts))
        found.setdefault(key, (parts, []))[1].append(aim)
    ranked = sorted(found.values(), key=lambda each: total_cost(each[0], Aim.CURE))
    return [Proposal(parts, tuple(aims)) for parts, aims in ranked]


def solve(cluster: Cluster, aim: Aim, *, at_leisure: bool = True) -> tuple[Part, ...]:
    """Return the best treatment found for an aim; the best there is up to MOST_EXACT mines."""
    if aim is Aim.SUBJECT:
        # Leaving all alone mixes no subjects, so that each subject's mines stand by themselves.
        subjects = {mine.key: mine.subject for mine in cluster.mines}
        inner = [link for link in cluster.links if subjects[link.one] == subjects[link.other]]
        each = clusters(cluster.mines, inner)
        return tuple(chain.from_iterable(_solve(part, aim, at_leisure) for part in each))
    return _solve(cluster, aim, at_leisure)


def _solve(cluster: Cluster, aim: Aim, at_leisure: bool) -> tuple[Part, ...]:
    if len(cluster.mines) <= MOST_EXACT:
        return exact(cluster, aim)
    return by_windows(cluster, aim, at_leisure=at_leisure)


def by_windows(
    cluster: Cluster, aim: Aim, *, window: int | None = None, at_leisure: bool = True
) -> tuple[Part, ...]:
    """Return a good treatment of a large cluster: search windows of neighbours, over and over.

    Each pass looks around every part, at as many neighbours as a window holds, in an order that
    differs from pass to pass, and keeps the best treatment of the window when it is cheaper. It
    ends when passes find nothing more. Same cluster, same answer.
    """
    size = window or (MOST_EXACT if at_leisure else SMALL_WINDOW)
    most, idle = (PASSES_AT_LEISURE, IDLE_PASSES) if at_leisure else (PASSES, 1)
    part_of: dict[int, Part] = {}
    for chunk in _chunks(cluster, size):
        _put(part_of, exact(cluster.within(chunk), aim))
    tried: set[frozenset[int]] = set()
    chance = Random(len(cluster.mines))  # noqa: S311  the order of a search, no secret
    without = 0
    for turn in range(most):
        better = False
        # In turn whole parts, which may be joined, and single mines, which may change sides.
        grown = _parts_around if turn % 2 == 0 else _mines_around
        for start in sorted({part.members[0] for part in part_of.values()}):
            keys = grown(cluster, part_of, start, size, chance)
            if len(keys) > 1 and keys not in tried:
                tried.add(keys)
                better |= _improve(cluster, part_of, keys, aim)
        without = 0 if better else without + 1
        if without >= idle:
            break
    return tuple({part.members: part for part in part_of.values()}.values())


def _improve(cluster: Cluster, part_of: dict[int, Part], keys: frozenset[int], aim: Aim) -> bool:
    """Treat the mines of a window best, and what is left of parts that it cuts as a part."""
    old = {part_of[key] for key in keys}
    rests = []
    for part in old:
        outside = [key for key in part.members if key not in keys]
        if outside:
            rest = as_one(cluster, outside)
            if rest is None:
                return False
            rests.append(rest)
    new = (*exact(cluster.within(keys), aim), *rests)
    if total_cost(new, aim) >= total_cost(old, aim):
        return False
    _put(part_of, new)
    return True


def _put(part_of: dict[int, Part], parts: Iterable[Part]) -> None:
    for part in parts:
        part_of.update(dict.fromkeys(part.members, part))


def _chunks(cluster: Cluster, size: int) -> Iterator[list[int]]:
    """Divide a cluster into connected chunks of at most `size` mines, nearest first."""
    left = dict.fromkeys(mine.key for mine in cluster.mines)
    while left:
        start = next(iter(left))
        chunk: list[int] = []
        edge = [start]
        del left[start]
        while edge and len(chunk) < size:
            key = edge.pop(0)
            chunk.append(key)
            for link in cluster.around[key]:
                near = link.other if link.one == key else link.one
                if near in left and len(chunk) + len(edge) < size:
                    del left[near]
                    edge.append(near)
        yield [*chunk, *edge]


def _parts_around(
    cluster: Cluster, part_of: Mapping[int, Part], start: int, size: int, chance: Random
) -> frozenset[int]:
    """Return the mines of a part and of parts around it, as many as the window holds."""
    keys = set(part_of[start].members)
    edge = sorted(keys)
    while edge:
        key = edge.pop(chance.randrange(len(edge)))
        for link in cluster.around[key]:
            near = part_of[link.other if link.one == key else link.one].members
            if near[0] not in keys and len(keys) + len(near) <= size:
                keys.update(near)
                edge.extend(near)
    return frozenset(keys)


def _mines_around(
    cluster: Cluster, part_of: Mapping[int, Part], start: int, size: int, chance: Random
) -> frozenset[int]:
    """Return a mine and mines around it, as many as the window holds, whatever their parts."""
    del part_of
    keys, edge = {start}, [start]
    while edge and len(keys) < size:
        key = edge.pop(chance.randrange(len(edge)))
        for link in cluster.around[key]:
            near = link.other if link.one == key else link.one
            if near not in keys and len(keys) < size:
                keys.add(near)
                edge.append(near)
    return frozenset(keys)
