"""Hold notices: published for working days, frozen with their hash, withdrawn in sight of all."""

import csv
import hashlib
import io
import json
import os
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from mines.models import Boundary, Licence, Mine
from plans.models import CountyPlan, MergedArea
from plans.workflow import State
from publicity import tasks
from publicity.actions import publish_notice, withdraw_notice
from publicity.freezing import PUBLIC_MINE_FIELDS, hash_of
from publicity.models import Notice, PublicDocument
from publicity.schedule import tend_documents
from shuozhou_mines import jobs
from shuozhou_mines.errors import Incomplete, NotAllowed, WrongState
from shuozhou_mines.models import Job
from tests.conftest import SHUOCHENG
from tests.factories import (
    ACCEPTED_AT,
    PUBLISHED_AT,
    SHANGHAI,
    SUBMITTED_AT,
    make_mine,
    plan_at,
    publish,
    square,
)

LATER = PUBLISHED_AT + timedelta(hours=1)


@pytest.fixture
def plan(people, counties) -> CountyPlan:
    """Return an approved plan of 朔城区: one mine to upgrade, two to merge into an area."""
    county = counties[SHUOCHENG]
    make_mine(county, 1, name="=甲矿", at=(112.41, 39.3), township="沙塄河乡")
    plan = plan_at(State.APPROVED, people, county, mines=3)
    version = plan.versions.get()
    area = MergedArea.objects.create(
        version=version, code="Z1", name="一区", lead_enterprise="甲公司", mineral_id="83907",
        method="open_pit", scale=Decimal("120.500"), scale_unit="wan_t",
        service_life_years=Decimal("10.00"), elevation_top_m=Decimal("1400.00"),
        elevation_bottom_m=Decimal("1300.50"), outline=square(112.42, 39.3, 0.02),
        area_km2=Decimal("3.8000"), due_on=date(2025, 12, 1),
    )  # fmt: skip
    version.dispositions.filter(mine__registry_no__gte="SZ-140602-0002").update(
        kind="merge", area=area, remarks="内部说明", responsible="张三"
    )
    return plan


@pytest.fixture
def notice(plan, people) -> Notice:
    """Return the plan's notice."""
    return publish(plan, people)


def withdraw(notice: Notice, people: Any, reason: str = "面积有误，更正后重新公示。") -> Notice:
    return withdraw_notice(notice_id=notice.pk, reason=reason, by=people["office"], at=LATER)


# --- how long ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("starts_on", "days", "last_day"),
    [
        (date(2025, 9, 3), 5, date(2025, 9, 10)),
        (date(2025, 9, 26), 5, date(2025, 10, 10)),  # over National Day, 28 September made up
        (date(2025, 9, 27), 1, date(2025, 9, 28)),
        (date(2025, 9, 5), 1, date(2025, 9, 8)),
    ],
)
def test_a_notice_ends_at_six_on_its_last_working_day(plan, people, starts_on, days, last_day):
    notice = publish_notice(
        plan_id=plan.pk, working_days=days, starts_on=starts_on, by=people["office"],
        at=PUBLISHED_AT, seen_state="approved",
    )  # fmt: skip
    assert notice.ends_at == datetime(
        last_day.year, last_day.month, last_day.day, 18, tzinfo=SHANGHAI
    )


def test_a_notice_does_not_begin_in_the_past(plan, people) -> None:
    def start(on: date, by: str = "office") -> Notice:
        return publish_notice(
            plan_id=plan.pk, working_days=5, starts_on=on, by=people[by], at=PUBLISHED_AT,
            seen_state="approved",
        )  # fmt: skip

    with pytest.raises(Incomplete, match="公示开始日期不能早于今天。"):
        start(date(2025, 9, 1))
    # Whose step it is comes before what is wrong with it.
    with pytest.raises(NotAllowed, match="只有专班办公室可以公示方案。"):
        start(date(2025, 9, 1), by="county_leader")
    plan.refresh_from_db()
    assert (plan.state, Notice.objects.count()) == (State.APPROVED, 0)
    assert start(date(2025, 9, 2)).starts_on == date(2025, 9, 2)


@pytest.mark.parametrize("state", [State.SUBMITTED, State.CO_SIGNING])
def test_only_an_approved_plan_is_published(state, people, counties) -> None:
    plan = plan_at(state, people, counties[SHUOCHENG])
    moment = {State.SUBMITTED: SUBMITTED_AT, State.CO_SIGNING: ACCEPTED_AT}[state]
    with pytest.raises(WrongState, match=f"{moment:%Y-%m-%d %H:%M}"):
        publish(plan, people)


# --- what is frozen ------------------------------------------------------------------------------


def test_content_is_what_the_public_may_see_and_no_more(notice) -> None:
    content = notice.content
    assert content["county"] == "朔城区"
    assert content["version"] == 1
    assert content["approval"] == {
        "organ": "朔州市人民政府",
        "document_number": "朔政函〔2025〕9号（示例）",
        "approved_on": "2025-09-02",
    }
    assert content["counts"] == {"close": 0, "exit": 0, "merge": 2, "upgrade": 1, "keep": 0}
    assert content["mines"][0] == {
        "registry_no": "SZ-140602-0001",
        "name": "=甲矿",
        "township": "沙塄河乡",
        "holder": "测试矿业1公司",
        "licence_no": "C1406002010017130100001",
        "mineral": "建筑石料用灰岩",
        "method": "露天开采",
        "area_km2": "0.2000",
        "scale": "60 万吨/年",
        "disposition": "upgrade",
        "reason": "改造为一个系统。",
        "area_code": "",
        "due_on": "",
    }
    assert content["areas"] == [
        {
            "code": "Z1",
            "name": "一区",
            "lead_enterprise": "甲公司",
            "members": ["测试2号矿", "测试3号矿"],
            "mineral": "建筑石料用灰岩",
            "method": "露天开采",
            "scale": "120.5 万吨/年",
            "service_life_years": "10",
            "area_km2": "3.8000",
            "elevation": "1400.00米至1300.50米",
            "due_on": "2025-12-01",
        }
    ]
    text = json.dumps(content, ensure_ascii=False)
    for inside in ("内部说明", "张三", "统一社会信用代码", "responsible"):
        assert inside not in text
    assert set(content["mines"][0]) == set(PUBLIC_MINE_FIELDS)


def test_the_hash_is_that_of_the_canonical_spelling(notice) -> None:
    spelled = json.dumps(
        notice.content, ensure_ascii=False, sort_keys=True, separators=(",", ":")
    ).encode()
    assert notice.sha256 == hash_of(notice.content) == hashlib.sha256(spelled).hexdigest()


def test_later_changes_of_the_registry_do_not_show(notice, client) -> None:
    url = reverse("notice", args=[notice.pk])
    shapes = reverse("notice-shapes", args=[notice.pk])
    before, drawn = client.get(url).content, client.get(shapes).json()
    Mine.objects.update(name="改了名")
    Licence.objects.update(scale=Decimal(1))
    Boundary.objects.update(outline=square(113.0, 39.9))
    MergedArea.objects.update(name="另一区")
    CountyPlan.objects.get().versions.get().dispositions.update(kind="close", area=None)
    notice.refresh_from_db()
    assert client.get(shapes).json() == drawn
    text = client.get(url).content.decode()
    assert "=甲矿" in text
    assert "改了名" not in text
    assert "另一区" not in text
    assert len(before) == len(client.get(url).content)
    assert hash_of(notice.content) == notice.sha256


def test_the_map_shows_mines_before_and_areas_after(notice, client) -> None:
    url = reverse("notice-shapes", args=[notice.pk])
    before = client.get(url, {"side": "before"}).json()["features"]
    after = client.get(url, {"side": "after"}).json()["features"]
    assert [each["properties"]["name"] for each in before] == ["=甲矿", "测试2号矿", "测试3号矿"]
    assert [each["properties"]["name"] for each in after] == ["=甲矿", "Z1 一区"]
    assert after[1]["geometry"]["type"] == "MultiPolygon"
    assert after[1]["properties"]["disposition"] == "merge"
    assert ["整合主体", "甲公司"] in after[1]["properties"]["facts"]


# --- withdrawing and publishing anew -------------------------------------------------------------


def test_a_withdrawn_notice_stays_in_sight_and_the_plan_may_be_published_again(
    plan, notice, people, client
) -> None:
    withdraw(notice, people)
    plan.refresh_from_db()
    assert plan.state == State.APPROVED
    assert plan.steps.last().note == "面积有误，更正后重新公示。"
    page = client.get(reverse("notice", args=[notice.pk]))
    assert page.status_code == 200
    assert "面积有误，更正后重新公示。" in page.content.decode()
    assert "已撤回" in client.get(reverse("notice-list")).content.decode()
    assert client.get(reverse("public-shapes")).json()["features"] == []
    again = publish(plan, people)
    assert again.pk != notice.pk
    assert again.replaces == notice
    assert again.title == "朔城区非煤矿山整治整合实施方案更正公示"
    old_page = client.get(reverse("notice", args=[notice.pk])).content.decode()
    assert f'href="/notices/{again.pk}/">朔城区非煤矿山整治整合实施方案更正公示</a>' in old_page
    new_page = client.get(reverse("notice", args=[again.pk])).content.decode()
    assert f'href="/notices/{notice.pk}/">朔城区非煤矿山整治整合实施方案公示</a>' in new_page
    assert "撤回原因：面积有误，更正后重新公示。" in new_page
    assert Notice.objects.in_force().get() == again
    assert Notice.objects.public().count() == 2
    assert client.get(reverse("notice", args=[notice.pk])).status_code == 200
    assert len(client.get(reverse("public-shapes")).json()["features"]) == 3


def test_a_notice_is_withdrawn_once_and_for_a_reason(notice, people) -> None:
    with pytest.raises(Incomplete, match="撤回公示必须写明原因，原因会对外公开。"):
        withdraw(notice, people, reason=" \n")
    with pytest.raises(NotAllowed, match="只有专班办公室可以公示方案。"):
        withdraw_notice(notice_id=notice.pk, reason="更正。", by=people["county_leader"], at=LATER)
    withdraw(notice, people)
    with pytest.raises(WrongState, match="这份公示已经撤回。"):
        withdraw(notice, people)
    notice.refresh_from_db()
    assert notice.withdrawn_at == LATER


def test_a_published_plan_is_not_published_twice(plan, notice, people) -> None:
    with pytest.raises(WrongState, match="办理“公示”，方案现在是“公示”"):
        publish(plan, people)
    assert Notice.objects.count() == 1


# --- files ---------------------------------------------------------------------------------------


@pytest.fixture
def documents(notice) -> dict[str, PublicDocument]:
    """Return the notice's files by the end of their name, as the job made them."""
    jobs.run_job(Job.objects.get(kind=tasks.DOCUMENTS).pk)
    return {row.file_name.rpartition(".")[2]: row for row in notice.documents.all()}


def test_files_hold_the_frozen_content_as_text(notice, documents, client) -> None:
    Mine.objects.update(name="改了名")
    answer = client.get(reverse("public-document", args=[documents["xlsx"].pk]))
    content = b"".join(answer.streaming_content)
    assert hashlib.sha256(content).hexdigest() == documents["xlsx"].sha256
    assert len(content) == documents["xlsx"].size
    assert "attachment" in answer["Content-Disposition"]
    book = load_workbook(io.BytesIO(content))
    assert book.sheetnames == ["矿山与处置", "整合区"]
    cells = _columns(book["矿山与处置"])
    assert [(cell.value, cell.data_type) for cell in cells["矿山名称"]] == [
        ("=甲矿", "s"), ("测试2号矿", "s"), ("测试3号矿", "s"),
    ]  # fmt: skip
    assert [cell.value for cell in _columns(book["整合区"])["参与整合矿山"]] == [
        "测试2号矿、测试3号矿"
    ]
    answer = client.get(reverse("public-document", args=[documents["csv"].pk]))
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["矿山名称"] for row in rows] == ["'=甲矿", "测试2号矿", "测试3号矿"]
    assert [row["处置方式"] for row in rows] == ["升级改造", "整合重组", "整合重组"]


def _columns(sheet: Any) -> dict[str, tuple[Any, ...]]:
    """Return a sheet's cells below each head."""
    return {column[0].value: column[1:] for column in sheet.iter_cols()}


def test_made_again_the_files_are_replaced_in_place(
    notice, documents, settings, django_capture_on_commit_callbacks
) -> None:
    again = jobs.enqueue(kind=tasks.DOCUMENTS, subject=notice, key="again")
    with django_capture_on_commit_callbacks(execute=True):
        jobs.run_job(again.pk)
    remade = {row.pk: row for row in notice.documents.all()}
    assert set(remade) == {row.pk for row in documents.values()}
    for old in documents.values():
        assert remade[old.pk].file.name != old.file.name
    left = {file.name for file in (settings.MEDIA_ROOT / "public").iterdir()}
    assert left == {row.file.name.rpartition("/")[2] for row in remade.values()}


def test_files_that_no_row_names_are_swept_away_after_a_day(notice, documents, settings) -> None:
    folder = settings.MEDIA_ROOT / "public"
    old, new = folder / "old.csv", folder / "new.csv"
    for file in (old, new):
        file.write_bytes(b"x")
    for file in (old, *(folder / row.file.name.rpartition("/")[2] for row in documents.values())):
        os.utime(file, (0, 0))
    cache.clear()
    tend_documents(timezone.now())
    assert not old.exists()
    assert new.exists()
    assert len(list(folder.iterdir())) == 4
    old.write_bytes(b"x")
    os.utime(old, (0, 0))
    tend_documents(timezone.now())  # once a day is enough
    assert old.exists()


def test_a_file_gone_from_the_disk_is_said_so_and_logged(documents, client, caplog) -> None:
    row = documents["csv"]
    Path(row.file.path).unlink()
    answer = client.get(reverse("public-document", args=[row.pk]))
    assert answer.status_code == 503
    assert answer["Retry-After"] == "600"
    assert "文件暂时取不到" in answer.content.decode()
    assert row.file.name in caplog.text
    assert client.get(reverse("public-document", args=[999_999])).status_code == 404


def test_a_file_is_not_sent_twice_and_goes_with_its_notice(notice, documents, people, client):
    url = reverse("public-document", args=[documents["csv"].pk])
    first = client.get(url)
    b"".join(first.streaming_content)
    again = client.get(url, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert f'"{documents["csv"].sha256}"' == first["ETag"]
    withdraw(notice, people)
    assert client.get(url).status_code == 404


# --- the office's pages --------------------------------------------------------------------------


@pytest.fixture
def office(people) -> Client:
    client = Client()
    client.force_login(people["office"], "django.contrib.auth.backends.ModelBackend")
    return client


def test_the_desk_offers_what_is_approved(plan, office) -> None:
    text = office.get(reverse("notice-desk")).content.decode()
    assert reverse("notice-new", args=[plan.pk]) in text
    form = office.get(reverse("notice-new", args=[plan.pk])).context["form"]
    assert form.initial["seen_state"] == "approved"
    # A browser takes no other spelling of a day.
    assert f'value="{timezone.localdate().isoformat()}"' in str(form["starts_on"])


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"working_days": "0"}, "至少 1 个工作日。"),
        ({"working_days": "61"}, "最多 60 个工作日。"),
        ({"starts_on": "明天"}, "请按 2026-05-30 的样子填写日期。"),
        ({"starts_on": "2020-01-01"}, "公示开始日期不能早于今天。"),
    ],
)
def test_a_wrong_form_keeps_what_was_typed(plan, office, typed, sentence) -> None:
    given = {"seen_state": "approved", "starts_on": "2999-01-04", "working_days": "7"} | typed
    answer = office.post(reverse("notice-new", args=[plan.pk]), given)
    assert answer.status_code == 422
    text = answer.content.decode()
    assert sentence in text
    for value in typed.values():
        assert f'value="{value}"' in text


def test_withdrawing_needs_its_reason_on_the_page_too(notice, office) -> None:
    url = reverse("notice-withdraw", args=[notice.pk])
    assert office.post(url, {"reason": " "}).status_code == 302
    notice.refresh_from_db()
    assert notice.withdrawn_at is None
    office.post(url, {"reason": "<i>更正</i>"})
    text = office.get(reverse("notice-desk")).content.decode()
    assert "&lt;i&gt;更正" in text
    assert office.post(url, {"reason": "再"}).status_code == 409
