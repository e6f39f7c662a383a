"""Load what the product ships: counties, bodies, roster, minerals, holidays, demo data."""

import json
from datetime import date
from typing import Any

import chinese_calendar
from django.conf import settings
from django.contrib.gis.geos import MultiPolygon, Polygon
from django.core.management.base import BaseCommand
from django.db import transaction

from mines.demo import load_demo_mines
from mines.layer_demo import load_demo_layers
from mines.models import Mineral
from plans.demo import load_demo_experts
from plans.models import Round
from publicity.demo import load_demo_transfers
from rulebook.shipped import load_shipped_rulebook
from supervision.demo import load_demo_targets
from taskforce.actions import grant_role, write_rights
from taskforce.models import Appointment, County, Holiday, Organization, TaskForce, User
from taskforce.roles import Role

FIXTURES = settings.BASE_DIR / "fixtures"


class Command(BaseCommand):
    """Bring the shipped rows up to date; what people have entered stays as it is."""

    help = __doc__

    @transaction.atomic
    def handle(self, *_args: Any, **_options: Any) -> None:
        """Load every fixture; repeatable."""
        load_counties()
        load_organizations()
        load_roster()
        load_minerals()
        load_holidays()
        load_rounds()
        load_shipped_rulebook()
        write_rights()
        if settings.DEMO:
            load_demo_users()
            load_demo_experts()
            load_demo_mines()
            load_demo_layers()
            load_demo_targets()
            load_demo_transfers()
        self.stdout.write("基础数据已是最新。")


def _read(name: str) -> Any:
    return json.loads((FIXTURES / name).read_text(encoding="utf-8"))


def load_counties() -> None:
    """Load the six counties with their schematic outlines (示意)."""
    for row in _read("counties.json"):
        outline = MultiPolygon(Polygon(row["outline"]), srid=4490)
        County.objects.update_or_create(
            code=row["code"],
            defaults={"name": row["name"], "order": row["order"], "outline": outline},
        )


def load_organizations() -> None:
    """Load the bodies that clause 六(一) names."""
    for row in _read("organizations.json"):
        Organization.objects.update_or_create(
            name=row["name"],
            defaults={
                "short_name": row["short_name"],
                "kind": row["kind"],
                "county_id": row.get("county"),
                "order": row["order"],
                "duties": row.get("duties", ""),
            },
        )


def load_roster() -> None:
    """Load the posts of the Work Plan once; later changes belong to the office."""
    roster = _read("roster.json")
    city, made = TaskForce.objects.get_or_create(county=None, defaults={"name": roster["name"]})
    if not made:
        return
    organizations = {row.name: row for row in Organization.objects.all()}
    Appointment.objects.bulk_create(
        Appointment(
            task_force=city,
            post=row["post"],
            holder=row.get("holder", ""),
            title=row["title"],
            organization=organizations.get(row.get("organization", "")),
            starts_on=date.fromisoformat(roster["starts_on"]),
            reason=roster["source"],
            order=order,
        )
        for order, row in enumerate(roster["posts"])
    )


def load_minerals() -> None:
    """Load the minerals with their groups and class tables."""
    for row in _read("minerals.json"):
        facts = {key: value for key, value in row.items() if key not in ("code", "name")}
        Mineral.objects.update_or_create(
            code=row["code"], defaults={"name": row["name"], "facts": facts}
        )


def load_holidays() -> None:
    """Load the State Council's holidays and make-up days that the calendar package knows."""
    calendar = chinese_calendar.constants
    known = [
        Holiday(day=day, is_working=False, name=calendar.Holiday(name).chinese)
        for day, name in calendar.holidays.items()
    ] + [
        Holiday(day=day, is_working=True, name=f"{calendar.Holiday(name).chinese}调休上班")
        for day, name in calendar.workdays.items()
    ]
    Holiday.objects.bulk_create(known, ignore_conflicts=True)


def load_rounds() -> None:
    """Load the Work Plan's round with its two deadlines, once."""
    for row in _read("rounds.json"):
        Round.objects.get_or_create(
            name=row["name"],
            defaults={
                "compile_due_on": date.fromisoformat(row["compile_due_on"]),
                "finish_due_on": date.fromisoformat(row["finish_due_on"]),
            },
        )


def load_demo_users() -> None:
    """Make the demo accounts, one for each role; their password is in the fixture."""
    demo = _read("demo/users.json")
    for row in demo["users"]:
        organization = Organization.objects.filter(name=row.get("organization", "")).first()
        user, made = User.objects.get_or_create(
            username=row["username"],
            defaults={"name": row["name"], "organization": organization, "is_demo": True},
        )
        if made:
            user.set_password(demo["password"])
            user.save()
            county = County.objects.get(code=row["county"]) if "county" in row else None
            grant_role(to=user, role=Role(row["role"]), county=county)
