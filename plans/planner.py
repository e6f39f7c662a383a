"""Search which mines of a cluster to merge, so that as few as possible miss the thresholds.

Plain Python over frozen rows; nothing here knows the registry, the rulebook or the ground. A merger
is proposed only when its mines hang together by links, dig ore of one family, and hold ore enough
for the least scale over the least service life (四(二)2). Whether to follow it, people decide.

Amounts are whole numbers: ten-thousandths of 万吨 or of 万吨/年, hundredths of a year, decimetres.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from random import Random

from standards.terms import Disposition, Term

# Clusters up to this size are searched through; a merger never has more members.
MOST_EXACT = 12
# Larger clusters are searched through window by window: smaller windows and fewer passes where
# many mines are searched at once.
SMALL_WINDOW = 8
PASSES, PASSES_AT_LEISURE, IDLE_PASSES = 2, 24, 4
FIELD = 40
"""Bits that each part of a cost takes, so that costs add up and compare like tuples."""


class Aim(Term):
    """What is weighed first; each aim gives one proposal."""

    CURE = "cure", "达标优先，少动矿山"
    REDUCE = "reduce", "应整尽整，减少矿山数"
    SUBJECT = "subject", "同一主体优先"


@dataclass(frozen=True, slots=True)
class Candidate:
    """Hold one mine as the search needs it.

    `family` names ores that may be merged under one least scale. `stands` says that the mine meets
    the thresholds as it is, or that people have to judge it. `subject` is shared by mines of
    one holder and of parents and wholly owned subsidiaries.
    """

    key: int
    family: str
    capacity: int
    ore: int
    floor: int
    life: int
    stands: bool
    subject: int
    bodies: frozenset[str] = frozenset()

    @property
    def ore_needed(self) -> int:
        """Return the ore that the least scale uses up over the least service life."""
        return -(-self.floor * self.life // 100)


@dataclass(frozen=True, slots=True)
class Link:
    """Say that two mines may be merged: near each other, or on one ore body.

    `distance` is decimetres; a link over an ore body alone counts its distance as the limit.
    """

    one: int
    other: int
    distance: int


@dataclass(frozen=True, slots=True)
class Part:
    """Hold what one proposal makes of some mines: a merger, or one mine by itself.

    `scale` is what the right shall raise a year; it differs from `capacity`, the sum of what its
    mines raise now, where capacity has to be raised or lowered to meet scale and life.
    """

    kind: Disposition
    members: tuple[int, ...]
    capacity: int
    scale: int
    ore: int
    gap: int
    foreign: int
    bodies: int

    @property
    def is_adjusted(self) -> bool:
        """Tell whether the yearly scale has to change (产能核增, or less)."""
        return self.kind is not Disposition.EXIT and self.scale != self.capacity


# What is weighed by each aim, the weightiest first.
WEIGHTS = {
    Aim.CURE: ("leaving", "bodies", "adjusted", "foreign", "gap", "merged", "right"),
    Aim.REDUCE: ("leaving", "bodies", "right", "adjusted", "foreign", "gap", "merged"),
    Aim.SUBJECT: ("foreign", "leaving", "bodies", "adjusted", "gap", "merged", "right"),
}
# By how many bits each weight is moved in a cost.
SHIFTS = {
    aim: {name: FIELD * at for at, name in enumerate(reversed(names))}
    for aim, names in WEIGHTS.items()
}


def cost(part: Part, aim: Aim) -> int:
    """Return what a part costs; costs of parts add up to the cost of a proposal."""
    shift = SHIFTS[aim]
    if part.kind is Disposition.EXIT:
        return len(part.members) << shift["leaving"]
    return (
        (part.bodies << shift["bodies"])
        + (int(part.is_adjusted) << shift["adjusted"])
        + (part.foreign << shift["foreign"])
        + (part.gap << shift["gap"])
        + ((len(part.members) << shift["merged"]) if part.kind is Disposition.MERGE else 0)
        + (1 << shift["right"])
    )


@dataclass(frozen=True)
class Cluster:
    """Hold mines that hang together, and their links; at least one mine."""

    mines: tuple[Candidate, ...]
    links: tuple[Link, ...]

    @cached_property
    def by_key(self) -> Mapping[int, Candidate]:
        """Return the mines by key."""
        return {mine.key: mine for mine in self.mines}

    @cached_property
    def around(self) -> Mapping[int, tuple[Link, ...]]:
        """Return the links of each mine."""
        found: dict[int, list[Link]] = {mine.key: [] for mine in self.mines}
        for link in self.links:
            found[link.one].append(link)
            found[link.other].append(link)
        return {key: tuple(links) for key, links in found.items()}

    def within(self, keys: Iterable[int]) -> "Cluster":
        """Return the cluster of these mines alone."""
        kept = set(keys)
        links = {
            link
            for key in kept
            for link in self.around[key]
            if link.one in kept and link.other in kept
        }
        mines = tuple(mine for mine in (self.by_key[key] for key in sorted(kept)))
        return Cluster(mines, tuple(sorted(links, key=_nearest)))


@dataclass(frozen=True, slots=True)
class Proposal:
    """Hold one way to treat a whole cluster, with the aims that it serves best."""

    parts: tuple[Part, ...]
    aims: tuple[Aim, ...]

    @property
    def mergers(self) -> tuple[Part, ...]:
        """Return the parts that merge mines."""
        return tuple(part for part in self.parts if part.kind is Disposition.MERGE)


def _nearest(link: Link) -> tuple[int, int, int]:
    return link.distance, link.one, link.other


def clusters(mines: Iterable[Candidate], links: Iterable[Link]) -> Iterator[Cluster]:
    """Yield the mines that hang together; links between different families tie nothing."""
    by_key = {mine.key: mine for mine in mines}
    root = {key: key for key in by_key}

    def find(key: int) -> int:
        while root[key] != key:
            root[key] = root[root[key]]
            key = root[key]
        return key

    kept = [
        link
        for link in links
        if link.one in by_key
        and link.other in by_key
        and by_key[link.one].family == by_key[link.other].family
    ]
    for link in kept:
        root[find(link.one)] = find(link.other)
    members: dict[int, list[Candidate]] = {}
    ties: dict[int, list[Link]] = {}
    for key in sorted(by_key):
        members.setdefault(find(key), []).append(by_key[key])
    for link in kept:
        ties.setdefault(find(link.one), []).append(link)
    for top, rows in members.items():
        yield Cluster(tuple(rows), tuple(sorted(ties.get(top, ()), key=_nearest)))


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


def total_cost(parts: Iterable[Part], aim: Aim) -> int:
    """Return what all parts cost together."""
    return sum(cost(part, aim) for part in parts)


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


# Small clusters ---------------------------------------------------------------------------------


def exact(cluster: Cluster, aim: Aim) -> tuple[Part, ...]:
    """Return the best treatment there is, as if every division had been looked at."""
    if aim is Aim.REDUCE and len(cluster.mines) <= MOST_EXACT:
        # Ore only grows with each mine: when all have enough together, one right is the least there
        # can be; when they have not, no merger of some of them has either.
        whole = as_one(cluster, [mine.key for mine in cluster.mines])
        return (whole,) if whole is not None else tuple(alone(mine) for mine in cluster.mines)
    return _cheapest(cluster, aim)


def _cheapest(cluster: Cluster, aim: Aim) -> tuple[Part, ...]:
    """Return the cheapest division of all mines into parts.

    A part from which one mine can be taken at no greater cost is left out; so few remain that every
    division of the mines into the rest can be compared.
    """
    search = _Masks(cluster, aim)
    count = len(cluster.mines)
    kept: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    for mask in search.prices:
        if not search.may_lose_one(mask):
            kept[(mask & -mask).bit_length() - 1].append((mask, search.price(mask)))
    values = {0: 0}

    def value(mask: int) -> int:
        least = values.get(mask)
        if least is None:
            for part, price in kept[(mask & -mask).bit_length() - 1]:
                if not part & ~mask:
                    whole = price + value(mask ^ part)
                    if least is None or whole < least:
                        least = whole
            assert least is not None  # noqa: S101  each mine may stand by itself
            values[mask] = least
        return least

    left, chosen = (1 << count) - 1, []
    while left:
        part = next(
            part
            for part, price in kept[(left & -left).bit_length() - 1]
            if not part & ~left and price + value(left ^ part) == value(left)
        )
        chosen.append(search.part(part))
        left ^= part
    return tuple(chosen)


class _Masks:
    """Hold every part that may be, by the mask of its mines, with its price but for the gap.

    The gap is worked out only where it decides.
    """

    def __init__(self, cluster: Cluster, aim: Aim) -> None:
        self.mines, self.aim = cluster.mines, aim
        place = {mine.key: at for at, mine in enumerate(self.mines)}
        self.ties = [
            (1 << place[link.one] | 1 << place[link.other], place[link.one], place[link.other],
             link.distance)
            for link in sorted(cluster.links, key=_nearest)
        ]  # fmt: skip
        self.gap_shift = SHIFTS[aim]["gap"]
        self.gaps: dict[int, int] = {}
        self.prices = {1 << at: cost(alone(mine), aim) for at, mine in enumerate(self.mines)}
        self._price_mergers()

    def _price_mergers(self) -> None:
        """Price every connected set that has ore enough; each is met once."""
        shift = SHIFTS[self.aim]
        bodies_at, adjusted = shift["bodies"], 1 << shift["adjusted"]
        foreign_at, merged, right = shift["foreign"], 1 << shift["merged"], 1 << shift["right"]
        first = self.mines[0]
        need, floor, life = first.ore_needed, first.floor, first.life
        subjects = _bits([{mine.subject} for mine in self.mines])
        bodies = _bits([mine.bodies for mine in self.mines])
        reach = [0] * len(self.mines)
        for _, one, other, _ in self.ties:
            reach[one] |= 1 << other
            reach[other] |= 1 << one
        stack = []
        for at, mine in enumerate(self.mines):
            closed = (1 << at + 1) - 1
            stack.append(
                (1 << at, reach[at] & ~closed, closed, mine.ore, mine.capacity, subjects[at],
                 bodies[at])
            )  # fmt: skip
        while stack:
            held, fringe, closed, ore, capacity, subject, body = stack.pop()
            while fringe:
                bit = fringe & -fringe
                at = bit.bit_length() - 1
                fringe ^= bit
                closed |= bit
                mine = self.mines[at]
                grown, more, sums = held | bit, ore + mine.ore, capacity + mine.capacity
                who, what = subject | subjects[at], body | bodies[at]
                size = grown.bit_count()
                if more >= need:
                    price = (what.bit_count() << bodies_at) + merged * size + right
                    price += who.bit_count() - 1 << foreign_at
                    if sums < floor or sums * life > more * 100:
                        price += adjusted
                    self.prices[grown] = price
                if size < MOST_EXACT:
                    further = (fringe | reach[at]) & ~closed
                    stack.append((grown, further, closed, more, sums, who, what))

    def price(self, mask: int) -> int:
        """Return the whole price of a part."""
        return self.prices[mask] + (self.gap(mask) << self.gap_shift)

    def gap(self, mask: int) -> int:
        """Return the gaps to be crossed inside a part."""
        if not mask & (mask - 1):
            return 0
        known = self.gaps.get(mask)
        if known is None:
            known = self.gaps[mask] = _span(mask, self.ties)
        return known

    def may_lose_one(self, mask: int) -> bool:
        """Tell whether a part costs no less than without one of its mines, beside that alone."""
        left = mask if mask & (mask - 1) else 0
        before_gap = self.gap_shift + FIELD
        head = self.prices[mask] >> before_gap
        while left:
            bit = left & -left
            left ^= bit
            rest = self.prices.get(mask ^ bit)
            if rest is None:
                continue
            without = (rest + self.prices[bit]) >> before_gap
            if without < head:
                return True
            if without == head and self.price(mask ^ bit) + self.prices[bit] <= self.price(mask):
                return True
        return False

    def part(self, mask: int) -> Part:
        """Return a part with all its figures."""
        members = [mine for at, mine in enumerate(self.mines) if mask >> at & 1]
        if len(members) == 1:
            return alone(members[0])
        return _merger(members, sum(mine.ore for mine in members), self.gap(mask))


def _bits(sets: Sequence[AbstractSet[int | str]]) -> list[int]:
    """Give each thing in the sets a bit, and return the sets as masks."""
    numbers: dict[int | str, int] = {}
    return [sum(1 << numbers.setdefault(each, len(numbers)) for each in things) for things in sets]


def _span(mask: int, ties: Sequence[tuple[int, int, int, int]]) -> int:
    """Return the sum of the gaps to be crossed when each mine is joined to the nearest."""
    group = list(range(mask.bit_length()))
    missing, total = mask.bit_count() - 1, 0
    for pair, one, other, distance in ties:
        if pair & ~mask:
            continue
        first, second = group[one], group[other]
        if first != second:
            total += distance
            missing -= 1
            if not missing:
                break
            group = [first if each == second else each for each in group]
    return total


def alone(mine: Candidate) -> Part:
    """Return what becomes of a mine by itself: it stays, is raised, or cannot be saved."""
    kind, scale = Disposition.KEEP, mine.capacity
    if not mine.stands:
        fits = mine.ore >= mine.ore_needed
        kind = Disposition.UPGRADE if fits else Disposition.EXIT
        scale = fitting_scale(mine, mine.capacity, mine.ore) if fits else mine.capacity
    return Part(
        kind, (mine.key,), mine.capacity, scale, mine.ore, gap=0, foreign=0,
        bodies=len(mine.bodies),
    )  # fmt: skip


def fitting_scale(mine: Candidate, capacity: int, ore: int) -> int:
    """Return the scale nearest to today's that meets both limits; there is one."""
    most = ore * 100 // mine.life if mine.life else capacity
    return max(mine.floor, min(capacity, most))


def _merger(members: Sequence[Candidate], ore: int, gap: int) -> Part:
    capacity = sum(mine.capacity for mine in members)
    return Part(
        Disposition.MERGE,
        tuple(mine.key for mine in members),
        capacity,
        fitting_scale(members[0], capacity, ore),
        ore,
        gap,
        foreign=len({mine.subject for mine in members}) - 1,
        bodies=len(frozenset().union(*(mine.bodies for mine in members))),
    )


# Large clusters ---------------------------------------------------------------------------------


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
    for keys in _chunks(cluster, size):
        _put(part_of, exact(cluster.within(keys), aim))
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


def as_one(cluster: Cluster, keys: Sequence[int]) -> Part | None:
    """Return the part that these mines make; None when they may not be merged."""
    inner = cluster.within(keys)
    if len(keys) == 1:
        return alone(inner.mines[0])
    ore = sum(mine.ore for mine in inner.mines)
    if ore < inner.mines[0].ore_needed or not _hangs_together(inner):
        return None
    place = {mine.key: at for at, mine in enumerate(inner.mines)}
    ties = [
        (1 << place[link.one] | 1 << place[link.other], place[link.one], place[link.other],
         link.distance)
        for link in inner.links
    ]  # fmt: skip
    return _merger(inner.mines, ore, _span((1 << len(inner.mines)) - 1, ties))


def _hangs_together(cluster: Cluster) -> bool:
    return len(list(clusters(cluster.mines, cluster.links))) == 1


def _put(part_of: dict[int, Part], parts: Iterable[Part]) -> None:
    for part in parts:
        part_of.update(dict.fromkeys(part.members, part))


def _chunks(cluster: Cluster, size: int) -> Iterator[list[int]]:
    """Divide a cluster into connected chunks of at most `size` mines, nearest first."""
    left = dict.fromkeys(mine.key for mine in cluster.mines)
    while left:
        start = next(iter(left))
        chunk, edge = [], [start]
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


def saved(cluster: Cluster, parts: Iterable[Part]) -> int:
    """Return how many mines that miss the thresholds today would be in a right that meets them."""
    failing = {mine.key for mine in cluster.mines if not mine.stands}
    staying = (part.members for part in parts if part.kind is not Disposition.EXIT)
    return sum(key in failing for key in chain.from_iterable(staying))
