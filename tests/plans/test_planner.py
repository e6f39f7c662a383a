"""Test the search for mergers: what it may never propose, and that nothing is better."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plans.planner import by_windows, proposals, solve
from plans.planner_exact import exact
from plans.planner_parts import (
    SHIFTS,
    Aim,
    Candidate,
    Cluster,
    Link,
    Part,
    alone,
    as_one,
    clusters,
    total_cost,
)
from standards.terms import Disposition

FLOOR, LIFE = 500_000, 500  # 50 万吨/年 and 5 years: 250 万吨 of ore
ORE_NEEDED = 2_500_000


def mine(key: int, capacity: int, ore: int, **changes: object) -> Candidate:
    stands = capacity >= FLOOR and ore * 100 >= LIFE * capacity
    given = {"family": "quarry", "subject": key, "bodies": frozenset()} | changes
    return Candidate(
        key=key, capacity=capacity, ore=ore, floor=FLOOR, life=LIFE, stands=stands, **given
    )


@st.composite
def small_clusters(draw: st.DrawFn, most: int = 6) -> Cluster:
    count = draw(st.integers(1, most))
    mines = tuple(
        mine(
            key,
            draw(st.integers(50_000, 900_000)),
            draw(st.integers(100_000, 4_000_000)),
            subject=draw(st.integers(1, 3)),
            bodies=frozenset(draw(st.lists(st.sampled_from("abc"), max_size=1))),
        )
        for key in range(count)
    )
    pairs = [(one, other) for other in range(count) for one in range(other)]
    ties = {(draw(st.integers(0, other - 1)), other) for other in range(1, count)}
    ties |= set(draw(st.lists(st.sampled_from(pairs), max_size=4))) if pairs else set()
    links = tuple(Link(one, other, draw(st.integers(0, 3000))) for one, other in sorted(ties))
    return Cluster(mines, links)


def divisions(keys: list[int]) -> Iterator[list[list[int]]]:
    """Yield every division of the keys into groups."""
    if not keys:
        yield []
        return
    first, *rest = keys
    for division in divisions(rest):
        yield [[first], *division]
        for at in range(len(division)):
            yield [*division[:at], [first, *division[at]], *division[at + 1 :]]


def cheapest_of_all(cluster: Cluster, aim: Aim) -> int:
    """Return the least cost over every division that may be, one after the other."""
    costs = []
    for division in divisions([each.key for each in cluster.mines]):
        parts = [as_one(cluster, group) for group in division]
        if None not in parts:
            costs.append(total_cost([part for part in parts if part is not None], aim))
    return min(costs)


@settings(max_examples=60, deadline=None)
@given(small_clusters())
def test_no_division_is_better_than_the_exact_one(cluster: Cluster) -> None:
    for aim in Aim:
        found = solve(cluster, aim)
        assert total_cost(found, aim) == cheapest_of_all(cluster, aim)


@settings(max_examples=60, deadline=None)
@given(small_clusters(most=9), st.booleans())
def test_nothing_forbidden_is_proposed(cluster: Cluster, in_windows: bool) -> None:
    found = [each.parts for each in proposals(cluster)]
    if in_windows:
        found.append(by_windows(cluster, Aim.CURE, window=4))
    keys = sorted(each.key for each in cluster.mines)
    for parts in found:
        assert sorted(key for part in parts for key in part.members) == keys
        for part in parts:
            _assert_lawful(part, cluster)


def _assert_lawful(part: Part, cluster: Cluster) -> None:
    rows = [cluster.by_key[key] for key in part.members]
    ties = [
        link for link in cluster.links if link.one in part.members and link.other in part.members
    ]
    assert len(list(clusters(rows, ties))) == 1
    if part.kind in (Disposition.MERGE, Disposition.UPGRADE):
        assert part.scale >= FLOOR
        assert part.ore * 100 >= LIFE * part.scale
    assert part.ore == sum(row.ore for row in rows)
    assert len({row.family for row in rows}) == 1


def grid(count: int, wide: int = 5, turn: int = 0) -> Cluster:
    """Lay mines out in rows, each linked with all around it, with figures that vary."""
    rows = [
        mine(
            key,
            50_000 + (key * 37 + turn * 11) % 80 * 10_000,
            200_000 + (key * 53 + turn * 29) % 70 * 50_000,
            subject=key % 7,
        )
        for key in range(count)
    ]
    links = [
        Link(one, other, 1700 if one // wide == other // wide else 2200)
        for other in range(count)
        for one in range(other)
        if abs(one % wide - other % wide) <= 1 and abs(one // wide - other // wide) <= 1
    ]
    return Cluster(tuple(rows), tuple(links))


def test_windows_come_near_the_best_where_that_can_still_be_worked_out() -> None:
    """The same mines leave, share bodies and are raised; strangers and gaps are nearly as few."""
    same_first, same_all = 0, 0
    for count in (13, 14, 15):
        for turn in range(3):
            cluster = grid(count, turn=turn)
            best = total_cost(exact(cluster, Aim.CURE), Aim.CURE)
            found = total_cost(by_windows(cluster, Aim.CURE), Aim.CURE)
            weighty = SHIFTS[Aim.CURE]["adjusted"]
            same_first += found >> weighty == best >> weighty
            same_all += found == best
            assert found >= best
    assert (same_first, same_all) == (9, 6)


def test_in_haste_no_more_mines_have_to_leave_than_at_leisure() -> None:
    cluster = grid(40)
    hasty, leisurely = (
        sum(
            len(part.members)
            for part in solve(cluster, Aim.CURE, at_leisure=leisure)
            if part.kind is Disposition.EXIT
        )
        for leisure in (False, True)
    )
    assert (hasty, leisurely) == (0, 0)


def test_two_small_mines_are_merged_and_a_third_without_ore_joins_them() -> None:
    cluster = Cluster(
        (mine(1, 300_000, 1_500_000), mine(2, 250_000, 1_500_000), mine(3, 50_000, 100_000)),
        (Link(1, 2, 0), Link(2, 3, 2500)),
    )
    best = proposals(cluster)[0]
    assert best.aims == (Aim.CURE, Aim.REDUCE)
    (merger,) = best.parts
    assert merger.members == (1, 2, 3)
    assert (merger.capacity, merger.scale) == (600_000, 600_000)
    assert (merger.gap, merger.foreign) == (2500, 2)


def test_a_mine_that_stands_is_left_alone_unless_it_saves_another() -> None:
    strong, weak = mine(1, 600_000, 9_000_000), mine(3, 100_000, 100_000)
    fine = mine(2, 600_000, 9_000_000)
    parts = solve(Cluster((strong, fine, weak), (Link(1, 2, 0), Link(2, 3, 500))), Aim.CURE)
    assert sorted(part.members for part in parts) == [(1,), (2, 3)]


def test_mines_of_one_subject_are_merged_before_strangers() -> None:
    rows = (
        mine(1, 300_000, 2_000_000, subject=1),
        mine(2, 300_000, 2_000_000, subject=2),
        mine(3, 300_000, 2_000_000, subject=1),
    )
    parts = solve(Cluster(rows, (Link(1, 2, 0), Link(1, 3, 2900))), Aim.SUBJECT)
    assert sorted((part.kind.value, part.members) for part in parts) == [
        ("exit", (2,)),
        ("merge", (1, 3)),
    ]


def test_one_ore_body_is_not_left_to_two_rights() -> None:
    shared = frozenset({"Ⅰ"})
    rows = (
        mine(1, 600_000, 9_000_000, bodies=shared),
        mine(2, 600_000, 9_000_000, bodies=shared),
        mine(3, 600_000, 9_000_000),
    )
    parts = solve(Cluster(rows, (Link(1, 2, 3000), Link(2, 3, 0))), Aim.CURE)
    assert sorted(part.members for part in parts) == [(1, 2), (3,)]


@pytest.mark.parametrize(
    ("capacity", "ore", "kind", "scale"),
    [
        (600_000, 9_000_000, "keep", 600_000),
        (300_000, ORE_NEEDED, "upgrade", FLOOR),
        (900_000, 3_000_000, "upgrade", 600_000),
        (300_000, ORE_NEEDED - 1, "exit", 300_000),
    ],
)
def test_what_a_mine_can_do_by_itself(capacity: int, ore: int, kind: str, scale: int) -> None:
    part = alone(mine(1, capacity, ore))
    assert (part.kind.value, part.scale) == (kind, scale)


def test_mines_of_different_ores_do_not_hang_together() -> None:
    rows = (mine(1, 1, 1), mine(2, 1, 1, family="iron"))
    assert len(list(clusters(rows, (Link(1, 2, 0),)))) == 2
