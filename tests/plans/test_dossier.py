"""Hold what is told and kept of a plan's way: messages, mail, story, the whole dossier."""

import csv
import hashlib
import io
import json
import zipfile
from typing import Any

from django.core import mail
from django.test import Client
from django.urls import reverse

from plans.announcements import ANNOUNCE
from plans.dossier import LIST_OF_HASHES, queue_dossier
from plans.models import Dossier
from plans.workflow import State
from shuozhou_mines import jobs
from shuozhou_mines.models import Job
from taskforce.models import Message, User
from tests.conftest import SHUOCHENG
from tests.factories import plan_at


def _run(kind: str) -> None:
    for job in Job.objects.filter(kind=kind, state="queued").order_by("pk"):
        jobs.run_job(job.pk)


def test_whose_turn_it_is_is_told_once_in_the_portal_and_by_mail(people, counties) -> None:
    for name in ("county_leader", "office", "other_county_leader"):
        User.objects.filter(pk=people[name].pk).update(email=f"{name}@example.org")
    plan = plan_at(State.SUBMITTED, people, counties[SHUOCHENG])
    _run(ANNOUNCE)
    Job.objects.filter(kind=ANNOUNCE).update(state="queued", finished_at=None)
    _run(ANNOUNCE)  # delivered twice
    assert [(message.subject, message.bcc) for message in mail.outbox] == [
        ("朔城区方案已办理“审定并报送”，现在是“已报送”，请办理。", ["office@example.org"]),
    ]
    told = Message.objects.order_by("pk").values_list("to__username", "url")
    url = reverse("plan", args=[plan.pk])
    # The county's leader has acted already when the message is written, and gets none.
    assert list(told) == [("office", url)]
    client = Client()
    client.force_login(people["office"], "django.contrib.auth.backends.ModelBackend")
    assert client.get(reverse("messages")).context["portal"]["unread"] == 1
    client.post(reverse("messages-read"))
    assert client.get(reverse("messages")).context["portal"]["unread"] == 0


def test_the_dossier_holds_everything_with_its_hash(people, counties) -> None:
    plan = plan_at(State.RECHECK, people, counties[SHUOCHENG])
    job = queue_dossier(plan, by=people["office"])
    assert queue_dossier(plan, by=people["county_clerk"]) == job
    jobs.run_job(job.pk)
    job.refresh_from_db()
    assert job.state == Job.State.DONE, job.error
    dossier = Dossier.objects.get(plan=plan)
    with dossier.file.open("rb") as file:
        content = file.read()
    assert hashlib.sha256(content).hexdigest() == dossier.sha256
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        assert {
            "版本/第1版.xlsx", "版本/第2版.xlsx", "检查结果/第1版.csv", "检查结果/第2版.csv",
            "评审/会签意见.json", "评审/形式审查.json", "评审/第1版抽取记录.json",
            "评审/第1版评审意见书.pdf", "评审/第1版修改说明对照表.pdf", "办理过程.pdf", "日志.json",
        } < set(names)  # fmt: skip
        assert archive.read("版本/第1版.xlsx") == b"first"
        listed = _rows(archive.read(LIST_OF_HASHES))
        assert {row[0] for row in listed[1:]} == set(names) - {LIST_OF_HASHES}
        for name, size, digest in listed[1:]:
            kept = archive.read(name)
            assert (len(kept), hashlib.sha256(kept).hexdigest()) == (int(size), digest), name
        opinions = json.loads(archive.read("评审/会签意见.json"))
        assert [row["stance"] for row in opinions] == ["同意"] * 9
        acts = [row["act"] for row in json.loads(archive.read("日志.json"))]
        assert acts[0] == "建立方案"
        assert acts[-1] == "送修改复核"
        assert archive.read("办理过程.pdf").startswith(b"%PDF-")
    client = Client()
    client.force_login(people["office"], "django.contrib.auth.backends.ModelBackend")
    answer = client.get(reverse("dossier-file", args=[plan.pk]))
    assert b"".join(answer.streaming_content) == content
    story = client.get(reverse("plan", args=[plan.pk]), {"part": "way"}).content.decode()
    for words in ("上传第1版", "市应急管理局会签：同意（第1版）", "专家意见（条款 四(二)2）"):
        assert words in story


def _rows(content: bytes) -> list[list[str]]:
    found: Any = csv.reader(io.StringIO(content.decode("utf-8-sig")))
    return list(found)
