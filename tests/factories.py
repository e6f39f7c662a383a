"""Make plausible rows for tests; every function takes what matters and fills in the rest."""

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.gis.geos import MultiPolygon, Polygon
from django.core.files.uploadedfile import SimpleUploadedFile

from mines.models import CGCS2000, Boundary, Holder, Licence, Mine, Mineral, ProductionSystem
from plans.actions import open_plan, receive_version, start_adjustment, take_step
from plans.approval_actions import record_approval, record_filing, record_reply
from plans.compliance import find, save_run
from plans.expert_actions import (
    add_remark,
    answer_revision,
    conclude,
    draw_panel,
    give_stance,
    ranked,
)
from plans.formal_review import formal_items
from plans.models import (
    CountyPlan,
    Disposition,
    Expert,
    Opinion,
    Panel,
    PlanTask,
    PlanVersion,
    RevisionItem,
)
from plans.registry import make_template
from plans.review_actions import give_opinion, save_formal_review
from plans.workflow import State
from publicity.actions import publish_notice
from publicity.issuing import issue_plan
from publicity.models import Notice
from shuozhou_mines.walk_workbook import fill
from standards.terms import Method, MineState, ScaleUnit
from taskforce.models import County, Organization, OrganizationKind, User

LIMESTONE = "83907"
SHANGHAI = ZoneInfo("Asia/Shanghai")
# A Tuesday; what a plan goes through happens in the hours from here on.
OPENED_AT = datetime(2025, 9, 2, 9, 0, tzinfo=SHANGHAI)
HANDED_OVER_AT = OPENED_AT + timedelta(hours=1)
SUBMITTED_AT = OPENED_AT + timedelta(hours=2)
RETURNED_AT = OPENED_AT + timedelta(hours=3)
ACCEPTED_AT = OPENED_AT + timedelta(hours=4)
SIGNED_AT = OPENED_AT + timedelta(hours=5)
REVIEWED_AT = OPENED_AT + timedelta(hours=5, minutes=30)
APPROVED_AT = OPENED_AT + timedelta(hours=6)
PUBLISHED_AT = OPENED_AT + timedelta(hours=7)
ISSUED_AT = OPENED_AT + timedelta(days=20)

People = Mapping[str, User]


def square(lon: float, lat: float, side: float = 0.004) -> MultiPolygon:
    """Return a square of `side` degrees with its south-west corner at (lon, lat)."""
    ring = (
        (lon, lat), (lon, lat + side), (lon + side, lat + side), (lon + side, lat), (lon, lat),
    )  # fmt: skip
    return MultiPolygon(Polygon(ring, srid=CGCS2000), srid=CGCS2000)


def make_mine(
    county: County,
    number: int,
    *,
    name: str = "",
    mineral: str = LIMESTONE,
    scale: Decimal | None = Decimal(60),
    unit: ScaleUnit = ScaleUnit.WAN_T,
    life: Decimal | None = Decimal("8.5"),
    at: tuple[float, float] | None = None,
    **changes: Any,
) -> Mine:
    """Make a registered mine with one licence period and one production system."""
    holder, _ = Holder.objects.get_or_create(name=f"测试矿业{number}公司")
    mine = Mine.objects.create(
        registry_no=f"SZ-{county.code}-{number:04d}",
        name=name or f"测试{number}号矿",
        county=county,
        holder=changes.pop("holder", holder),
        mineral=Mineral.objects.get(pk=mineral),
        **{
            "township": "测试乡",
            "method": Method.OPEN_PIT,
            "state": MineState.PRODUCING,
            "service_life_years": life,
            "life_includes_construction": False,
            "construction_years": Decimal("0.5"),
            "as_of": date(2026, 9, 30),
            "given_by": "测试",
            **changes,
        },
    )
    Licence.objects.create(
        mine=mine,
        number=f"C14060020100171301{number:05d}",
        valid_from=date(2022, 1, 1),
        valid_to=date(2027, 12, 31),
        issuer="朔州市规划和自然资源局",
        area_km2=Decimal("0.2000"),
        elevation_top_m=Decimal(1400),
        elevation_bottom_m=Decimal(1300),
        scale=scale,
        scale_unit=unit,
    )
    ProductionSystem.objects.create(
        mine=mine, name="一号采场", method=mine.method, design_scale=scale, unit=unit
    )
    if at is not None:
        Boundary.objects.create(
            mine=mine,
            outline=square(*at),
            area_km2=Decimal("0.1500"),
            regions=[],
            as_of=date(2026, 9, 30),
        )
    return mine


def workbook_upload(content: bytes = b"first", name: str = "方案.xlsx") -> SimpleUploadedFile:
    """Return an upload with these bytes; the name alone says that it is a workbook."""
    return SimpleUploadedFile(name, content)


def add_version(
    plan: CountyPlan, people: People, content: bytes = b"first", at: datetime = OPENED_AT
) -> PlanVersion:
    """Upload a version and leave it as the job leaves one that names every registered mine."""
    version, _ = receive_version(
        plan_id=plan.pk, upload=workbook_upload(content), by=_of(people, "clerk", plan), at=at
    )
    return read_by_hand(version)


def read_by_hand(version: PlanVersion) -> PlanVersion:
    """Give a version a disposition for every mine and the findings of all standards."""
    Disposition.objects.bulk_create(
        Disposition(version=version, mine=mine, kind="upgrade", reason="改造为一个系统。")
        for mine in Mine.objects.in_scope().filter(county=version.plan.county)
    )
    today = date(2025, 9, 2)
    save_run(version, find(version, on=today), job=None)
    version.state = PlanVersion.State.READ
    version.save(update_fields=["state"])
    return version


def plan_at(state: State, people: People, county: County, mines: int = 2) -> CountyPlan:
    """Walk a county's plan to a state by the actions of the people of that county."""
    for number in range(1, mines + 1):
        if not Mine.objects.filter(registry_no=f"SZ-{county.code}-{number:04d}").exists():
            make_mine(county, number, at=(112.4 + number / 100, 39.3))
    clerk = people["county_clerk" if _is_first(people, county) else "other_county_clerk"]
    plan = open_plan(county_code=county.code, by=clerk, at=OPENED_AT)
    add_version(plan, people)
    for step in WAYS[state].split():
        go(plan, step, people)
    plan.refresh_from_db()
    assert plan.state == state
    return plan


_SUBMIT = "hand_over submit"
_CO_SIGN = f"{_SUBMIT} receive formal accept"
_INVITE = f"{_CO_SIGN} opinions invite"
_CITY = f"{_INVITE} draw pass"
_REPLY = f"{_CITY} endorse approve file reply"
# The steps by which a plan gets to each state, each taken by whose it is.
WAYS: dict[State, str] = {
    State.DRAFT: "",
    State.COUNTY_REVIEW: "hand_over",
    State.SUBMITTED: _SUBMIT,
    State.FORMAL_REVIEW: f"{_SUBMIT} receive",
    State.RETURNED: f"{_SUBMIT} receive return",
    State.CO_SIGNING: _CO_SIGN,
    State.EXPERT_REVIEW: _INVITE,
    State.REVISING: f"{_INVITE} draw change",
    State.RECHECK: f"{_INVITE} draw change revise hand_in_revision",
    State.CITY_APPROVAL: _CITY,
    State.ENDORSED: f"{_CITY} endorse",
    State.PROVINCE: f"{_CITY} endorse approve",
    State.APPROVED: _REPLY,
    State.PUBLISHED: f"{_REPLY} publish",
    State.ISSUED: f"{_REPLY} publish issue",
    State.ACCEPTANCE: f"{_REPLY} publish issue start_acceptance",
    State.CLOSED: f"{_REPLY} publish issue start_acceptance done close",
    State.SUPERSEDED: f"{_REPLY} publish adjusted",
}
# Of the plain steps: whose they are, and when they are taken.
_PLAIN = {
    "hand_over": ("clerk", HANDED_OVER_AT),
    "submit": ("leader", SUBMITTED_AT),
    "receive": ("office", SUBMITTED_AT),
    "return": ("office", RETURNED_AT),
    "accept": ("office", ACCEPTED_AT),
    "invite": ("office", SIGNED_AT),
    "hand_in_revision": ("leader", REVIEWED_AT),
    "endorse": ("city_leader", REVIEWED_AT),
    "start_acceptance": ("office", ISSUED_AT),
    "close": ("office", ISSUED_AT),
}


def go(plan: CountyPlan, step: str, people: People) -> None:
    """Take one step of WAYS by whose it is."""
    plan.refresh_from_db()
    if step in _PLAIN:
        who, at = _PLAIN[step]
        by = _of(people, who, plan) if who in ("clerk", "leader") else people[who]
        note = "请补齐整合区资料。" if step == "return" else ""
        take_step(plan_id=plan.pk, step=step, by=by, at=at, seen_state=plan.state, note=note)
    else:
        DONE_BY[step](plan, people)


def tick_all(plan: CountyPlan, people: People) -> None:
    """Tick every item of the formal check-list as present."""
    items = {rule.code: {"presence": "present", "note": ""} for rule in formal_items()}
    save_formal_review(plan_id=plan.pk, items=items, by=people["office"], at=ACCEPTED_AT)


def co_sign(plan: CountyPlan, people: People) -> None:
    """Let one member unit consent by its person, the others by rows like it."""
    given = give_opinion(
        plan_id=plan.pk, stance="agree", text="", by=people["member_unit"], at=SIGNED_AT
    )
    others = Organization.objects.filter(kind=OrganizationKind.MEMBER_UNIT).exclude(
        pk=given.unit_id
    )
    Opinion.objects.bulk_create(
        Opinion(version=given.version, unit=unit, stance="agree", by=given.by, at=SIGNED_AT)
        for unit in others
    )


def make_experts(people: People, number: int = 3) -> list[Expert]:
    """Have experts in the pool; the first is the person of the fixture."""
    users = [people["expert"]]
    for at in range(2, number + 1):
        user, _ = User.objects.get_or_create(
            username=f"expert_{at}", defaults={"name": f"评审专家测试员{at}"}
        )
        users.append(user)
    return [
        Expert.objects.get_or_create(
            user=user,
            defaults={"title": "高级工程师", "speciality": "采矿", "employer": f"测试研究院{at}"},
        )[0]
        for at, user in enumerate(users, 1)
    ]


def draw(plan: CountyPlan, people: People) -> Panel:
    """Draw a panel of all three experts; the seed makes the expert of the fixture its chair."""
    experts = make_experts(people)
    first = experts[0].pk
    seed = next(
        str(at) for at in range(200) if ranked([each.pk for each in experts], str(at))[0] == first
    )
    return draw_panel(
        plan_id=plan.pk, size=3, set_aside={}, held_on=date(2025, 9, 2), place="测试会议室",
        by=people["office"], at=SIGNED_AT, seed=seed,
    )  # fmt: skip


def answer_as(plan: CountyPlan, people: People, stance: str) -> Panel:
    """Let every expert of the panel answer alike, and the chair conclude."""
    plan.refresh_from_db()
    panel = Panel.objects.get(version=plan.versions.first())
    sitting = [member.expert.user for member in panel.sitting()]
    for user in sitting:
        if stance == "change":
            add_remark(
                plan_id=plan.pk, text="请补充论证。", must_change=True, mine_id=None,
                area_id=None, clause="四(二)2", by=user, at=REVIEWED_AT,
            )  # fmt: skip
        give_stance(plan_id=plan.pk, stance=stance, summary="如上。", by=user, at=REVIEWED_AT)
    return conclude(
        plan_id=plan.pk, overall="总体可行。", merits="", by=sitting[0], at=REVIEWED_AT,
        seen_state=plan.state,
    )  # fmt: skip


def revise(plan: CountyPlan, people: People) -> None:
    """Answer every demand of the experts and upload the next version."""
    clerk = _of(people, "clerk", plan)
    for item in RevisionItem.objects.filter(panel__version__plan=plan):
        answer_revision(item_id=item.pk, answer="已补充。", page="12", by=clerk, at=REVIEWED_AT)
    add_version(plan, people, b"revised", at=REVIEWED_AT)


def pdf_scan(name: str = "批文.pdf") -> SimpleUploadedFile:
    """Return an upload that is a PDF by its bytes."""
    return SimpleUploadedFile(name, b"%PDF-1.7\n%%EOF\n")


def approve(plan: CountyPlan, people: People) -> None:
    """Record the city government's approval of a plan that its leader has endorsed."""
    record_approval(
        plan_id=plan.pk, document_number="朔政函〔2025〕9号（示例）", approved_on=date(2025, 9, 2),
        scan=pdf_scan(), by=people["office"], at=APPROVED_AT, seen_state=State.ENDORSED,
    )  # fmt: skip


def file_with_province(plan: CountyPlan, people: People) -> None:
    """Record the filing with the province."""
    record_filing(
        plan_id=plan.pk, document_number="朔政报〔2025〕3号（示例）", dated_on=date(2025, 9, 2),
        organ="山西省自然资源厅", scan=pdf_scan(), by=people["office"], at=APPROVED_AT,
    )  # fmt: skip


def reply(plan: CountyPlan, people: People) -> None:
    """Record the reply of the province."""
    record_reply(
        plan_id=plan.pk, document_number="晋自然资函〔2025〕5号（示例）",
        dated_on=date(2025, 9, 2), organ="山西省自然资源厅", scan=pdf_scan(),
        by=people["office"], at=APPROVED_AT, seen_state=State.PROVINCE,
    )  # fmt: skip


def issue(plan: CountyPlan, people: People) -> None:
    """Issue a plan after the end of its notice."""
    issue_plan(
        plan_id=plan.pk, document_number="朔政办发〔2025〕7号（示例）", dated_on=date(2025, 9, 22),
        organ="朔州市人民政府办公室", scan=pdf_scan(), note="", by=people["office"], at=ISSUED_AT,
        seen_state=State.PUBLISHED,
    )  # fmt: skip


def finish_tasks(plan: CountyPlan, people: People) -> None:
    """Mark every task of a plan as done."""
    del people
    PlanTask.objects.filter(plan=plan).update(done_on=date(2025, 9, 20), evidence="验收通过")


def adjust(plan: CountyPlan, people: People) -> CountyPlan:
    """Open an adjustment of a plan and walk it until it is published."""
    adjustment = start_adjustment(
        plan_id=plan.pk, why="矿区范围需要调整。", by=_of(people, "clerk", plan), at=PUBLISHED_AT
    )
    add_version(adjustment, people, b"adjusted")
    for step in WAYS[State.PUBLISHED].split():
        go(adjustment, step, people)
    return adjustment


DONE_BY: dict[str, Callable[[CountyPlan, People], Any]] = {
    "formal": tick_all,
    "opinions": co_sign,
    "draw": draw,
    "pass": lambda plan, people: answer_as(plan, people, "pass"),
    "change": lambda plan, people: answer_as(plan, people, "change"),
    "revise": revise,
    "approve": approve,
    "file": file_with_province,
    "reply": reply,
    "publish": lambda plan, people: publish(plan, people),
    "issue": issue,
    "done": finish_tasks,
    "adjusted": adjust,
}


def publish(plan: CountyPlan, people: People, starts_on: date = date(2025, 9, 3)) -> Notice:
    """Publish an approved plan for five working days."""
    return publish_notice(
        plan_id=plan.pk, working_days=5, starts_on=starts_on, by=people["office"],
        at=PUBLISHED_AT, seen_state=State.APPROVED,
    )  # fmt: skip


def _of(people: People, role: str, plan: CountyPlan) -> User:
    """Return the person who holds a county role in the plan's county."""
    prefix = "" if _is_first(people, plan.county) else "other_"
    return people[f"{prefix}county_{role}"]


def _is_first(people: People, county: County) -> bool:
    body = people["county_clerk"].organization
    return body is not None and body.county_id == county.pk


def demo_plan_facts() -> dict[str, Any]:
    """Return the demo plan of 朔城区 as a clerk would type it."""
    path = settings.BASE_DIR / "fixtures" / "demo" / "plan_140602.json"
    facts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return facts


def filled_workbook(plan: CountyPlan) -> bytes:
    """Return the county's template with the demo plan typed into it."""
    return _filled(make_template(plan))


@cache
def _filled(template: bytes) -> bytes:
    return fill(template, demo_plan_facts())
