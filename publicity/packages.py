"""Pack a notice for the two official sites: page, PDF, maps, attachments, checksums."""

import base64
import hashlib
import io
import zipfile
from datetime import datetime
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from publicity.documents import AREA_COLUMNS, MINE_COLUMNS
from publicity.drawing import draw_png, draw_svg, lay_out
from publicity.models import Notice
from publicity.shapes_shown import after, before
from shuozhou_mines.printing import write_pdf
from standards.terms import Disposition, Verdict


def pack(notice: Notice) -> bytes:
    """Return the zip, the same bytes for the same notice; nothing but frozen content goes in."""
    maps = _maps(notice)
    page = package_html(notice, _picture_names(), pdf=False)
    inline = {
        side: "data:image/svg+xml;base64," + base64.b64encode(maps[f"map-{side}.svg"]).decode()
        for side in ("before", "after")
    }
    files = {
        "index.html": page.encode(),
        "notice.pdf": write_pdf(package_html(notice, inline, pdf=True)),
        **maps,
    }
    for number, document in enumerate(notice.documents.order_by("pk"), 1):
        suffix = document.file_name.rsplit(".", 1)[-1]
        with document.file.open("rb") as file:
            files[f"attachments/{number}.{suffix}"] = file.read()
    sums = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in files.items())
    files["SHA256SUMS.txt"] = sums.encode()
    return _zip(files, timezone.localtime(notice.published_at))


def _zip(files: dict[str, bytes], at: datetime) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, at.timetuple()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return out.getvalue()


def _maps(notice: Notice) -> dict[str, bytes]:
    note = f"审图号：{settings.SITE_FOOTER['map_approval']}"
    found = {}
    for side, title, shapes in (
        ("before", "整合前", notice.shapes.filter(before())),
        ("after", "整合后", notice.shapes.filter(after())),
    ):
        drawing = lay_out(shapes.order_by("pk"))
        words = f"{notice.content['county']}（{title}）"
        found[f"map-{side}.svg"] = draw_svg(drawing, title=words, note=note).encode()
        found[f"map-{side}.png"] = draw_png(drawing, title=words, note=note)
    return found


def _picture_names() -> dict[str, str]:
    return {"before": "map-before.png", "after": "map-after.png"}


def package_html(notice: Notice, pictures: dict[str, str], *, pdf: bool) -> str:
    """Return the page of a package; `pictures` names the two maps."""
    url = settings.SITE_URL.rstrip("/") + reverse("notice", args=[notice.pk])
    findings = notice.content.get("findings") or {}
    context: dict[str, Any] = {
        "notice": notice,
        "content": notice.content,
        "meta": page_meta(notice, url),
        "counts": [
            (kind.label, notice.content["counts"].get(kind.value, 0)) for kind in Disposition
        ],
        "mines": _rows(notice.content["mines"], MINE_COLUMNS),
        "mine_heads": list(MINE_COLUMNS.values()),
        "areas": _rows(notice.content["areas"], AREA_COLUMNS),
        "area_heads": list(AREA_COLUMNS.values()),
        "findings": findings,
        "verdicts": [(each.label, findings["counts"][each.value]) for each in Verdict if findings],
        "pictures": pictures,
        "documents": [
            (f"attachments/{number}.{row.file_name.rsplit('.', 1)[-1]}", row.title)
            for number, row in enumerate(notice.documents.order_by("pk"), 1)
        ],
        "footer": settings.SITE_FOOTER,
        "url": url,
        "pdf": pdf,
        "demo": settings.DEMO,
    }
    return render_to_string("pdf/notice_package.html", context)


def page_meta(notice: Notice, url: str) -> list[tuple[str, str]]:
    """Return the meta tags that government sites carry."""
    footer = settings.SITE_FOOTER
    return [
        ("SiteName", "朔州市非煤矿山整治整合"),
        ("SiteDomain", settings.SITE_URL.split("://")[-1].rstrip("/")),
        ("SiteIDCode", footer["site_code"]),
        ("ColumnName", "方案公示"),
        ("ColumnType", "通知公告"),
        ("ArticleTitle", notice.title),
        ("PubDate", f"{timezone.localtime(notice.published_at):%Y-%m-%d %H:%M}"),
        ("ContentSource", footer["unit"]),
        ("Keywords", f"非煤矿山,整治整合,公示,{notice.content['county']}"),
        ("Author", footer["unit"]),
        ("Description", f"{notice.title}，公示 {notice.working_days} 个工作日"),
        ("Url", url),
    ]


def _rows(rows: list[dict[str, Any]], columns: dict[str, str]) -> list[list[str]]:
    return [[_words(key, row[key]) for key in columns] for row in rows]


def _words(key: str, value: Any) -> str:
    if key == "disposition":
        return Disposition(value).label
    return "、".join(value) if isinstance(value, list) else str(value)
