"""Pages of the rulebook: who sees them, what they refuse, that nothing typed is lost."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse

from rulebook.actions import start_draft
from rulebook.models import Flip, RulebookVersion, WhatIf
from taskforce.roles import Role
from tests.conftest import make_person

AT = datetime(2026, 11, 20, 9, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
QUARRY = "scale.min.quarry"


@pytest.fixture
def office(people, client):
    client.force_login(people["office"], backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def draft(people) -> RulebookVersion:
    return start_draft(by=people["office"], at=AT)


def entry_url(draft: RulebookVersion, key: str = QUARRY) -> str:
    return reverse("rulebook-entry", args=[draft.number, draft.entries.get(key=key).pk])


def typed(draft: RulebookVersion, key: str = QUARRY, **changes: str) -> dict[str, str]:
    entry = draft.entries.get(key=key)
    return {
        "seen": entry.entered_at.isoformat(), "value": "50", "confidence": "certain",
        "source": "某文件", "clause": "一", "note": "", "valid_from": "", "valid_to": "", **changes,
    }  # fmt: skip


def test_office_reads_and_others_find_nothing(people, client, draft) -> None:
    addresses = [
        reverse("rulebook"),
        reverse("rulebook-version", args=[1]),
        reverse("rulebook-version", args=[2]),
        reverse("rulebook-changes", args=[2]),
        entry_url(draft),
    ]
    for name, person in people.items():
        client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
        expected = 200 if name == "office" else 404
        assert [client.get(url).status_code for url in addresses] == [expected] * 5, name


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        (QUARRY, "五十", "“五十”不是数字。请只填数字，例如 50；单位“万吨/年”已在栏内。"),
        (QUARRY, "-1", "请填不小于 0 的数字。"),
        (QUARRY, "", "没有数值的条目只能标为“待核实”。"),
        ("dormant.months", "2.5", "单位是“个月”，请填整数。"),
        ("added.review_percent", "120", "单位是“%”，数值不能大于 100。"),
        ("deadline.reach_minimum", "2025年底", "不是日期，请写成 2025-12-31 的样子。"),
        ("opinions.required", "水利\n水利", "“水利”写了两次，请删去一个。"),
        ("exploration.metal", "guess", "请从列出的勘查程度里选一种。"),
    ],
)
def test_wrong_value_is_told_and_kept(office, draft, key, value, sentence) -> None:
    answer = office.post(entry_url(draft, key), typed(draft, key, value=value, note="我的备注"))
    page = answer.content.decode()
    assert answer.status_code == 200
    assert sentence in page
    assert "我的备注" in page
    assert "某文件" in page


def test_value_is_saved_into_the_draft(office, draft) -> None:
    answer = office.post(entry_url(draft), typed(draft, value="40"))
    assert answer.status_code == 302
    entry = draft.entries.get(key=QUARRY)
    assert (entry.value, entry.entered_by.username) == ("40", "office")


def test_list_is_one_part_a_line(office, draft) -> None:
    office.post(
        entry_url(draft, "opinions.required"),
        typed(draft, "opinions.required", value="水利\n 林草 \n"),
    )
    assert draft.entries.get(key="opinions.required").value == ["水利", "林草"]


def test_hearsay_is_confirmed_with_its_source_only(office, draft) -> None:
    key = "treatment_plan.days"
    answer = office.post(entry_url(draft, key), typed(draft, key, value="90", source="", clause=""))
    assert "请写明来源文件；没有可靠来源的，可信程度选“待核实”。" in answer.content.decode()
    answer = office.post(entry_url(draft, key), typed(draft, key, value="90", clause=""))
    assert "核实一个条目时，请写明数值在来源文件的哪一条。" in answer.content.decode()
    office.post(entry_url(draft, key), typed(draft, key, value="90"))
    assert draft.entries.get(key=key).confidence == "certain"


def test_slower_editor_keeps_what_was_typed(office, people, draft) -> None:
    old = typed(draft, value="45", note="我的备注")
    office.post(entry_url(draft), typed(draft, value="40"))
    answer = office.post(entry_url(draft), old)
    page = answer.content.decode()
    assert "修改过这一条" in page
    assert 'value="45"' in page
    assert "我的备注" in page
    entry = draft.entries.get(key=QUARRY)
    assert entry.value == "40"
    office.post(entry_url(draft), {**old, "seen": entry.entered_at.isoformat()})
    assert draft.entries.get(key=QUARRY).value == "45"


def test_search_finds_by_title_and_source(office) -> None:
    page = office.get(reverse("rulebook-version", args=[1]), {"q": "采石场"}).content.decode()
    assert "露天采石场独立生产系统最低生产规模" in page
    assert "金矿独立生产系统最低生产规模" not in page


def test_differences_name_before_and_after(office, draft) -> None:
    office.post(entry_url(draft), typed(draft, value="40"))
    page = office.get(reverse("rulebook-changes", args=[2])).content.decode()
    assert "50 万吨/年" in page
    assert "<strong>40 万吨/年</strong>" in page
    assert "这份草案由你起草，须由另一位同志批准。" in page


def test_second_person_approves_on_the_page(office, draft, people, client) -> None:
    office.post(entry_url(draft), typed(draft, value="40"))
    draft.refresh_from_db()
    second = make_person("second", Role.OFFICE)
    client.force_login(second, backend="django.contrib.auth.backends.ModelBackend")
    seen = draft.changed_at.isoformat()
    answer = client.post(reverse("rulebook-approve", args=[2]), {"seen": seen})
    assert answer.status_code == 302
    draft.refresh_from_db()
    assert (draft.state, draft.approved_by) == ("approved", second)
    answer = client.get(reverse("standards"))
    assert "第2版" in answer.content.decode()


def test_pages_ask_the_same_number_of_queries_however_long(
    office, draft, people, django_assert_max_num_queries
) -> None:
    trial = WhatIf.objects.create(
        version=draft, against=draft.based_on, draft_as_of=draft.changed_at, tried_on=AT.date(),
        finished_at=AT + timedelta(hours=1), mines=100, plans=0,
    )  # fmt: skip
    Flip.objects.bulk_create(
        Flip(
            what_if=trial, place="registry", place_name="朔城区", subject_name=f"{number}号矿",
            rule="S-B07", before="pass", after="fail", message="低于最低规模。",
        )
        for number in range(60)
    )  # fmt: skip
    for url, most in (
        (reverse("rulebook"), 11),
        (reverse("rulebook-version", args=[2]), 11),
        (reverse("rulebook-changes", args=[2]), 14),
        (reverse("rulebook-what-if", args=[trial.pk]), 13),
    ):
        with django_assert_max_num_queries(most):
            assert office.get(url).status_code == 200
    page = office.get(reverse("rulebook-what-if", args=[trial.pk])).content.decode()
    assert "符合 → 不符合" in page
    assert "共 60 条" in page
