"""Make of proposed mergers the areas that a plan would hold, and ask the standards about them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from mines.boundaries import Gap
from mines.facts import mine_facts, right_facts
from mines.models import Mine
from plans.area_facts import AreaBasis, area_facts
from plans.models import MergedArea
from plans.planner_facts import Limits
from plans.planner_outlines import Drawn, area_km2, draw
from plans.planner_rows import PartRow
from plans.survey import survey
from standards import facts
from standards.figures import at_least_medium, production_grade, reserve_grade
from standards.findings import Finding
from standards.rulebook import Rulebook
from standards.rules import RULES, SEVERITY, Scope, worst
from standards.run import check
from standards.terms import Disposition, ExtraResource, GrantWay, ScaleUnit, Verdict

GAP_OF_ONE_SUBJECT = "四（二）4：同一主体相邻中型以上矿山之间距离300米左右的夹缝资源"
GAP_OF_A_MERGER = "三（六）：参与整合的相邻矿山之间躲不开、绕不过的夹缝资源，须经专家认定"
ASKED = frozenset({Scope.AREA, Scope.EXTRA, Scope.MINE})
# These ask about a plan's wording, which a proposal has not got.
WORDING = frozenset({"S-A03"})


@dataclass(frozen=True, slots=True)
class GapPiece:
    """Name ground between two mines that a merger takes in, and the clause that may let it in."""

    sides: str
    distance_m: Decimal
    clause: str


@dataclass(frozen=True, slots=True)
class Change:
    """Set what a rule says of the mines today beside what it would say of the merger."""

    rule: str
    title: str
    clause: str
    before: Verdict
    after: Verdict
    message: str
    would_pass: str


@dataclass(frozen=True, slots=True)
class Advice:
    """Hold one proposed merger: the area it would be, and what it changes."""

    code: str
    part: PartRow
    mines: tuple[Mine, ...]
    area: MergedArea
    gaps: tuple[GapPiece, ...]
    cured: tuple[Change, ...]
    broken: tuple[Change, ...]
    remaining: tuple[Change, ...]
    to_judge: tuple[Change, ...]
    unknown: tuple[Change, ...]


def advise(
    parts: Sequence[PartRow], rulebook: Rulebook, *, on: date, due_on: date, first_code: int = 1
) -> list[Advice]:
    """Return for each merger the area and how the verdicts change, in few queries for all.

    The areas are not saved. Their rules are those that a plan's version is checked by.
    """
    coded = {f"Z{number}": part for number, part in enumerate(parts, first_code)}
    mines = _mines(parts)
    mergers = {
        code: [mines[key] for key in part.mines if key in mines] for code, part in coded.items()
    }
    book = rulebook.in_force(on)
    near = Limits.of(book).near_m or Decimal(0)
    drawn, gaps = draw(mergers, near_m=near)
    areas = {
        code: _area(code, part, mergers[code], drawn.get(code), due_on)
        for code, part in coded.items()
    }
    basis = _basis(areas, mergers, book.number("added.tolerance_m2") or Decimal(0), near)
    known = {code: area_facts(area, basis) for code, area in areas.items()}
    taken = {
        code: tuple(_gap_pieces(drawn.get(code), gaps.get(code, ()), mines, basis.mines))
        for code in coded
    }
    for code, area in areas.items():
        area.extra_reason = "；".join(dict.fromkeys(piece.clause for piece in taken[code]))
    changes = _changes(mergers, known, basis, rulebook, on)
    return [
        Advice(
            code,
            part,
            tuple(mergers[code]),
            areas[code],
            taken[code],
            *changes[code],
        )
        for code, part in coded.items()
    ]


def _mines(parts: Sequence[PartRow]) -> dict[int, Mine]:
    keys = {key for part in parts for key in part.mines}
    rows = Mine.objects.in_scope().filter(pk__in=keys).with_registry_facts()
    return {mine.pk: mine for mine in rows.select_related("holder__parent").order_by("pk")}


# The area ---------------------------------------------------------------------------------------


def _area(
    code: str, part: PartRow, mines: Sequence[Mine], drawn: Drawn | None, due_on: date
) -> MergedArea:
    """Return the area that a merger would be, filled as far as the registry goes."""
    lead = max(mines, key=lambda mine: (_scale(mine), -mine.pk))
    known = [mine_facts(mine) for mine in mines]
    licences = [mine.licence for mine in mines]
    tops = [row.elevation_top_m for row in licences if row and row.elevation_top_m is not None]
    bottoms = [
        row.elevation_bottom_m for row in licences if row and row.elevation_bottom_m is not None
    ]
    scale = part.scale.quantize(Decimal("0.001"))
    return MergedArea(
        code=code,
        name=f"{lead.name}（整合）"[:80],
        lead_enterprise=lead.holder.name[:80],
        mineral=lead.mineral,
        method=lead.method,
        scale=scale,
        scale_unit=ScaleUnit.WAN_T,
        density=lead.density,
        systems=[{"name": "整合后生产系统", "method": lead.method, "scale": f"{scale:f}"}],
        stocks=_stocks(known),
        recoverable=part.ore.quantize(Decimal("0.0001")),
        service_life_years=part.life_years,
        life_includes_construction=False,
        elevation_top_m=max(tops) if len(tops) == len(mines) else None,
        elevation_bottom_m=min(bottoms) if len(bottoms) == len(mines) else None,
        outline=drawn.shape if drawn else None,
        declared_area_km2=area_km2(drawn.shape) if drawn else None,
        area_km2=area_km2(drawn.shape) if drawn else None,
        extra_kinds=[ExtraResource.GAP.value] if drawn and drawn.gaps else [],
        grant_way=GrantWay.COMPETITION if drawn and drawn.gaps else "",
        extra_reason=GAP_OF_A_MERGER if drawn and drawn.gaps else "",
        is_on_ridge=_ridge(mines),
        is_new_right=False,
        due_on=due_on,
        remarks="由整合规划按台账推算，须经核实。",
    )


def _scale(mine: Mine) -> Decimal:
    licence = mine.licence
    return licence.scale if licence and licence.scale is not None else Decimal(0)


def _stocks(known: Sequence[facts.MineFacts]) -> dict[str, str]:
    """Return the sums of the resource classes that every mine states in 万吨."""
    found = {}
    for name in ("measured", "indicated", "inferred"):
        given = [getattr(each, name) for each in known if each.stock_unit is ScaleUnit.WAN_T]
        if len(given) == len(known) and None not in given:
            found[name] = f"{sum(given, Decimal(0)):f}"
    return found


def _ridge(mines: Sequence[Mine]) -> bool | None:
    """Return False when no mine borders along a ridge; what a new outline does, people must see."""
    return False if all(mine.is_on_ridge is False for mine in mines) else None


def _gap_pieces(
    drawn: Drawn | None,
    gaps: Iterable[Gap],
    mines: Mapping[int, Mine],
    known: Mapping[int, facts.MineFacts],
) -> list[GapPiece]:
    """Name the gaps that an outline takes in, each with the clause that may let it in."""
    distances = {(gap.first_id, gap.second_id): gap.distance_m for gap in gaps}
    return [
        GapPiece(
            "与".join(mines[key].name for key in pair),
            distances[pair],
            GAP_OF_ONE_SUBJECT
            if mines[pair[0]].holder_id == mines[pair[1]].holder_id
            and all(_is_medium(known[key]) for key in pair)
            else GAP_OF_A_MERGER,
        )
        for pair in (drawn.gaps if drawn else ())
    ]


def _is_medium(known: facts.MineFacts) -> bool:
    grades = (reserve_grade(known), production_grade(known))
    return all(at_least_medium(each.size) is True and not each.doubtful for each in grades)


# What the standards say ---------------------------------------------------------------------------


def _basis(
    areas: Mapping[str, MergedArea],
    mergers: Mapping[str, Sequence[Mine]],
    tolerance_m2: Decimal,
    near_m: Decimal,
) -> AreaBasis:
    members = {code: list(rows) for code, rows in mergers.items()}
    every = {mine.pk: mine for rows in members.values() for mine in rows}
    leads = {mine.holder.name: mine.holder for mine in every.values()}
    return AreaBasis(
        survey=survey(list(areas.values()), members, within_m=near_m, tolerance_m2=tolerance_m2),
        members=members,
        mines={
            key: replace(
                mine_facts(mine),
                dispositions=(Disposition.MERGE,),
                disposition_reason="整合规划建议。",
            )
            for key, mine in every.items()
        },
        kinds=dict.fromkeys(every, Disposition.MERGE),
        names=areas,
        leads=leads,
        registered=every,
        unplaced=0,
        zones={},
        ridges={},
        checks={},
    )


def _changes(
    mergers: Mapping[str, Sequence[Mine]],
    known: Mapping[str, facts.AreaFacts],
    basis: AreaBasis,
    rulebook: Rulebook,
    on: date,
) -> dict[str, tuple[tuple[Change, ...], ...]]:
    """Return by code what a merger cures, breaks, leaves, puts to people, and lacks data for."""
    if not known:
        return {}
    rights = tuple(right_facts(mine) for mine in _on_same_bodies(basis.registered.values()))
    codes = [
        code
        for code, rule in RULES.items()
        if ASKED.intersection(rule.scopes) and code not in WORDING
    ]
    county = next(iter(basis.registered.values())).county_id
    today = facts.PlanFacts(
        county_code=county,
        registered=rights,
        mines=tuple(mine_facts(mine) for mine in basis.registered.values()),
    )
    later = facts.PlanFacts(
        county_code=county,
        registered=rights,
        mines=tuple(
            replace(basis.mines[mine.pk], area_key=code, rectification_due_on=on)
            for code, rows in mergers.items()
            for mine in rows
        ),
        areas=tuple(known.values()),
    )
    before = _by_mine(check(today, rulebook, on=on, only=codes))
    after = list(check(later, rulebook, on=on, only=codes))
    found = {}
    for code, rows in mergers.items():
        keys = {mine.registry_no for mine in rows}
        then = _verdicts(row for key in keys for row in before.get(key, ()))
        now = _verdicts(_of_area(after, code, keys))
        found[code] = _sorted_changes(then, now)
    return found


def _on_same_bodies(mines: Iterable[Mine]) -> list[Mine]:
    """Return the mines with every other right on their ore bodies."""
    rows = {mine.pk: mine for mine in mines}
    bodies = {body.pk for mine in rows.values() for body in mine.ore_bodies.all()}
    if bodies:
        others = Mine.objects.in_scope().filter(ore_bodies__in=bodies).with_registry_facts()
        for mine in others.exclude(pk__in=rows).distinct().order_by("pk"):
            rows[mine.pk] = mine
    return list(rows.values())


def _by_mine(found: Iterable[Finding]) -> dict[str, list[Finding]]:
    rows: dict[str, list[Finding]] = {}
    for each in found:
        rows.setdefault(each.mine_key, []).append(each)
    return rows


def _of_area(found: Iterable[Finding], code: str, keys: set[str]) -> list[Finding]:
    """Return what is said of an area; of its mines only by rules that ask nothing of areas."""
    about_area = {rule.code for rule in RULES.values() if Scope.AREA in rule.scopes}
    return [
        each
        for each in found
        if each.area_key == code or (each.mine_key in keys and each.rule not in about_area)
    ]


def _verdicts(found: Iterable[Finding]) -> dict[str, list[Finding]]:
    rows: dict[str, list[Finding]] = {}
    for each in found:
        rows.setdefault(each.rule, []).append(each)
    return rows


def _sorted_changes(
    before: Mapping[str, list[Finding]], after: Mapping[str, list[Finding]]
) -> tuple[tuple[Change, ...], ...]:
    cured: list[Change] = []
    broken: list[Change] = []
    remaining: list[Change] = []
    to_judge: list[Change] = []
    unknown: list[Change] = []
    for code in sorted({*before, *after}):
        then = worst(each.verdict for each in before.get(code, ()))
        now = worst(each.verdict for each in after.get(code, ()))
        rows = after.get(code) or before[code]
        decisive = min(rows, key=lambda each: SEVERITY[each.verdict])
        change = Change(
            code, RULES[code].title, decisive.clause, then, now, decisive.message,
            decisive.would_pass,
        )  # fmt: skip
        if now is Verdict.FAIL:
            (remaining if then is Verdict.FAIL else broken).append(change)
        elif then in (Verdict.FAIL, Verdict.REVIEW) and now in (Verdict.PASS, Verdict.NA):
            cured.append(change)
        elif now is Verdict.REVIEW:
            to_judge.append(change)
        elif now is Verdict.NODATA:
            unknown.append(change)
    return tuple(cured), tuple(broken), tuple(remaining), tuple(to_judge), tuple(unknown)
