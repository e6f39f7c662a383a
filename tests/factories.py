"""Make plausible rows for tests; every function takes what matters and fills in the rest."""

import json
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.gis.geos import MultiPolygon, Polygon
from django.core.files.uploadedfile import SimpleUploadedFile

from mines.models import CGCS2000, Boundary, Holder, Licence, Mine, Mineral, ProductionSystem
from plans.actions import give_opinion, open_plan, receive_version, record_approval, take_step
from plans.compliance import find, save_run
from plans.models import CountyPlan, Disposition, PlanVersion
from plans.registry import make_template
from plans.workflow import State
from publicity.actions import publish_notice
from publicity.models import Notice
from shuozhou_mines.walk_workbook import fill
from standards.terms import Method, MineState, ScaleUnit
from taskforce.models import County, User

LIMESTONE = "83907"
SHANGHAI = ZoneInfo("Asia/Shanghai")
# A Tuesday; what a plan goes through happens at whole hours from here on.
OPENED_AT = datetime(2025, 9, 2, 9, 0, tzinfo=SHANGHAI)
SUBMITTED_AT = OPENED_AT + timedelta(hours=2)
RETURNED_AT = OPENED_AT + timedelta(hours=3)
ACCEPTED_AT = OPENED_AT + timedelta(hours=4)
SIGNED_AT = OPENED_AT + timedelta(hours=5)
APPROVED_AT = OPENED_AT + timedelta(hours=6)
PUBLISHED_AT = OPENED_AT + timedelta(hours=7)

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
    walk = {
        State.DRAFT: (),
        State.SUBMITTED: ("submit",),
        State.RETURNED: ("submit", "return"),
        State.CO_SIGNING: ("submit", "accept"),
        State.APPROVED: ("submit", "accept", "opinion", "approve"),
        State.PUBLISHED: ("submit", "accept", "opinion", "approve", "publish"),
    }
    for step in walk[state]:
        _go(plan, step, people)
    plan.refresh_from_db()
    assert plan.state == state
    return plan


def _go(plan: CountyPlan, step: str, people: People) -> None:
    plan.refresh_from_db()
    office = people["office"]
    if step == "submit":
        leader = _of(people, "leader", plan)
        take_step(plan_id=plan.pk, step=step, by=leader, at=SUBMITTED_AT, seen_state=plan.state)
    elif step == "return":
        take_step(
            plan_id=plan.pk, step=step, by=office, at=RETURNED_AT, seen_state=plan.state,
            note="请补齐整合区资料。",
        )  # fmt: skip
    elif step == "accept":
        take_step(plan_id=plan.pk, step=step, by=office, at=ACCEPTED_AT, seen_state=plan.state)
    elif step == "opinion":
        give_opinion(
            plan_id=plan.pk, stance="agree", text="", by=people["member_unit"], at=SIGNED_AT
        )
    elif step == "approve":
        approve(plan, people)
    else:
        publish(plan, people)


def approve(plan: CountyPlan, people: People) -> None:
    """Record the approval of a plan that is being co-signed."""
    record_approval(
        plan_id=plan.pk, document_number="朔政函〔2025〕9号（示例）", approved_on=date(2025, 9, 2),
        by=people["office"], at=APPROVED_AT, seen_state=State.CO_SIGNING,
    )  # fmt: skip


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
