"""Try to break every database constraint once, past all forms and actions."""

from collections.abc import Callable
from copy import copy
from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.contrib.gis.geos import MultiPolygon, Polygon
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import F

from mines.check_models import MineCheckRun, MineFinding
from mines.checks import start_check
from mines.layer_models import Layer
from mines.models import (
    CGCS2000,
    Boundary,
    ColumnMapping,
    Holder,
    Licence,
    Mine,
    ProductionSystem,
    RegistryUpload,
    Stock,
)
from plans.models import (
    Attachment,
    Comment,
    CountyPlan,
    Disposition,
    ExpertRemark,
    Finding,
    MergedArea,
    Opinion,
    Panel,
    PanelMember,
    PassedOver,
    PlanGrant,
    PlannerCluster,
    PlannerLone,
    PlannerProposal,
    PlannerRun,
    PlanTask,
    PlanVersion,
    RevisionItem,
    Round,
    Ruling,
    RulingRequest,
    SiteCheck,
    Target,
)
from plans.workflow import State
from publicity.models import Notice, Objection
from shuozhou_mines import jobs
from shuozhou_mines.models import Job
from taskforce.models import (
    ApiToken,
    Appointment,
    Message,
    Organization,
    RoleGrant,
    TaskForce,
    TrailEntry,
    User,
)
from taskforce.trail import record
from tests.conftest import PINGLU, SHUOCHENG
from tests.factories import OPENED_AT, PUBLISHED_AT, make_mine, plan_at, square

PARTS = ("shuozhou_mines", "taskforce", "mines", "plans", "publicity")
BOW_TIE = MultiPolygon(
    Polygon(((112, 39), (112.01, 39.01), (112.01, 39), (112, 39.01), (112, 39)), srid=CGCS2000),
    srid=CGCS2000,
)


@pytest.fixture
def here(people, counties) -> SimpleNamespace:
    """Return a published plan with all that hangs on it."""
    plan = plan_at(State.PUBLISHED, people, counties[SHUOCHENG])
    version = plan.versions.get()
    return SimpleNamespace(
        people=people,
        counties=counties,
        plan=plan,
        version=version,
        row=version.dispositions.first(),
        mine=Mine.objects.get(registry_no="SZ-140602-0001"),
        area=MergedArea.objects.create(version=version, code="Z1", name="一区"),
        notice=Notice.objects.get(),
        run=version.check_runs.get(),
    )


def _comment(here: Any, **changes: Any) -> Any:
    given = {"on": "mine", "mine": here.mine, "text": "意见", "by": here.people["office"]}
    return Comment.objects.create(
        plan=here.plan, at=OPENED_AT, from_county=False, **(given | changes)
    )


def _planner_run(here: Any) -> PlannerRun:
    return PlannerRun.objects.create(
        asked_by=here.people["office"], started_at=OPENED_AT, planned_on=date(2025, 9, 1)
    )


def _cluster(here: Any, **changes: Any) -> PlannerCluster:
    run = PlannerRun.objects.first() or _planner_run(here)
    given = {"number": 1, "mines": 2, "failing": 2, "saved": 1, "is_exact": True}
    return PlannerCluster.objects.create(
        run=run, county=here.mine.county, mine_ids=[], **(given | changes)
    )


def _proposal(cluster: PlannerCluster) -> PlannerProposal:
    return PlannerProposal.objects.create(
        cluster=cluster, rank=1, aims=[], parts=[], saved=0, leaving=0, rights=0, mergers=0
    )


def _again(row: Any, **changes: Any) -> Any:
    """Insert the same row once more, but for the changes."""
    row = copy(row)
    row._state = copy(row._state)
    row.pk = None
    row._state.adding = True
    for name, value in changes.items():
        setattr(row, name, value)
    row.save(force_insert=True)
    return row


def _job(**facts: Any) -> Job:
    return Job.objects.create(
        **{"kind": "k", "idempotency_key": "k", "subject_type": "t", "subject_id": 1, **facts}
    )


def _appointment(here: Any, **facts: Any) -> Appointment:
    return Appointment.objects.create(
        task_force=TaskForce.objects.get(county=None), post="成员", **facts
    )


def _licence(here: Any, **facts: Any) -> Licence:
    return Licence.objects.create(
        **{
            "mine": here.mine, "number": "C1", "valid_from": date(2031, 1, 1),
            "valid_to": date(2031, 12, 31), **facts,
        }
    )  # fmt: skip


def _opinion(here: Any, **facts: Any) -> Opinion:
    return Opinion.objects.create(
        **{
            "version": here.version, "stance": "agree", "by": here.people["office"],
            "unit": Organization.objects.get(name="市财政局"), "at": OPENED_AT, **facts,
        }
    )  # fmt: skip


def _adjustment(of: CountyPlan) -> CountyPlan:
    return CountyPlan.objects.create(
        round=of.round, county=of.county, edition=of.edition + 1, adjusts=of, adjusts_why="调整"
    )


def _passed_over(here: Any, **facts: Any) -> PassedOver:
    return PassedOver.objects.create(
        **{
            "version": here.version, "unit": Organization.objects.get(name="市财政局"),
            "note": "不等。", "by": here.people["city_leader"], "at": OPENED_AT, **facts,
        }
    )  # fmt: skip


def _objection(here: Any, **facts: Any) -> Objection:
    return Objection.objects.create(
        **{
            "notice": here.notice, "receipt_number": "R1", "received_at": PUBLISHED_AT,
            "text": "异议", "identity_sealed": b"", **facts,
        }
    )  # fmt: skip


def _ruling(here: Any, **facts: Any) -> Ruling:
    office = here.people["office"]
    return Ruling.objects.create(
        **{
            "plan": here.plan, "finding": here.run.findings.first(), "rule": "S-A01",
            "subject_kind": "mine", "subject_key": "1", "basis_hash": "0" * 64,
            "verdict": "review", "decision": "meets", "reason": "现场核实。",
            "basis_document": "核查记录1号", "by": office, "at": OPENED_AT, **facts,
        }
    )  # fmt: skip


def _ruling_request(here: Any, **facts: Any) -> RulingRequest:
    return RulingRequest.objects.create(
        **{
            "plan": here.plan, "finding": here.run.findings.first(), "rule": "S-A01",
            "subject_kind": "mine", "subject_key": "1", "note": "已核实。",
            "by": here.people["county_clerk"], "at": OPENED_AT, **facts,
        }
    )  # fmt: skip


def _site_check(here: Any, **facts: Any) -> SiteCheck:
    return SiteCheck.objects.create(
        **{
            "plan": here.plan, "version": here.version, "area_code": "Z1", "department": "林草",
            "unit": "林业局", "document_number": "1号", "signed_on": date(2025, 9, 1),
            "outcome": "agreed", "by": here.people["county_clerk"], "at": OPENED_AT, **facts,
        }
    )  # fmt: skip


def _layer(**facts: Any) -> Layer:
    given = {"name": "红线", "kind": "red_line", "as_of": date(2025, 8, 1), **facts}
    return Layer.objects.create(**given)


def _upload(here: Any, **facts: Any) -> RegistryUpload:
    return RegistryUpload.objects.create(
        **{
            "county": here.counties[SHUOCHENG], "as_of": date(2025, 9, 1), "given_by": "测试",
            "uploaded_at": OPENED_AT, "uploaded_by": here.people["county_clerk"], **facts,
        }
    )  # fmt: skip


SOURCE: dict[str, Any] = {"as_of": date(2025, 9, 1), "given_by": "测试"}


def _output(here: Any, **facts: Any) -> Any:
    given = {"year": 2024, "amount": 1, "unit": "wan_t", **facts}
    return here.mine.yearoutputs.create(**given, **SOURCE)


def _acceptance(here: Any, **facts: Any) -> Any:
    given = {"accepted_on": date(2025, 9, 1), "conclusion": "passed", **facts}
    return here.mine.acceptances.create(**given, **SOURCE)


def _treatment(here: Any, **facts: Any) -> Any:
    given = {"filing_no": "朔自然资备〔2025〕1号", "filed_on": date(2025, 9, 1), **facts}
    return here.mine.treatmentplans.create(**given, **SOURCE)


def _right_event(here: Any, **facts: Any) -> Any:
    given = {"kind": "transfer", "happened_on": date(2025, 9, 1), **facts}
    return here.mine.rightevents.create(**given, **SOURCE)


def _mapping(here: Any) -> ColumnMapping:
    return ColumnMapping.objects.create(
        county=here.counties[SHUOCHENG], signature="s", fields={}, made_at=OPENED_AT,
        made_by=here.people["county_clerk"],
    )  # fmt: skip


def _grant(here: Any, **facts: Any) -> RoleGrant:
    return RoleGrant.objects.create(
        **{"user": here.people["expert"], "role": "office", "starts_on": date(2025, 9, 1), **facts}
    )


def _check_run(here: Any) -> MineCheckRun:
    run = start_check(reason="request", on=date(2025, 9, 2), at=OPENED_AT)
    assert run is not None
    for part in run.parts.all():
        jobs.run_job(part.job_id)
    return run


# The name of each constraint, with what must not be possible.
BREAK: dict[str, Callable[[Any], Any]] = {
    "job_finished_iff_ended": lambda here: _job(state="done"),
    "job_done_within_total": lambda here: _job(done=3, total=2),
    "organization_county_iff_county": lambda here: Organization.objects.filter(
        kind="member_unit"
    ).update(county=SHUOCHENG),
    "taskforce_one_for_city": lambda here: TaskForce.objects.create(name="另一个专班"),
    "appointment_ends_after_start": lambda here: _appointment(
        here, starts_on=date(2025, 5, 2), ends_on=date(2025, 5, 1)
    ),
    "user_never_superuser": lambda here: User.objects.update(is_superuser=True),
    "user_not_locked_by_oneself": lambda here: User.objects.update(locked_by=F("pk")),
    "grant_county_iff_county_role": lambda here: _grant(here, role="county_clerk"),
    "grant_ends_after_start": lambda here: _grant(here, ends_on=date(2025, 8, 31)),
    "grant_not_to_oneself": lambda here: _grant(here, given_by=here.people["expert"]),
    "grant_not_ended_by_oneself": lambda here: _grant(here, ended_by=here.people["expert"]),
    "grant_once_per_role_and_place": lambda here: [_grant(here) for _ in range(2)],
    "token_expires_after_it_is_made": lambda here: ApiToken.objects.create(
        user=here.people["office"], name="t", digest="d", made_at=OPENED_AT, expires_at=OPENED_AT
    ),
    "holder_uscc_once": lambda here: [
        Holder.objects.create(name=name, uscc="91140600MA0K000011") for name in "ab"
    ],
    "holder_share_is_fraction": lambda here: Holder.objects.update(parent_share=Decimal("1.1")),
    "mine_life_not_negative": lambda here: Mine.objects.update(service_life_years=Decimal("-0.1")),
    "mine_density_plausible": lambda here: Mine.objects.update(density=Decimal(10)),
    "licence_ends_after_start": lambda here: _licence(here, valid_to=date(2030, 12, 31)),
    "licence_top_above_bottom": lambda here: _licence(
        here, elevation_top_m=Decimal(1300), elevation_bottom_m=Decimal(1300)
    ),
    "licence_scale_has_unit": lambda here: _licence(here, scale=Decimal(60)),
    "licence_periods_apart": lambda here: _licence(
        here, valid_from=date(2027, 12, 1), valid_to=date(2029, 12, 31)
    ),
    "system_name_once_per_mine": lambda here: _again(ProductionSystem.objects.first()),
    "system_scale_has_unit": lambda here: ProductionSystem.objects.update(unit=""),
    "stock_class_once_per_mine": lambda here: [
        Stock.objects.create(mine=here.mine, stock_class="proved", amount=1, as_of=date(2025, 1, 1))
        for _ in range(2)
    ],
    "stock_not_negative": lambda here: Stock.objects.create(
        mine=here.mine, stock_class="proved", amount=Decimal("-1"), as_of=date(2025, 1, 1)
    ),
    "output_once_per_year": lambda here: [_output(here) for _ in range(2)],
    "output_not_negative": lambda here: _output(here, amount=Decimal("-1")),
    "output_year_plausible": lambda here: _output(here, year=25),
    "acceptance_once_per_day": lambda here: [_acceptance(here) for _ in range(2)],
    "acceptance_area_not_negative": lambda here: _acceptance(here, area_ha=Decimal("-1")),
    "treatment_filed_once": lambda here: [_treatment(here) for _ in range(2)],
    "treatment_reviewed_before_filed": lambda here: _treatment(here, reviewed_on=date(2025, 9, 2)),
    "treatment_checked_once_per_year": lambda here: [
        here.mine.treatmentchecks.create(
            year=2025, checked_on=date(2025, 9, 1), conclusion="passed", **SOURCE
        )
        for _ in range(2)
    ],
    "right_event_once_per_day": lambda here: [_right_event(here) for _ in range(2)],
    "right_event_way_of_grant": lambda here: _right_event(here, way="agreement"),
    "mine_document_once": lambda here: [
        here.mine.minedocuments.create(
            kind="other",
            title="文件",
            file="a",
            file_name="a.pdf",
            sha256="0",
            uploaded_at=OPENED_AT,
            uploaded_by=here.people["office"],
            **SOURCE,
        )
        for _ in range(2)
    ],
    "boundary_is_valid": lambda here: Boundary.objects.update(outline=BOW_TIE),
    "registry_upload_confirmed_by_somebody": lambda here: _upload(here, confirmed_at=OPENED_AT),
    "registry_upload_written_when": lambda here: _upload(here, state="written"),
    "column_mapping_once": lambda here: [_mapping(here) for _ in range(2)],
    "layer_once_per_name_and_day": lambda here: [_layer() for _ in range(2)],
    "layer_terrain_is_internal": lambda here: _layer(kind="terrain", confidentiality="open"),
    "layer_refused_says_why": lambda here: _layer(state="refused"),
    "check_part_once_per_run": lambda here: _again(_check_run(here).parts.get(), job=None),
    "check_part_within_its_mines": lambda here: _check_run(here).parts.update(
        checked=F("mines") + 1
    ),
    "mine_finding_once_per_rule": lambda here: (
        _check_run(here),
        _again(MineFinding.objects.earliest("pk")),
    ),
    "round_one_open": lambda here: Round.objects.create(
        name="二", compile_due_on=date(2026, 5, 31), finish_due_on=date(2026, 12, 31)
    ),
    "plan_one_per_county_and_round": lambda here: _again(CountyPlan.objects.get()),
    "plan_one_under_way": lambda here: _adjustment(_adjustment(here.plan)),
    "plan_adjusts_an_earlier_one": lambda here: CountyPlan.objects.update(edition=2),
    "document_once_per_plan_and_kind": lambda here: _again(here.plan.documents.first()),
    "panel_is_odd": lambda here: Panel.objects.update(size=4),
    "panel_verdict_has_moment": lambda here: Panel.objects.update(concluded_at=None),
    "panel_member_once": lambda here: _again(PanelMember.objects.first()),
    "panel_member_aside_with_reason": lambda here: PanelMember.objects.update(
        stepped_aside_at=OPENED_AT
    ),
    "panel_member_answer_has_moment": lambda here: PanelMember.objects.update(answered_at=None),
    "remark_on_one_thing": lambda here: ExpertRemark.objects.create(
        member=PanelMember.objects.first(),
        mine=here.mine,
        area=here.area,
        text="意见",
        at=OPENED_AT,
    ),
    "passed_over_once_per_unit": lambda here: [_passed_over(here) for _ in range(2)],
    "passed_over_with_note": lambda here: _passed_over(here, note=""),
    "plan_grant_ends_after_start": lambda here: PlanGrant.objects.update(
        ends_at=OPENED_AT - timedelta(days=1)
    ),
    "revision_answered_by_somebody": lambda here: RevisionItem.objects.create(
        panel=Panel.objects.get(), source="专家", about="全文", asked="改", answer="已改"
    ),
    "message_once": lambda here: [
        Message.objects.create(to=here.people["office"], key="k", text="t", url="/", at=OPENED_AT)
        for _ in range(2)
    ],
    "plan_submitted_when_beyond_draft": lambda here: CountyPlan.objects.update(submitted_at=None),
    "version_number_once_per_plan": lambda here: _again(PlanVersion.objects.get()),
    "area_code_once_per_version": lambda here: _again(MergedArea.objects.get()),
    "area_outline_is_valid": lambda here: MergedArea.objects.update(outline=BOW_TIE),
    "disposition_mine_once_per_version": lambda here: _again(here.row, kind="close"),
    "disposition_area_only_for_merger": lambda here: Disposition.objects.update(area=here.area),
    "finding_once_per_rule_and_subject": lambda here: _again(Finding.objects.first()),
    "opinion_once_per_unit_and_version": lambda here: _opinion(here),
    "opinion_says_why": lambda here: Opinion.objects.update(stance="change"),
    "attachment_not_empty": lambda here: Attachment.objects.create(
        plan=here.plan, title="附件", size=0, uploaded_by=here.people["office"]
    ),
    "attachment_withdrawn_by_somebody": lambda here: Attachment.objects.create(
        plan=here.plan,
        title="附件",
        size=1,
        uploaded_by=here.people["office"],
        withdrawn_at=OPENED_AT,
    ),
    "comment_is_on_something": lambda here: _comment(here, mine=None),
    "comment_answer_is_whole": lambda here: _comment(here, answered_at=OPENED_AT),
    "comment_says_something": lambda here: _comment(here, text=""),
    "planner_cluster_number_once": lambda here: [_cluster(here), _cluster(here)],
    "planner_cluster_adds_up": lambda here: _cluster(here, saved=3),
    "planner_proposal_rank_once": lambda here: [
        _proposal(cluster) for cluster in [_cluster(here)] * 2
    ],
    "planner_lone_mine_once": lambda here: [
        PlannerLone.objects.create(run=run, county=here.mine.county, mine=here.mine)
        for run in [_planner_run(here)] * 2
    ],
    "task_once_per_mine": lambda here: _again(PlanTask.objects.first()),
    "task_done_with_evidence": lambda here: PlanTask.objects.update(done_on=date(2025, 12, 1)),
    "target_once_per_day": lambda here: [
        Target.objects.create(
            county=here.counties[PINGLU], kind="close", number=1, valid_from=date(2025, 1, 1)
        )
        for _ in range(2)
    ],
    "site_check_withdrawn_by_and_at": lambda here: _site_check(here, withdrawn_at=OPENED_AT),
    "site_check_is_signed": lambda here: _site_check(here, document_number=""),
    "site_check_says_why": lambda here: _site_check(here, outcome="refused"),
    "ruling_request_once_per_finding": lambda here: [_ruling_request(here) for _ in range(2)],
    "ruling_request_says_why": lambda here: _ruling_request(here, note=""),
    "ruling_says_why": lambda here: _ruling(here, reason=""),
    "ruling_confirmed_by_and_at": lambda here: _ruling(
        here, confirmed_by=here.people["city_leader"]
    ),
    "ruling_confirmed_by_another": lambda here: _ruling(
        here, confirmed_by=here.people["office"], confirmed_at=OPENED_AT
    ),
    "notice_one_in_force_per_plan": lambda here: _again(Notice.objects.get()),
    "notice_does_not_replace_itself": lambda here: Notice.objects.update(replaces=F("pk")),
    "notice_withdrawn_with_reason": lambda here: Notice.objects.update(withdrawn_at=PUBLISHED_AT),
    "objection_closed_after_received": lambda here: _objection(
        here, closed_at=PUBLISHED_AT - timedelta(seconds=1)
    ),
}


def declared() -> set[str]:
    """Return the names of all constraints that our models declare."""
    return {
        constraint.name
        for part in PARTS
        for model in apps.get_app_config(part).get_models()
        for constraint in model._meta.constraints
    }


def test_every_constraint_has_its_attempt() -> None:
    assert declared() == set(BREAK)


def test_the_database_refuses_every_attempt(here) -> None:
    answers = {name: _attempt(here, attempt) for name, attempt in BREAK.items()}
    assert {name: f'"{name}"' in answer for name, answer in answers.items()} == dict.fromkeys(
        BREAK, True
    )


def _attempt(here: Any, attempt: Callable[[Any], Any]) -> str:
    """Return what the database says to an attempt, and undo it."""
    with transaction.atomic():
        try:
            with transaction.atomic():
                attempt(here)
        except IntegrityError as refusal:
            return str(refusal)
        finally:
            transaction.set_rollback(True)
    return "nothing"


def test_constraints_say_what_is_wrong_in_chinese() -> None:
    silent = {
        constraint.name
        for part in PARTS
        for model in apps.get_app_config(part).get_models()
        for constraint in model._meta.constraints
        if constraint.violation_error_message == constraint.default_violation_error_message
    }
    # Nobody types these: they guard against our own mistakes.
    assert silent == {
        "area_code_once_per_version",
        "check_part_once_per_run",
        "check_part_within_its_mines",
        "finding_once_per_rule_and_subject",
        "mine_finding_once_per_rule",
        "objection_closed_after_received",
        "task_once_per_mine",
        "version_number_once_per_plan",
    }


# --- uniqueness of single columns ----------------------------------------------------------------


TWICE: tuple[Callable[[Any], Any], ...] = (
    lambda here: [_job() for _ in range(2)],
    lambda here: [_objection(here) for _ in range(2)],
    lambda here: _again(Mine.objects.first()),
    lambda here: _again(here.people["office"]),
    lambda here: _again(here.plan.approval),
    lambda here: _again(here.mine.boundary),
    lambda here: Organization.objects.update(name="同名"),
)


def test_there_is_one_of_a_kind(here) -> None:
    answers = [_attempt(here, attempt) for attempt in TWICE]
    assert ["unique constraint" in answer for answer in answers] == [True] * len(TWICE)


# --- the trail -----------------------------------------------------------------------------------


def test_the_trail_can_only_grow(people, counties) -> None:
    entry = record("试", by=people["office"], county=counties[PINGLU], note="一")
    rows = TrailEntry.objects.filter(pk=entry.pk)
    attempts: list[Callable[[], Any]] = [
        lambda: rows.update(act="改"),
        lambda: rows.update(by=F("by")),
        rows.delete,
        entry.delete,
        entry.save,
        lambda: _raw("UPDATE taskforce_trailentry SET act = 'x'"),
        lambda: _raw("DELETE FROM taskforce_trailentry"),
    ]
    for attempt in attempts:
        with pytest.raises(DatabaseError, match="append_only"), transaction.atomic():
            attempt()
    assert rows.get().act == "试"


def _raw(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def test_registry_history_can_only_grow(counties) -> None:
    mine = make_mine(counties[SHUOCHENG], 9, at=(112.4, 39.3))
    Mine.objects.filter(pk=mine.pk).update(name="改了名")
    Boundary.objects.filter(mine=mine).update(outline=square(112.5, 39.4))
    for table in ("mines_mineevent", "mines_boundaryevent", "mines_licenceevent"):
        for statement in (f"UPDATE {table} SET pgh_label = 'x'", f"DELETE FROM {table}"):  # noqa: S608
            with pytest.raises(DatabaseError, match="append_only"), transaction.atomic():
                _raw(statement)
