"""Pack a notice for the two official sites, and record where it appeared."""

import hashlib
import io
import zipfile
from datetime import date, datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image

from plans.workflow import State
from publicity.drawing import draw_svg, lay_out
from publicity.models import Appearance, Notice
from publicity.package_actions import record_appearance
from publicity.packages import pack
from shuozhou_mines.errors import Incomplete, NotAllowed
from shuozhou_mines.jobs import run_job
from shuozhou_mines.models import Job
from tests.conftest import SHUOCHENG
from tests.factories import SHANGHAI, plan_at

AT = datetime(2025, 9, 4, 10, 0, tzinfo=SHANGHAI)
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 40 + b"IEND\xaeB`\x82"


@pytest.fixture
def notice(people: Any, counties: Any) -> Notice:
    plan_at(State.PUBLISHED, people, counties[SHUOCHENG])
    run_job(Job.objects.get(kind="publicity.documents").pk)
    return Notice.objects.get()


def opened(content: bytes) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(content))


def test_the_package_holds_page_maps_attachments_and_sums(notice, settings) -> None:
    settings.SITE_URL = "https://portal.example"
    archive = opened(pack(notice))
    names = archive.namelist()
    assert names[:6] == [
        "index.html", "notice.pdf", "map-before.svg", "map-before.png", "map-after.svg",
        "map-after.png",
    ]  # fmt: skip
    assert {"attachments/1.xlsx", "attachments/2.csv", "SHA256SUMS.txt"} <= set(names)
    for line in archive.read("SHA256SUMS.txt").decode().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256(archive.read(name)).hexdigest() == digest
    page = archive.read("index.html").decode()
    assert '<meta name="ArticleTitle" content="朔城区非煤矿山整治整合实施方案公示">' in page
    assert '<meta name="PubDate" content="2025-09-02 16:00">' in page
    assert f'<meta name="Url" content="https://portal.example/notices/{notice.pk}/">' in page
    assert "审图号" in page
    assert archive.read("notice.pdf").startswith(b"%PDF-")
    assert Image.open(io.BytesIO(archive.read("map-before.png"))).size == (1200, 900)


def test_the_same_notice_packs_to_the_same_bytes(notice) -> None:
    assert pack(notice) == pack(notice)


def test_a_map_is_true_to_scale(notice) -> None:
    drawing = lay_out(notice.shapes.filter(kind="mine"))
    assert [piece.number for piece in drawing.pieces] == [1, 2]
    ring = drawing.pieces[0].rings[0]
    high = max(y for _, y in ring) - min(y for _, y in ring)
    # The factory's squares are 0.004 degrees high: 0.445 km.
    assert high / drawing.km == pytest.approx(0.445, abs=0.001)


def test_names_cannot_break_the_drawing(notice) -> None:
    notice.shapes.update(name="<script>alert(1)</script>")
    svg = draw_svg(lay_out(notice.shapes.all()), title="<b>", note="审图号")
    assert "<script>" not in svg
    assert "&lt;script&gt;" in svg


def test_an_empty_map_can_be_drawn(ground) -> None:
    assert draw_svg(lay_out([]), title="无", note="").endswith("</svg>")


def test_the_office_makes_and_fetches_it(notice, people, client) -> None:
    client.force_login(people["office"])
    asked = client.post(reverse("package-new", args=[notice.pk]))
    job = Job.objects.get(kind="publicity.package")
    assert asked["Location"] == reverse("job", args=[job.pk])
    run_job(job.pk)
    answer = client.get(reverse("package-file", args=[notice.pk]))
    assert "index.html" in opened(b"".join(answer.streaming_content)).namelist()


def test_an_appearance_is_recorded_and_shown_to_all(notice, people, client) -> None:
    client.force_login(people["office"])
    typed = {
        "site": "bureau", "url": "https://bureau.example/a.html", "starts_on": "2025-09-03",
        "ends_on": "2025-09-10",
        "screenshot": SimpleUploadedFile("../../x.html", PNG),
    }  # fmt: skip
    assert client.post(reverse("notice-sites", args=[notice.pk]), typed).status_code == 302
    row = Appearance.objects.get()
    assert str(row.screenshot.name).startswith("screenshots/")
    assert str(row.screenshot.name).endswith(".png")
    client.logout()
    page = client.get(reverse("notice", args=[notice.pk])).content.decode()
    assert "https://bureau.example/a.html" in page
    assert client.get(reverse("appearance-screenshot", args=[row.pk])).status_code == 302


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"url": "javascript:alert(1)"}, "http://"),
        ({"ends_on": date(2025, 9, 1)}, "结束日期"),
        ({"screenshot": b"<html>"}, "截图须是"),
    ],
)
def test_a_wrong_record_is_refused(changes, sentence, notice, people) -> None:
    facts = {
        "site": "bureau", "url": "https://b.example/", "starts_on": date(2025, 9, 3),
        "ends_on": date(2025, 9, 10), "screenshot": PNG, **changes,
    }  # fmt: skip
    with pytest.raises(Incomplete, match=sentence):
        record_appearance(notice_id=notice.pk, by=people["office"], at=AT, **facts)
    assert not Appearance.objects.exists()


def test_others_record_nothing(notice, people, client) -> None:
    client.force_login(people["county_leader"])
    assert client.get(reverse("notice-sites", args=[notice.pk])).status_code == 404
    assert client.post(reverse("package-new", args=[notice.pk])).status_code == 404
    with pytest.raises(NotAllowed):
        record_appearance(
            notice_id=notice.pk, site="bureau", url="https://b.example/", screenshot=PNG,
            starts_on=date(2025, 9, 3), ends_on=date(2025, 9, 10), by=people["county_leader"],
            at=AT,
        )  # fmt: skip
