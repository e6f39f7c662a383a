"""Write what the search found as rows, and read a stored part again."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from plans.planner import proposals
from plans.planner_facts import PER_WAN_T, Ground
from plans.planner_models import PlannerCluster, PlannerLone, PlannerProposal, PlannerRun
from plans.planner_parts import MOST_EXACT, Cluster, Part, Proposal, saved
from standards.terms import Disposition

# A county has time to look longer at large clusters; a province has not.
MOST_AT_LEISURE = 5000
WHY_LONE = {
    Disposition.UPGRADE: "附近没有可以整合的矿山；可采储量够，调整规模后可以达标。",
    Disposition.EXIT: "附近没有可以整合的矿山，可采储量也不够最低规模和服务年限。",
}


@dataclass(frozen=True, slots=True)
class PartRow:
    """Hold a part as it is kept: scales in 万吨/年, ore in 万吨, gap in metres."""

    kind: Disposition
    mines: tuple[int, ...]
    capacity: Decimal
    scale: Decimal
    ore: Decimal
    gap_m: Decimal
    foreign: int

    @property
    def life_years(self) -> Decimal:
        """Return the years that the ore lasts at the proposed scale, rounded down."""
        years = self.ore / self.scale if self.scale else Decimal(0)
        return years.quantize(Decimal("0.01"), rounding="ROUND_DOWN")

    @property
    def is_raised(self) -> bool:
        """Tell whether the scale has to be raised above today's sum (产能核增)."""
        return self.kind is not Disposition.EXIT and self.scale > self.capacity

    @property
    def is_lowered(self) -> bool:
        """Tell whether the scale has to stay below today's sum, for the service life."""
        return self.kind is not Disposition.EXIT and self.scale < self.capacity


def read_part(row: dict[str, Any]) -> PartRow:
    """Return a stored part."""
    return PartRow(
        kind=Disposition(row["kind"]),
        mines=tuple(row["mines"]),
        capacity=Decimal(row["capacity"]),
        scale=Decimal(row["scale"]),
        ore=Decimal(row["ore"]),
        gap_m=Decimal(row["gap_m"]),
        foreign=row["foreign"],
    )


def _stored(part: Part) -> dict[str, Any]:
    row = PartRow(
        part.kind,
        part.members,
        part.capacity / PER_WAN_T,
        part.scale / PER_WAN_T,
        part.ore / PER_WAN_T,
        Decimal(part.gap) / 10,
        part.foreign,
    )
    return {
        name: f"{value:f}" if isinstance(value, Decimal) else value
        for name, value in asdict(row).items()
    }


def cluster_rows(
    run: PlannerRun, cluster: Cluster, ground: Ground, names: dict[str, int]
) -> tuple[PlannerCluster, list[PlannerProposal]] | None:
    """Return the unsaved rows of a cluster; None when nothing is to be done in it.

    `names` counts the clusters of each county.
    """
    found = proposals(cluster, at_leisure=len(ground.candidates) <= MOST_AT_LEISURE)
    if not any(each.mergers for each in found):
        return None
    county = ground.county_of[cluster.mines[0].key]
    number = names[county] = names.get(county, 0) + 1
    failing = sum(not mine.stands for mine in cluster.mines)
    row = PlannerCluster(
        run=run,
        county_id=county,
        number=number,
        mine_ids=[mine.key for mine in cluster.mines],
        mines=len(cluster.mines),
        failing=failing,
        saved=saved(cluster, found[0].parts),
        is_exact=len(cluster.mines) <= MOST_EXACT,
    )
    return row, [_proposal(row, cluster, each, rank) for rank, each in enumerate(found, 1)]


def _proposal(
    row: PlannerCluster, cluster: Cluster, proposal: Proposal, rank: int
) -> PlannerProposal:
    leaving = sum(len(part.members) for part in proposal.parts if part.kind is Disposition.EXIT)
    order = {Disposition.MERGE: 0, Disposition.UPGRADE: 1, Disposition.KEEP: 2, Disposition.EXIT: 3}
    parts = sorted(proposal.parts, key=lambda part: (order[part.kind], part.members))
    return PlannerProposal(
        cluster=row,
        rank=rank,
        aims=[aim.value for aim in proposal.aims],
        parts=[_stored(part) for part in parts],
        saved=saved(cluster, parts),
        leaving=leaving,
        rights=len(parts) - leaving,
        mergers=len(proposal.mergers),
    )


def lone_rows(
    run: PlannerRun, alone: Iterable[tuple[int, Part]], ground: Ground
) -> Sequence[PlannerLone]:
    """Return the unsaved rows of mines that stand alone and do not meet the thresholds."""
    rows = [
        PlannerLone(
            run=run, county_id=ground.county_of[key], mine_id=key, kind=part.kind.value,
            reason=WHY_LONE[part.kind],
        )
        for key, part in alone
        if part.kind in WHY_LONE
    ]  # fmt: skip
    rows += [
        PlannerLone(run=run, county_id=each.county_code, mine_id=each.key, reason=each.reason[:200])
        for each in ground.unsearched
    ]
    return rows
