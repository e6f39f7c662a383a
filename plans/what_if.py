"""Try a draft of the rulebook on all mines and plans, and keep only whose verdict would flip."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.utils import timezone

from mines.checks import rights_on_shared_bodies
from mines.facts import mine_facts
from mines.mine_chunks import mine_chunks
from mines.models import Mine
from plans.facts import plan_facts
from plans.models import PlanVersion
from rulebook.actions import WHAT_IF
from rulebook.current import rulebook_of
from rulebook.models import Flip, WhatIf
from shuozhou_mines.jobs import Run, handles
from standards.findings import Finding
from standards.rulebook import Rulebook
from standards.run import check, check_mines
from standards.terms import Verdict

# A plan takes about as long as so many mines of the registry.
MINES_PER_PLAN = 100


@dataclass(frozen=True, slots=True)
class Turn:
    """Pair what a rule finds on a subject by the rulebook in force and by the draft."""

    before: Finding | None
    after: Finding | None

    @property
    def shown(self) -> Finding:
        """Return the finding that names rule and subject."""
        found = self.after or self.before
        assert found is not None  # noqa: S101  a turn has at least one side
        return found


@handles(WHAT_IF, "试算标准库草案")
def try_rulebook(run: Run) -> None:
    """Compare a draft with the rulebook in force; a job taken up again begins anew."""
    trial = WhatIf.objects.select_related("version", "against").get(pk=run.subject_id)
    if trial.finished_at is not None:
        return
    now, then = rulebook_of(trial.against), rulebook_of(trial.version)
    versions = current_versions()
    mines = Mine.objects.in_scope().count()
    total = mines + len(versions) * MINES_PER_PLAN
    run.report(0, total, "正在准备")
    with transaction.atomic():
        run.still_ours()
        trial.flips.all().delete()
    done = 0
    for flips, tried in _registry(trial, now, then):
        _keep(run, flips)
        done += tried
        run.report(done, total, "正在试算台账")
    for version in versions:
        run.report(done, total, f"正在试算{version.plan.county.name}方案")
        _keep(run, list(_plan(trial, version, now, then)))
        done += MINES_PER_PLAN
    with transaction.atomic():
        run.still_ours()
        trial.finished_at = timezone.now()
        trial.mines, trial.plans = mines, len(versions)
        trial.save(update_fields=["finished_at", "mines", "plans"])


def current_versions() -> list[PlanVersion]:
    """Return the newest read version of each plan."""
    read = PlanVersion.objects.filter(state=PlanVersion.State.READ)
    newest = read.order_by("plan_id", "-number").distinct("plan_id")
    return list(newest.select_related("plan__county", "plan__round"))


def _keep(run: Run, flips: list[Flip]) -> None:
    with transaction.atomic():
        run.still_ours()
        Flip.objects.bulk_create(flips, batch_size=1000)


def _registry(trial: WhatIf, now: Rulebook, then: Rulebook) -> Iterator[tuple[list[Flip], int]]:
    """Yield the flips of each chunk of the registry with the number of mines tried."""
    bodies = rights_on_shared_bodies()
    for mines in mine_chunks():
        facts = [mine_facts(mine) for mine in mines]
        counties = {mine.registry_no: mine.county.name for mine in mines}
        before = check_mines(facts, now, on=trial.tried_on, ore_bodies=bodies)
        after = check_mines(facts, then, on=trial.tried_on, ore_bodies=bodies)
        flips = [
            _flip(trial, turn, Flip.Place.REGISTRY, counties[turn.shown.mine_key])
            for turn in turns(before, after)
        ]
        yield flips, len(mines)


def _plan(trial: WhatIf, version: PlanVersion, now: Rulebook, then: Rulebook) -> Iterator[Flip]:
    """Yield the flips of a plan; facts are gathered for each side, as limits bear on them too."""
    name = f"{version.plan.county.name}方案第{version.number}版"
    for turn in turns(
        _checked(version, now, trial.tried_on), _checked(version, then, trial.tried_on)
    ):
        flip = _flip(trial, turn, Flip.Place.PLAN, name)
        flip.plan_version = version.pk
        yield flip


def _checked(version: PlanVersion, rulebook: Rulebook, on: date) -> Iterable[Finding]:
    return check(plan_facts(version, rulebook, on=on), rulebook, on=on)


def turns(before: Iterable[Finding], after: Iterable[Finding]) -> Iterator[Turn]:
    """Yield where the two sides differ in verdict; what only one side finds is NA on the other."""
    old = {_key(found): found for found in before}
    for found in after:
        earlier = old.pop(_key(found), None)
        if _verdict(earlier) is not found.verdict:
            yield Turn(earlier, found)
    for found in old.values():
        if found.verdict is not Verdict.NA:
            yield Turn(found, None)


def _key(found: Finding) -> tuple[str, str, str, str]:
    return found.rule, found.subject_kind, found.subject_key, found.phase.value


def _verdict(found: Finding | None) -> Verdict:
    return Verdict.NA if found is None else found.verdict


def _flip(trial: WhatIf, turn: Turn, place: Flip.Place, place_name: str) -> Flip:
    shown = turn.shown
    return Flip(
        what_if=trial,
        place=place,
        place_name=place_name[:120],
        subject_name=shown.subject_name[:160],
        mine_key=shown.mine_key,
        rule=shown.rule,
        before=_verdict(turn.before).value,
        after=_verdict(turn.after).value,
        message=turn.after.message if turn.after else "",
    )
