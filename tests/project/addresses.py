"""Say for every address what it is asked about and what is sent to it."""

from collections.abc import Callable
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from mines.actions import receive_upload
from mines.boundaries import boundary_row
from mines.check_models import MineFinding
from mines.checks import start_check
from mines.coordinates import read_text
from mines.layer_actions import receive_layer
from mines.models import Boundary, Mine
from mines.record_models import MineDocument
from plans.actions import open_plan
from plans.comment_actions import add_comment
from plans.models import (
    Attachment,
    CountyPlan,
    Dossier,
    Expert,
    Finding,
    Panel,
    PlanVersion,
    RevisionItem,
    Round,
    Ruling,
    SiteCheck,
)
from plans.planner_models import PlannerCluster, PlannerProposal, PlannerRun
from plans.tasks import queue_check
from plans.workflow import State
from publicity.models import PublicDocument
from publicity.objection_actions import receive_objection
from publicity.objection_models import Appearance, Package
from publicity.question_actions import ask
from publicity.transfer_actions import publish_transfer
from rulebook.actions import start_draft
from rulebook.forms import initial_of
from rulebook.models import RulebookEntry, RulebookVersion, WhatIf
from shuozhou_mines import jobs
from shuozhou_mines.storage import store
from supervision import bulletin_actions
from supervision.actions import open_reports, save_report, submit_report
from supervision.bulletin_content import bulletin_content, content_key
from supervision.consistency import BATCHES, BatchFigures
from supervision.dispatch_actions import issue_dispatch
from supervision.inspection_actions import ProblemFound, add_member, form_team, record_visit
from supervision.inspection_models import Photo
from supervision.inspection_steps import Severity
from supervision.meeting_actions import call_meeting
from supervision.models import Meeting, MonthlyReport
from taskforce.models import ApiToken, Organization
from taskforce.roles import Role
from tests.conftest import PINGLU, SHUOCHENG, make_person
from tests.factories import OPENED_AT, PUBLISHED_AT, pdf_scan, plan_at
from tests.supervision.quarter import approve

# Registration text: number, X, Y of each corner, then elevations and the region's name.
CORNERS = """1,4355000.000,37535000.000, , ,
2,4355000.000,37535400.000, , ,
3,4354600.000,37535400.000, , ,
4,4354600.000,37535000.000, , ,
*,1400,1300,一区,1,"""
NO_MINES = BatchFigures(task=0, done=0, done_this_month=0, under_way=0, not_started=0)


def build(people: Any, counties: Any) -> SimpleNamespace:
    """Make one object of each kind, all of 朔城区, each plan in a round of its own."""
    here = SimpleNamespace(people=people, counties=counties)
    county, current = counties[SHUOCHENG], Round.objects.get(is_open=True)
    states = [
        State.PUBLISHED, State.APPROVED, State.PROVINCE, State.ENDORSED, State.CITY_APPROVAL,
        State.REVISING, State.EXPERT_REVIEW, State.CO_SIGNING, State.FORMAL_REVIEW,
        State.SUBMITTED, State.COUNTY_REVIEW, State.DRAFT,
    ]  # fmt: skip
    here.plans = {}
    for state in states:
        plan = plan_at(state, people, county)
        here.plans[state] = plan
        if state != State.DRAFT:
            CountyPlan.objects.filter(pk=plan.pk).update(round=_past_round(state))
    here.round = current
    here.other_plan = open_plan(county_code=PINGLU, by=people["other_county_clerk"], at=OPENED_AT)
    _mark(here.plans[State.DRAFT].versions.get())
    here.revision = RevisionItem.objects.filter(panel__version__plan=here.plans[State.REVISING])[0]
    packed = store([b"PK"], folder="dossiers", suffix=".zip")
    Dossier.objects.create(
        plan=here.plans[State.PUBLISHED], file=packed.name, size=2, sha256="0" * 64,
        made_at=OPENED_AT,
    )  # fmt: skip
    here.notice = here.plans[State.PUBLISHED].notices.get()
    here.document = _document(here)
    _reports(here)
    _bulletins(here)
    here.job = jobs.enqueue(
        kind="plans.read_version", subject=PlanVersion(pk=1), key="own", by=people["county_clerk"]
    )
    here.in_force = RulebookVersion.objects.get(state="approved")
    here.draft = start_draft(by=people["office"], at=timezone.now())
    here.trial = WhatIf.objects.create(
        version=here.draft, against=here.in_force, tried_on=date(2025, 9, 2),
        draft_as_of=here.draft.changed_at,
    )  # fmt: skip
    _registry(here)
    _ruling(here)
    _ground(here)
    _objection(here)
    _visit(here)
    _orders_and_meetings(here)
    _beside_the_notice(here)
    _beside_the_plan(here)
    here.token = ApiToken.objects.create(
        user=people["expert"], name="测试", digest="0" * 64, scopes=["mines"],
        expires_at=timezone.now() + timedelta(days=9),
    )  # fmt: skip
    return here


def _beside_the_plan(here: Any) -> None:
    """Give the submitted plan a document and a comment, and the county a proposal."""
    plan, office = here.plans[State.SUBMITTED], here.people["office"]
    file = store([b"%PDF-"], folder="attachments", suffix=".pdf")
    here.attachment = Attachment.objects.create(
        plan=plan, title="请示", file=file.name, file_name="请示.pdf", size=file.size,
        content_type="application/pdf", sha256=file.sha256, uploaded_by=office,
    )  # fmt: skip
    here.comment = add_comment(
        plan_id=plan.pk, on=f"mine:SZ-{SHUOCHENG}-0001", text="请核对。", by=office,
        at=PUBLISHED_AT,
    )  # fmt: skip
    run = PlannerRun.objects.create(
        asked_by=office, started_at=PUBLISHED_AT, finished_at=PUBLISHED_AT,
        planned_on=date(2025, 9, 3), rulebook_version="第1版", county_id=SHUOCHENG,
        figures=dict.fromkeys(("mines", "failing", "unsearched", "saved", "leaving"), 2),
    )  # fmt: skip
    mines = list(Mine.objects.filter(county=SHUOCHENG).order_by("pk").values_list("pk", flat=True))
    cluster = PlannerCluster.objects.create(
        run=run, county_id=SHUOCHENG, number=1, name="测试乡", mine_ids=mines[:2], mines=2,
        failing=2, saved=2, is_exact=True,
    )  # fmt: skip
    here.planned = PlannerProposal.objects.create(
        cluster=cluster, rank=1, aims=["cure"], saved=2, leaving=0, rights=1, mergers=1,
        parts=[{
            "kind": "merge", "mines": mines[:2], "capacity": "120", "scale": "120", "ore": "1020",
            "gap_m": "0", "foreign": 1,
        }],
    )  # fmt: skip


def _beside_the_notice(here: Any) -> None:
    office = here.people["office"]
    here.question = ask(notice_id=here.notice.pk, text="何时开工？", at=PUBLISHED_AT)
    here.transfer = publish_transfer(
        kind="listing", county_code=SHUOCHENG, title="挂牌", facts={}, source="测试",
        published_on=date(2025, 9, 2), by=office, at=PUBLISHED_AT,
    )  # fmt: skip
    packed = store([b"PK"], folder="packages", suffix=".zip")
    Package.objects.create(
        notice=here.notice, file=packed.name, size=packed.size, sha256=packed.sha256,
        made_at=PUBLISHED_AT,
    )  # fmt: skip
    shot = store([b"png"], folder="screenshots", suffix=".png")
    here.appearance = Appearance.objects.create(
        notice=here.notice, site="bureau", url="https://example.org/", suffix=".png",
        starts_on=date(2025, 9, 3), ends_on=date(2025, 9, 10), screenshot=shot.name,
        sha256=shot.sha256, recorded_at=PUBLISHED_AT, recorded_by=office,
    )  # fmt: skip


def _objection(here: Any) -> None:
    here.objection = receive_objection(
        notice_id=here.notice.pk, subject="范围", text="范围有误。", at=PUBLISHED_AT,
        identity={"kind": "person", "name": "张三", "phone": "13900000000", "address": "朔州"},
        files=[(".pdf", b"%PDF-1.7 %%EOF")],
    )  # fmt: skip
    here.objection.reply = store([b"%PDF-1.7"], folder="objections", suffix=".pdf").name
    here.objection.save(update_fields=["reply"])


def _visit(here: Any) -> None:
    office, inspector = here.people["office"], here.people["inspector"]
    here.team = form_team(
        name="第一督导组", starts_on=date(2025, 9, 1), ends_on=date(2035, 9, 1), by=office
    )
    add_member(
        team_id=here.team.pk,
        name="组员",
        home_unit=None,
        is_leader=False,
        user=inspector,
        by=office,
    )
    here.visit = record_visit(
        draft_key=UUID(int=1), team_id=here.team.pk, county=here.counties[SHUOCHENG], mine=None,
        purpose="guide", visited_on=date(2025, 9, 2), place="", conclusion="正常。", acceptance="",
        found=[
            ProblemFound(
                text="台阶过高。", severity=Severity.LIGHT, clause="", measure="降段。",
                responsible_unit="矿山", due_on=date(2025, 10, 1),
            )
        ],
        photos=[], by=inspector, at=OPENED_AT,
    )  # fmt: skip
    here.problem = here.visit.problems.get()
    stored = store([b"jpg"], folder="inspections", suffix=".jpg")
    here.photo = Photo.objects.create(
        inspection=here.visit, file=stored.name, kind="jpg", sha256=stored.sha256,
        added_by=inspector, added_at=OPENED_AT,
    )  # fmt: skip


def _orders_and_meetings(here: Any) -> None:
    office, county = here.people["office"], here.counties[SHUOCHENG]
    here.task = here.plans[State.APPROVED].tasks.earliest("pk")
    here.order = issue_dispatch(
        title="核查", text="逐座核查。", due_on=date(2035, 10, 1), by=office, at=OPENED_AT,
        units=Organization.objects.filter(county=county),
    ).orders.get()  # fmt: skip
    here.meeting = call_meeting(
        title="例会", held_on=date(2025, 9, 2), place="", chair="", problems=[], by=office
    )
    here.minutes = Meeting.objects.create(
        title="上次例会", held_on=date(2025, 8, 1), state="held", minutes="讨论。", number=1,
        issued_on=date(2025, 8, 2),
        pdf=store([b"%PDF-1.7"], folder="minutes", suffix=".pdf").name,
    )  # fmt: skip


def _registry(here: Any) -> None:
    """Give the first mine corners, upload a registry workbook, check the registry once."""
    reading = read_text(CORNERS)
    assert reading.boundary is not None
    mine = Mine.objects.get(registry_no=f"SZ-{SHUOCHENG}-0001")
    Boundary.objects.filter(mine=mine).delete()
    boundary_row(mine, reading.boundary, source_text=CORNERS, as_of=date(2025, 9, 1)).save()
    here.upload = receive_upload(
        county_code=SHUOCHENG, upload=SimpleUploadedFile("台账.xlsx", b"registry"),
        as_of=date(2025, 9, 1), given_by="测试", by=here.people["county_clerk"], at=OPENED_AT,
    )  # fmt: skip
    here.check = start_check(reason="request", on=date(2025, 9, 2), at=OPENED_AT)
    for part in here.check.parts.all():
        jobs.run_job(part.job_id)
    queue_check(here.plans[State.SUBMITTED].versions.get(), by=here.people["office"])


def _ruling(here: Any) -> None:
    plan = here.plans[State.SUBMITTED]
    finding = _open_finding(plan)
    here.ruling = Ruling.objects.create(
        plan=plan, finding=finding, rule=finding.rule, subject_kind=finding.subject_kind,
        subject_key=finding.subject_key, basis_hash=finding.basis_hash, verdict=finding.verdict,
        decision="accepted", reason="现场核实。", basis_document="核查记录1号", at=OPENED_AT,
        by=make_person("second_office", Role.OFFICE), needs_confirmation=True,
    )  # fmt: skip


def _ground(here: Any) -> None:
    """Load an internal layer, and record a department's opinion on the submitted plan."""
    here.layer = receive_layer(
        name="红线", kind="red_line", source="测试", as_of=date(2025, 8, 1), epsg=None,
        confidentiality="internal", covers=[SHUOCHENG], by=here.people["office"], at=OPENED_AT,
        upload=SimpleUploadedFile("a.kml", b"<kml/>"),
    )  # fmt: skip
    plan = here.plans[State.SUBMITTED]
    here.site_check = SiteCheck.objects.create(
        plan=plan, version=plan.versions.get(), area_code="Z1", department="林草", unit="林业局",
        document_number="1号", signed_on=date(2025, 9, 1), outcome="agreed", sha256="0" * 64,
        scan=store([b"%PDF-1.7"], folder="site-checks", suffix=".pdf").name, scan_name="a.pdf",
        by=here.people["county_clerk"], at=OPENED_AT,
    )  # fmt: skip


def _open_finding(plan: CountyPlan) -> Finding:
    """Return the first finding of a plan that may be ruled on."""
    found = Finding.objects.filter(
        run__version__plan=plan, verdict__in=("fail", "review", "nodata")
    ).order_by("pk")
    return found[:1].get()


def _past_round(state: State) -> Round:
    return Round.objects.create(
        name=f"往年 {state}", compile_due_on=date(2024, 5, 31), finish_due_on=date(2024, 12, 31),
        is_open=False,
    )  # fmt: skip


def _mark(version: PlanVersion) -> None:
    version.marked = store([b"marked"], folder="plans", suffix=".xlsx").name
    version.save(update_fields=["marked"])


def _document(here: Any) -> PublicDocument:
    stored = store([b"a,b"], folder="public", suffix=".csv")
    return PublicDocument.objects.create(
        notice=here.notice, title="csv", file=stored.name, file_name="a.csv",
        content_type="text/csv", size=stored.size, sha256=stored.sha256,
    )  # fmt: skip


def _reports(here: Any) -> None:
    county, people = here.counties[SHUOCHENG], here.people
    for month in (date(2025, 4, 1), date(2025, 5, 1)):
        open_reports(month=month, at=OPENED_AT)
    reports = MonthlyReport.objects.filter(county=county).order_by("month")
    here.sent_report, here.open_report = reports
    for report in reports:
        save_report(
            report_id=report.pk, by=people["county_clerk"], problems="", next_steps="",
            rows={kind.value: NO_MINES for kind in BATCHES},
        )  # fmt: skip
    submit_report(report_id=here.sent_report.pk, by=people["county_leader"], at=OPENED_AT)


def _bulletins(here: Any) -> None:
    office = here.people["office"]
    here.issued = bulletin_actions.draft_bulletin(year=2025, quarter=1, by=office, at=OPENED_AT)
    approve(here.issued, office)
    bulletin_actions.issue_bulletin(
        bulletin_id=here.issued.pk, by=office, number=1, issued_on=date(2025, 9, 2),
        is_public=True,
    )  # fmt: skip
    here.draft_bulletin = bulletin_actions.draft_bulletin(
        year=2025, quarter=2, by=office, at=OPENED_AT
    )
    approve(here.draft_bulletin, office)
    for bulletin in (here.issued, here.draft_bulletin):
        bulletin.refresh_from_db()
        bulletin.pdf = store([b"%PDF-1.7"], folder="bulletins", suffix=".pdf").name
        bulletin.save(update_fields=["pdf"])


def _plan(here: Any, on: str) -> list[Any]:
    return [here.plans[State(on)].pk]


def _version(here: Any, on: str) -> list[Any]:
    return [here.plans[State(on)].versions.get().pk]


def _entry(here: Any, on: str) -> list[Any]:
    version = here.draft if on == "draft" else here.in_force
    return [version.number, version.entries.first().pk]


def _rulebook(here: Any, on: str) -> list[Any]:
    return [(here.draft if on == "draft" else here.in_force).number]


def _report(here: Any, on: str) -> list[Any]:
    return [(here.sent_report if on == "sent" else here.open_report).pk]


def _bulletin(here: Any, on: str) -> list[Any]:
    return [(here.issued if on == "issued" else here.draft_bulletin).pk]


def _paragraph(here: Any, on: str) -> list[Any]:
    return [*_bulletin(here, on), here.draft_bulletin.paragraphs[0]["key"]]


def _run(here: Any, on: str) -> list[Any]:
    return [here.plans[State(on)].versions.get().check_runs.get().pk]


def _finding(here: Any, on: str) -> list[Any]:
    return [_open_finding(here.plans[State(on)]).pk]


def _upload(here: Any, _on: str) -> list[Any]:
    return [here.upload.pk]


def _mine(here: Any, _on: str) -> list[Any]:
    return [f"SZ-{SHUOCHENG}-0001"]


def _paper(here: Any) -> MineDocument:
    """Return a paper in the file of the first mine."""
    stored = store([b"%PDF-1.7 paper"], folder="mines", suffix=".pdf")
    return MineDocument.objects.get_or_create(
        mine=Mine.objects.get(registry_no=f"SZ-{SHUOCHENG}-0001"),
        sha256=stored.sha256,
        defaults={
            "kind": "design", "title": "初步设计", "file": stored.name, "file_name": "设计.pdf",
            "as_of": date(2025, 9, 1), "given_by": "测试", "uploaded_at": OPENED_AT,
            "uploaded_by": here.people["office"],
        },
    )[0]  # fmt: skip


# What each address is asked about; those that are missing here ask for nothing.
ARGUMENTS: dict[str, Callable[[Any, str], list[Any]]] = {
    "job": lambda here, _on: [here.job.pk],
    "job-cancel": lambda here, _on: [here.job.pk],
    "mine": _mine,
    "mine-history": _mine,
    "mine-surroundings": _mine,
    "mine-corners": _mine,
    "account": lambda here, _on: [here.people["expert"].pk],
    "account-step": lambda here, on: [here.people["expert"].pk, on],
    "role-grant": lambda here, _on: [here.people["expert"].pk],
    "token-new": lambda here, _on: [here.people["expert"].pk],
    "token-revoke": lambda here, _on: [here.token.pk],
    "role-withdraw": lambda here, _on: [here.people["expert"].grants.get().pk],
    "invitation": lambda _here, _on: ["MQ", "no-such-token"],
    "mine-record": lambda here, _on: [*_mine(here, ""), "outputs"],
    "mine-document": lambda here, _on: [*_mine(here, ""), _paper(here).pk],
    "mine-tiles": lambda here, _on: [0, 0, 0],
    "public-tiles": lambda here, _on: ["before", 0, 0, 0],
    "mine-export": lambda here, on: [on],
    "mine-api-detail": _mine,
    "mine-coordinates": _mine,
    "mine-coordinates-accept": _mine,
    "mine-template": lambda here, _on: [SHUOCHENG],
    "mine-import-page": _upload,
    "mine-import-progress": _upload,
    "mine-import-columns": _upload,
    "mine-import-recolumn": _upload,
    "mine-import-confirm": _upload,
    "mine-import-drop": _upload,
    "mine-import-file": _upload,
    "registry-check-progress": lambda here, _on: [here.check.pk],
    "registry-list": lambda here, _on: ["no-renewal"],
    "registry-list-export": lambda here, _on: ["no-renewal"],
    "registry-rule": lambda here, _on: [MineFinding.objects.earliest("pk").rule],
    "layer": lambda here, _on: [here.layer.pk],
    "layer-progress": lambda here, _on: [here.layer.pk],
    "layer-shapes": lambda here, _on: [here.layer.pk],
    "layer-retire": lambda here, _on: [here.layer.pk],
    "rulebook-version": _rulebook,
    "rulebook-changes": _rulebook,
    "rulebook-approve": _rulebook,
    "rulebook-discard": _rulebook,
    "rulebook-try": _rulebook,
    "rulebook-entry": _entry,
    "rulebook-entry-follow": _entry,
    "rulebook-what-if": lambda here, _on: [here.trial.pk],
    "rulebook-what-if-cancel": lambda here, _on: [here.trial.pk],
    "plan-open": lambda here, _on: [SHUOCHENG],
    "plan": _plan,
    "plan-template": _plan,
    "plan-upload": _plan,
    "plan-opinion": _plan,
    "plan-approve": _plan,
    "plan-adjust": _plan,
    "plan-formal": _plan,
    "plan-pass-over": _plan,
    "plan-document": lambda here, on: [here.plans[State.PROVINCE].pk, on],
    "plan-scan": lambda here, on: [here.plans[State.APPROVED].pk, on],
    "plan-issue": _plan,
    "plan-story": _plan,
    "dossier-new": _plan,
    "dossier-file": _plan,
    "panel-draw": _plan,
    "panel-remark": _plan,
    "panel-stance": _plan,
    "panel-aside": _plan,
    "panel-conclude": _plan,
    "panel-paper": lambda here, on: [_panel(here), on],
    "revision-answer": lambda here, _on: [here.revision.pk],
    "expert-retire": lambda here, _on: [Expert.objects.earliest("pk").pk],
    "plan-version": _version,
    "plan-version-progress": _version,
    "plan-version-file": _version,
    "plan-version-marked": _version,
    "plan-shapes": _version,
    "plan-check": _version,
    "plan-check-progress": _version,
    "finding": _finding,
    "finding-rule": _finding,
    "finding-request": _finding,
    "plan-site-checks": _plan,
    "site-check-file": lambda here, _on: [here.site_check.pk],
    "site-check-withdraw": lambda here, _on: [here.site_check.pk],
    "ruling-confirm": lambda here, _on: [here.ruling.pk],
    "finding-shapes": _run,
    "findings-xlsx": _run,
    "findings-pdf": _run,
    "planner-progress": lambda here, _on: [here.planned.cluster.run_id],
    "planner-cluster": lambda here, _on: [here.planned.cluster_id],
    "planner-shapes": lambda here, _on: [here.planned.pk],
    "planner-take": lambda here, _on: [here.planned.pk],
    "planner-workbook": lambda here, _on: [here.planned.pk],
    "version-diff": _version,
    "version-diff-xlsx": _version,
    "edit-disposition": lambda here, on: [*_plan(here, on), f"SZ-{SHUOCHENG}-0001"],
    "edit-area": lambda here, on: [*_plan(here, on), "Z1"],
    "plan-attachments": _plan,
    "attachment-file": lambda here, _on: [here.attachment.pk],
    "attachment-withdraw": lambda here, _on: [here.attachment.pk],
    "plan-comments": _plan,
    "comment-answer": lambda here, _on: [here.comment.pk],
    "comment-withdraw": lambda here, _on: [here.comment.pk],
    "objection-new": lambda here, _on: [here.notice.pk],
    "question-new": lambda here, _on: [here.notice.pk],
    "question": lambda here, _on: [here.question.pk],
    "question-decline": lambda here, _on: [here.question.pk],
    "api-notice": lambda here, _on: [here.notice.pk],
    "transfer-withdraw": lambda here, _on: [here.transfer.pk],
    "notice-sites": lambda here, _on: [here.notice.pk],
    "package-new": lambda here, _on: [here.notice.pk],
    "package-file": lambda here, _on: [here.notice.pk],
    "appearance-screenshot": lambda here, _on: [here.appearance.pk],
    "objection": lambda here, _on: [here.objection.pk],
    "objection-identity": lambda here, _on: [here.objection.pk],
    "objection-attachment": lambda here, _on: [here.objection.pk, here.objection.files.get().pk],
    "objection-desk-reply": lambda here, _on: [here.objection.pk],
    "objection-step": lambda here, on: [here.objection.pk, on],
    "inspection-new": lambda here, _on: [SHUOCHENG],
    "inspection": lambda here, _on: [here.visit.pk],
    "inspection-photo": lambda here, _on: [here.photo.pk],
    "inspection-team-member": lambda here, _on: [here.team.pk],
    "problem": lambda here, _on: [here.problem.pk],
    "problem-step": lambda here, on: [here.problem.pk, on],
    "task": lambda here, _on: [here.task.pk],
    "task-proof": lambda here, _on: [here.task.pk, "filed"],
    "task-complete": lambda here, _on: [here.task.pk],
    "task-reopen": lambda here, _on: [here.task.pk],
    "dispatch-order": lambda here, _on: [here.order.pk],
    "dispatch-step": lambda here, on: [here.order.pk, on],
    "meeting": lambda here, _on: [here.meeting.pk],
    "meeting-part": lambda here, on: [here.meeting.pk, on],
    "meeting-print": lambda here, _on: [here.meeting.pk],
    "minutes-pdf": lambda here, _on: [here.minutes.pk],
    "notice": lambda here, _on: [here.notice.pk],
    "notice-shapes": lambda here, _on: [here.notice.pk],
    "notice-withdraw": lambda here, _on: [here.notice.pk],
    "public-document": lambda here, _on: [here.document.pk],
    "notice-new": _plan,
    "report": _report,
    "report-file": _report,
    "report-upload": _report,
    "report-submit": _report,
    "report-return": _report,
    "report-correct": _report,
    "bulletin": _bulletin,
    "bulletin-refresh": _bulletin,
    "bulletin-paragraph": _paragraph,
    "bulletin-print": _bulletin,
    "bulletin-layout": _bulletin,
    "bulletin-approve": _bulletin,
    "bulletin-issue": _bulletin,
    "public-bulletin": _bulletin,
    "bulletin-pdf": _bulletin,
    "bulletin-word": _bulletin,
    "bulletin-annex": _bulletin,
}
# Of a step's address the word after the colon is the step.
STEP_STATES = {
    "hand_over": State.DRAFT,
    "submit": State.COUNTY_REVIEW,
    "receive": State.SUBMITTED,
    "return": State.FORMAL_REVIEW,
    "endorse": State.CITY_APPROVAL,
}


def _panel(here: Any) -> int:
    return int(Panel.objects.get(version__plan=here.plans[State.REVISING]).pk)


def arguments(here: Any, name: str, on: str) -> list[Any]:
    """Return the arguments of an address for the object that the row names."""
    if name == "plan-step":
        return [here.plans[STEP_STATES.get(on, State.APPROVED)].pk, on]
    make = ARGUMENTS.get(name)
    return make(here, on) if make is not None else []


def _report_form(_here: Any, _on: str) -> dict[str, Any]:
    names = ("task", "done", "done_this_month", "under_way", "not_started", "sand_done")
    figures = {f"{kind.value}_{name}": "0" for kind in BATCHES for name in names}
    notes = {f"{kind.value}_note": "" for kind in BATCHES}
    return {"problems": "", "next_steps": "", **figures, **notes}


def _entry_form(here: Any, on: str) -> dict[str, Any]:
    shown = initial_of(RulebookEntry.objects.get(pk=_entry(here, on)[1]))
    return {name: "" if value is None else value for name, value in shown.items()}


# What is posted, such that whoever may do it succeeds; the rest is posted empty.
POSTED: dict[str, Callable[[Any, str], dict[str, Any]]] = {
    "mine-api-list": lambda here, _on: {
        "registry_no": "SZ-140602-0999", "county": SHUOCHENG, "name": "新矿", "mineral": "83907",
        "holder.name": "新公司", "as_of": "2025-09-01", "given_by": "测试",
    },
    "mine-record": lambda here, _on: {
        "year": "2024", "amount": "12.5", "unit": "wan_t", "as_of": "2025-01-31",
        "given_by": "测试",
    },
    "mine-import": lambda here, _on: {
        "county": SHUOCHENG, "as_of": "2025-09-01", "given_by": "测试",
        "workbook": SimpleUploadedFile("台账.xlsx", b"another"),
    },
    "layers": lambda here, _on: {
        "kind": "red_line", "name": "公益林", "source": "测试", "as_of": "2025-09-01",
        "confidentiality": "internal", "covers": [SHUOCHENG], "epsg": "",
        "file": SimpleUploadedFile("b.kml", b"<kml/>"),
    },
    "finding-request": lambda here, _on: {"note": "已经核实。"},
    "rulebook-entry": lambda here, on: _entry_form(here, on),
    "account-new": lambda _here, _on: {"username": "new.one", "name": "新人"},
    "account-step": lambda _here, _on: {"reason": "测试"},
    "token-new": lambda _here, _on: {"name": "测试", "scopes": ["mines"], "days": "9"},
    "role-grant": lambda _here, _on: {
        "role": "inspector", "starts_on": "2025-09-01", "reason": "组建通知"
    },
    "finding-rule": lambda here, _on: {
        "seen": str(here.ruling.pk), "decision": "accepted", "reason": "现场核实。",
        "basis_document": "核查记录2号",
    },
    "planner-run": lambda here, _on: {"county": SHUOCHENG, "scope": SHUOCHENG},
    "planner-take": lambda here, _on: {"seen_version": "1"},
    "plan-upload": lambda here, _on: {"workbook": SimpleUploadedFile("方案.xlsx", b"new")},
    "plan-step": lambda here, on: {
        "seen_state": str(STEP_STATES.get(on, State.APPROVED)), "note": "请补齐。"
    },
    "plan-opinion": lambda here, _on: {"stance": "agree", "text": ""},
    "plan-approve": lambda here, on: {
        "seen_state": on, "document_number": "示例", "approved_on": "2025-09-03",
        "scan": pdf_scan(),
    },
    "plan-adjust": lambda here, _on: {"why": "矿区范围调整。"},
    "plan-pass-over": lambda here, _on: {
        "unit": str(Organization.objects.get(name="市公安局").pk), "note": "不再等。",
    },
    "plan-document": lambda here, _on: {
        "seen_state": "province", "document_number": "示例", "dated_on": "2025-09-03",
        "organ": "省厅", "scan": pdf_scan(),
    },
    "plan-issue": lambda here, on: {
        "seen_state": on, "document_number": "示例", "dated_on": "2025-09-23", "organ": "市政府",
        "scan": pdf_scan(), "note": "",
    },
    "panel-draw": lambda here, _on: {"size": "3", "held_on": "2025-09-03", "place": "会议室"},
    "panel-remark": lambda here, _on: {"text": "请补充。"},
    "panel-stance": lambda here, _on: {"stance": "pass"},
    "panel-aside": lambda here, _on: {"why": "有利害关系。"},
    "panel-conclude": lambda here, _on: {"seen_state": "expert_review", "overall": "可行。"},
    "revision-answer": lambda here, _on: {"answer": "已改。", "on_page": "3"},
    "plan-round": lambda here, _on: {
        "name": "本轮", "compile_due_on": "2025-05-31", "finish_due_on": "2025-12-31",
    },
    "expert-pool": lambda here, _on: {
        "user": str(here.people["expert"].pk), "title": "高工", "speciality": "采矿",
        "employer": "测试院",
    },
    "question": lambda here, _on: {"public_text": "何时开工？", "answer": "明年。"},
    "objection-step": lambda here, _on: {"seen_state": "received", "note": "属实。"},
    "inspection-new": lambda here, _on: {
        "draft_key": str(UUID(int=2)), "team": str(here.team.pk), "purpose": "guide",
        "visited_on": "2025-09-03", "conclusion": "正常。", "problems-TOTAL_FORMS": "0",
        "problems-INITIAL_FORMS": "0",
    },
    "inspection": lambda here, _on: {
        "text": "边坡过陡。", "severity": "light", "measure": "削坡。", "responsible_unit": "矿山",
        "due_on": "2035-10-01",
    },
    "inspection-teams": lambda here, _on: {
        "name": "第二督导组", "starts_on": "2025-09-01", "ends_on": "2025-12-01",
    },
    "inspection-team-member": lambda here, _on: {"name": "又一人"},
    "problem-step": lambda here, _on: {"note": "已改好。", "due_on": "2035-10-01"},
    "task-proof": lambda here, _on: {"done_on": "2025-09-02", "evidence": "备案文号"},
    "task-reopen": lambda here, _on: {"note": "误登。"},
    "dispatch-new": lambda here, _on: {
        "title": "核查", "text": "核查。", "due_on": "2035-10-01",
        "units": [str(here.order.unit_id)],
    },
    "meeting-list": lambda here, _on: {"title": "专题会", "held_on": "2025-09-03"},
    "meeting-part": lambda here, _on: {"text": "又一议题"},
    "notice-new": lambda here, on: {
        "seen_state": on, "starts_on": timezone.localdate().isoformat(), "working_days": "5",
    },
    "notice-withdraw": lambda here, _on: {"reason": "更正。"},
    "report-open": lambda here, _on: {"county": SHUOCHENG},
    "report": _report_form,
    "report-return": lambda here, _on: {"note": "请核对。"},
    "report-correct": lambda here, _on: {"reason": "漏报一座。"},
    "target-list": lambda here, _on: {
        "document_number": "测试文号2号", "valid_from": "2025-09-02",
        **{f"{code}_{kind.value}": "7" for code in here.counties for kind in BATCHES},
    },
    "bulletin-desk": lambda here, _on: {"quarter": "2025-3"},
    "bulletin-paragraph": lambda here, _on: {"text": "总体进展。"},
    "bulletin-layout": lambda here, _on: {"head": "brief", "addressees": "各县（市、区）"},
    "bulletin-approve": lambda here, _on: {
        "content": content_key(bulletin_content(here.draft_bulletin)),
        "approver": "市领导", "approved_on": "2025-09-02",
    },
    "bulletin-issue": lambda here, _on: {
        "number": "2", "issued_on": "2025-09-03", "is_public": "on"
    },
    "rulebook-approve": lambda here, _on: {"seen": here.draft.changed_at.isoformat()},
}  # fmt: skip


def posted(here: Any, name: str, on: str) -> dict[str, Any]:
    """Return what is posted to an address."""
    make = POSTED.get(name)
    return make(here, on) if make is not None else {}
