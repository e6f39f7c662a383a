"""Turn the registry and the rulebook into what the planner searches: mines, limits and links."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise

from mines.facts import mine_facts
from mines.mine_chunks import mine_chunks
from mines.models import Holder, Mine
from plans.planner_pairs import ASKED_AT_ONCE, near_pairs
from plans.planner_parts import Candidate, Link
from standards.facts import MineFacts
from standards.figures import recoverable_ore, service_life, yearly_scale
from standards.rulebook import InForce
from standards.rules import Case
from standards.scale import OTHER, floor_key, governing_rule
from standards.service_life import standing
from standards.terms import MineState, Verdict

# Whole numbers stand for ten-thousandths of 万吨 and hundredths of a year.
PER_WAN_T = Decimal(10_000)
PER_YEAR = Decimal(100)
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Unsearched:
    """Name a mine that cannot be planned for, and what is missing."""

    key: int
    county_code: str
    reason: str


@dataclass(slots=True)
class Ground:
    """Hold all that one run searches; `county_of` knows the county of each mine by key."""

    candidates: dict[int, Candidate] = field(default_factory=dict)
    links: list[Link] = field(default_factory=list)
    unsearched: list[Unsearched] = field(default_factory=list)
    county_of: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Limits:
    """Hold what the rulebook says of merging, for one day."""

    book: InForce
    life: Decimal | None
    near_m: Decimal | None

    @classmethod
    def of(cls, book: InForce) -> "Limits":
        """Read the limits; the nearer of the two distances of 三(七) and 四(二)4 holds."""
        distances = [book.number("layout.adjacent_m"), book.number("gap.max_m")]
        known = [distance for distance in distances if distance is not None]
        return cls(book, book.number("life.min_years"), min(known) if known else None)


def gather(book: InForce, *, county_code: str | None, total: int, progress: Progress) -> Ground:
    """Read the mines of a county, or of all, and how they lie to each other."""
    limits = Limits.of(book)
    ground = Ground()
    subjects = _subjects(limits)
    minerals: dict[str, str] = {}
    bodies: dict[tuple[str, str], list[int]] = {}
    done = 0
    for chunk in mine_chunks(county_code=county_code):
        for mine in chunk:
            _take(mine, ground, limits, subjects)
            known = ground.candidates.get(mine.pk)
            if known is not None:
                minerals[mine.mineral_id] = known.family.split()[0]
                for body in known.bodies:
                    bodies.setdefault((mine.county_id, body), []).append(mine.pk)
        done += len(chunk)
        progress(done, total, "正在读取台账")
    _link_near(ground, limits, minerals, progress)
    _link_bodies(ground, bodies, limits)
    return ground


def _take(mine: Mine, ground: Ground, limits: Limits, subjects: Mapping[int, int]) -> None:
    facts = mine_facts(mine)
    if facts.state is MineState.CLOSED or (facts.mineral is not None and facts.mineral.is_coal):
        return
    ground.county_of[mine.pk] = mine.county_id
    read = candidate(mine.pk, facts, limits, subject=subjects.get(mine.holder_id, mine.holder_id))
    if isinstance(read, str):
        ground.unsearched.append(Unsearched(mine.pk, mine.county_id, read))
    else:
        ground.candidates[mine.pk] = read


def candidate(key: int, facts: MineFacts, limits: Limits, *, subject: int) -> Candidate | str:
    """Return a mine as the search needs it, or what has to be known or ruled first."""
    case = Case(limits.book)
    mineral = facts.mineral
    if mineral is None:
        return "缺少开采矿种"
    if mineral.minimum_unclear and governing_rule(facts) != OTHER and not facts.is_quarry:
        return "适用哪一条最低规模待认定"
    key_of_floor = floor_key(facts)
    entry = limits.book.find(key_of_floor)
    floor = entry.usable if entry is not None else None
    capacity = yearly_scale(facts)
    ore = _ore(facts, capacity)
    missing = [
        name
        for name, given in (
            (f"{mineral.name}的最低生产规模（标准库）", floor),
            ("最低服务年限（标准库）", limits.life),
            ("生产规模（万立方米的还需体重）", capacity),
            ("可采储量或服务年限", ore),
        )
        if given is None
    ]
    if missing or capacity is None or ore is None or limits.life is None:
        return "缺少" + "、".join(missing)
    assert isinstance(floor, Decimal)  # noqa: S101  a least scale is a number
    return Candidate(
        key=key,
        family=f"{kin(facts)} {key_of_floor}",
        capacity=int(capacity * PER_WAN_T),
        ore=int(ore * PER_WAN_T),
        floor=int(floor * PER_WAN_T),
        life=int(limits.life * PER_YEAR),
        stands=standing(facts, case) in (Verdict.PASS, Verdict.REVIEW),
        subject=subject,
        bodies=frozenset(facts.ore_body_ids),
    )


def kin(facts: MineFacts) -> str:
    """Name the ores that may be mined as one with a mine's ore.

    They stand on one line of 四(二)2; ordinary sand and stone keep to themselves.
    """
    mineral = facts.mineral
    if mineral is None:
        return ""
    return f"{mineral.minimum_key or mineral.code}-{int(mineral.is_ordinary_sand_stone)}"


def _ore(facts: MineFacts, capacity: Decimal | None) -> Decimal | None:
    """Return recoverable ore in 万吨: as stated, or what the stated life and scale use up."""
    ore = recoverable_ore(facts)
    if ore is None and capacity is not None:
        life = service_life(facts)
        ore = None if life is None else life * capacity
    return ore


def _subjects(limits: Limits) -> dict[int, int]:
    """Return for each holder that is wholly owned the holder at the head of its chain."""
    full = limits.book.number("ownership.full_percent")
    if full is None:
        return {}
    owned = dict(
        Holder.objects.filter(parent__isnull=False, parent_share__gte=full / 100)
        .order_by("pk")
        .values_list("pk", "parent_id")
    )
    heads = {}
    for holder in owned:
        head, seen = holder, {holder}
        while owned.get(head) is not None and owned[head] not in seen:
            head = owned[head]
            seen.add(head)
        heads[holder] = head
    return heads


# Links --------------------------------------------------------------------------------------------


def _link_near(
    ground: Ground, limits: Limits, minerals: Mapping[str, str], progress: Progress
) -> None:
    if limits.near_m is None:
        return
    keys = sorted(ground.candidates)
    known = ground.candidates
    for start in range(0, len(keys), ASKED_AT_ONCE):
        asked = keys[start : start + ASKED_AT_ONCE]
        for one, other, distance in near_pairs(asked, minerals, within_m=limits.near_m):
            if other in known and known[one].family == known[other].family:
                ground.links.append(Link(one, other, distance))
        progress(min(start + ASKED_AT_ONCE, len(keys)), len(keys), "正在量算矿山之间的距离")


def _link_bodies(
    ground: Ground, bodies: Mapping[tuple[str, str], list[int]], limits: Limits
) -> None:
    """Tie the mines of one ore body that no distance ties: far away, or without an outline."""
    tied = {(link.one, link.other) for link in ground.links}
    far = int((limits.near_m or 0) * 10)
    for one, other in _pairs(bodies.values()):
        if (one, other) not in tied:
            tied.add((one, other))
            if ground.candidates[one].family == ground.candidates[other].family:
                ground.links.append(Link(one, other, far))


def _pairs(groups: Iterable[list[int]]) -> Iterator[tuple[int, int]]:
    """Yield each mine of a group with the next one."""
    for group in groups:
        ordered = sorted(group)
        yield from pairwise(ordered)
