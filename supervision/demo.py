"""Load invented targets (示例), so that demonstration reports have something to measure by."""

import json
from datetime import date

from django.conf import settings

from plans.models import Target
from supervision.consistency import BATCHES


def load_demo_targets() -> None:
    """Load the demo targets once; what the office has changed since stays as it is."""
    path = settings.BASE_DIR / "fixtures" / "demo" / "targets.json"
    shipped = json.loads(path.read_text(encoding="utf-8"))
    for row in shipped["targets"]:
        for kind in BATCHES:
            Target.objects.get_or_create(
                county_id=row["county"],
                kind=kind.value,
                valid_from=date.fromisoformat(shipped["valid_from"]),
                defaults={
                    "number": row[kind.value],
                    "document_number": shipped["document_number"],
                    "is_demo": True,
                },
            )
