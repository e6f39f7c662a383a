"""Load grant results that were really published, so that the demonstration shows some."""

import json

from django.conf import settings

from publicity.models import TransferNotice


def load_demo_transfers() -> None:
    """Load them once; what the office has changed since stays as it is."""
    path = settings.BASE_DIR / "fixtures" / "demo" / "transfers.json"
    shipped = json.loads(path.read_text(encoding="utf-8"))
    for row in shipped["transfers"]:
        TransferNotice.objects.get_or_create(
            title=row["title"],
            defaults={
                "kind": TransferNotice.Kind.LISTING,
                "county_id": shipped["county"],
                "facts": row["facts"],
                "source": shipped["source"],
            },
        )
