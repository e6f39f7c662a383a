"""Name what the planner searches and proposes: mines, links, clusters, and parts with their cost.

Amounts are whole numbers: ten-thousandths of 万吨 or of 万吨/年, hundredths of a year, decimetres.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

from standards.terms import Disposition, Term

# Clusters up to this size are searched through; a merger never has more members.
MOST_EXACT = 12
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


def total_cost(parts: Iterable[Part], aim: Aim) -> int:
    """Return what all parts cost together."""
    return sum(cost(part, aim) for part in parts)


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
        return Cluster(mines, tuple(sorted(links, key=nearest)))


@dataclass(frozen=True, slots=True)
class Proposal:
    """Hold one way to treat a whole cluster, with the aims that it serves best."""

    parts: tuple[Part, ...]
    aims: tuple[Aim, ...]

    @property
    def mergers(self) -> tuple[Part, ...]:
        """Return the parts that merge mines."""
        return tuple(part for part in self.parts if part.kind is Disposition.MERGE)


def nearest(link: Link) -> tuple[int, int, int]:
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
        yield Cluster(tuple(rows), tuple(sorted(ties.get(top, ()), key=nearest)))


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


def merger(members: Sequence[Candidate], ore: int, gap: int) -> Part:
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
    return merger(inner.mines, ore, span((1 << len(inner.mines)) - 1, ties))


def _hangs_together(cluster: Cluster) -> bool:
    return len(list(clusters(cluster.mines, cluster.links))) == 1


def span(mask: int, ties: Sequence[tuple[int, int, int, int]]) -> int:
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


def saved(cluster: Cluster, parts: Iterable[Part]) -> int:
    """Return how many mines that miss the thresholds today would be in a right that meets them."""
    failing = {mine.key for mine in cluster.mines if not mine.stands}
    staying = (part.members for part in parts if part.kind is not Disposition.EXIT)
    return sum(key in failing for key in chain.from_iterable(staying))
