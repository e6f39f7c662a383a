"""Find the best treatment of a small cluster of mines, as if every division had been looked at."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from plans.planner_parts import (
    FIELD,
    MOST_EXACT,
    SHIFTS,
    Aim,
    Cluster,
    Part,
    alone,
    as_one,
    cost,
    merger,
    nearest,
    span,
)


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
            for link in sorted(cluster.links, key=nearest)
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
            known = self.gaps[mask] = span(mask, self.ties)
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
        return merger(members, sum(mine.ore for mine in members), self.gap(mask))


def _bits(sets: Sequence[AbstractSet[int | str]]) -> list[int]:
    """Give each thing in the sets a bit, and return the sets as masks."""
    numbers: dict[int | str, int] = {}
    return [sum(1 << numbers.setdefault(each, len(numbers)) for each in things) for things in sets]
