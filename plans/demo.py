"""Load the demo pool of experts; every entry is marked 示例."""

import json

from django.conf import settings

from plans.models import Expert
from taskforce.models import User


def load_demo_experts() -> None:
    """Make the pool's entries once; the accounts are there already."""
    path = settings.BASE_DIR / "fixtures" / "demo" / "experts.json"
    for row in json.loads(path.read_text(encoding="utf-8"))["experts"]:
        user = User.objects.filter(username=row["username"], is_demo=True).first()
        if user is not None:
            Expert.objects.get_or_create(
                user=user,
                defaults={
                    "title": row["title"],
                    "speciality": row["speciality"],
                    "employer": row["employer"],
                    "is_demo": True,
                },
            )
