"""Put a whole plan into one zip: documents, versions, findings, opinions, trail, hashes."""

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from plans.models import CountyPlan, Dossier, Finding, Opinion, Panel
from plans.review_documents import opinion_paper, revision_paper, story_paper
from plans.rulings import rulings_of
from shuozhou_mines.jobs import Run, enqueue, handles
from shuozhou_mines.models import Job
from shuozhou_mines.storage import discard, store
from taskforce.models import TrailEntry

MAKE_DOSSIER = "plans.dossier"
LIST_OF_HASHES = "校验清单.csv"

Entry = tuple[str, bytes]


def queue_dossier(plan: CountyPlan, *, by: Any) -> Job:
    """Queue a dossier; while one is being made for the same state of the plan, return that."""
    asked = Job.objects.about(plan).filter(kind=MAKE_DOSSIER)
    last = asked.first()
    if last is not None and last.is_open:
        return last
    return enqueue(kind=MAKE_DOSSIER, subject=plan, key=f"{plan.pk}:{asked.count() + 1}", by=by)


@handles(MAKE_DOSSIER, "整理方案档案")
def make_dossier(run: Run) -> None:
    """Write the zip whole and keep it as the plan's newest dossier."""
    plan = CountyPlan.objects.select_related("county", "round").get(pk=run.subject_id)
    out = io.BytesIO()
    hashes: list[tuple[str, int, str]] = []
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for done, (name, content) in enumerate(entries(plan), 1):
            archive.writestr(name, content)
            hashes.append((name, len(content), hashlib.sha256(content).hexdigest()))
            run.report(done, done + 1, PurePosixPath(name).name)
        archive.writestr(LIST_OF_HASHES, _table(("文件", "字节", "SHA-256"), hashes))
    stored = store([out.getvalue()], folder="dossiers", suffix=".zip")
    try:
        with transaction.atomic():
            run.still_ours()
            Dossier.objects.create(
                plan=plan, file=stored.name, size=stored.size, sha256=stored.sha256,
                made_at=timezone.now(),
            )  # fmt: skip
    except BaseException:
        discard(stored)
        raise
    run.report(1, 1, "完成")


def entries(plan: CountyPlan) -> Iterator[Entry]:
    """Yield every file of the dossier with its name, versions first."""
    yield from _versions(plan)
    yield from _documents(plan)
    yield "检查结果/人工认定.json", _json(_rulings(plan))
    yield "评审/会签意见.json", _json(_opinions(plan))
    yield "评审/意见与答复.json", _json(_comments(plan))
    yield "评审/形式审查.json", _json(_formal(plan))
    for panel in Panel.objects.filter(version__plan=plan).select_related(
        "version__plan__county", "version__plan__round", "drawn_by"
    ):
        folder = f"评审/第{panel.version.number}版"
        yield f"{folder}抽取记录.json", _json(_draw(panel))
        if panel.verdict:
            yield f"{folder}评审意见书.pdf", opinion_paper(panel)
            yield f"{folder}修改说明对照表.pdf", revision_paper(panel)
    yield "办理过程.pdf", story_paper(plan)
    yield "日志.json", _json(_trail(plan))


def _versions(plan: CountyPlan) -> Iterator[Entry]:
    for version in plan.versions.order_by("number"):
        folder = f"版本/第{version.number}版"
        suffix = PurePosixPath(version.file_name).suffix.lower()
        content = _read(version.file)
        if content is not None:
            yield f"{folder}{suffix}", content
        run = version.check_runs.first()
        if run is not None:
            yield f"检查结果/第{version.number}版.csv", _findings(run.findings.all())


def _documents(plan: CountyPlan) -> Iterator[Entry]:
    approval: Any = getattr(plan, "approval", None)
    rows: list[Any] = [*([approval] if approval else []), *plan.documents.all()]
    listed = []
    for row in rows:
        kind = "市政府批准" if row is approval else row.get_kind_display()
        day = row.approved_on if row is approval else row.dated_on
        listed.append(
            {"kind": kind, "number": row.document_number, "organ": row.organ, "day": str(day)}
        )
        content = _read(row.scan)
        if content is not None:
            yield f"文件/{kind}{PurePosixPath(row.scan.name).suffix}", content
    for number, attachment in enumerate(plan.attachments.filter(withdrawn_at=None), 1):
        content = _read(attachment.file)
        if content is not None:
            suffix = PurePosixPath(str(attachment.file.name)).suffix
            yield f"附件/{number:02d}{suffix}", content
            listed.append({"kind": "附件", "number": f"{number:02d}", "title": attachment.title})
    yield "文件/目录.json", _json(listed)


def _read(field: Any) -> bytes | None:
    path = Path(settings.MEDIA_ROOT) / (field.name or "none")
    return path.read_bytes() if field.name and path.is_file() else None


def _findings(rows: Any) -> bytes:
    heads = ("规则", "对象", "结论", "说明", "条款", "依据")
    found: list[Finding] = list(rows)
    return _table(
        heads,
        [
            (row.rule, row.subject_name, row.get_verdict_display(), row.message, row.clause,
             row.quote)
            for row in found
        ],
    )  # fmt: skip


def _table(heads: Any, rows: Any) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(heads)
    # A cell that a spreadsheet would take for a formula is written as text.
    writer.writerows(
        [f"'{cell}" if str(cell)[:1] in "=+-@" else cell for cell in row] for row in rows
    )
    return out.getvalue().encode("utf-8-sig")


def _rulings(plan: CountyPlan) -> list[dict[str, str]]:
    return [
        {
            "rule": row.rule, "subject": row.subject_key, "decision": row.get_decision_display(),
            "reason": row.reason, "document": row.basis_document, "by": row.by.name,
            "at": row.at.isoformat(),
            "confirmed_by": row.confirmed_by.name if row.confirmed_by else "",
        }
        for rows in rulings_of(plan).values()
        for row in rows
    ]  # fmt: skip


def _opinions(plan: CountyPlan) -> list[dict[str, Any]]:
    rows = Opinion.objects.filter(version__plan=plan).select_related("unit", "by", "version")
    return [
        {
            "version": row.version.number, "unit": row.unit.name,
            "stance": row.get_stance_display(), "text": row.text, "by": row.by.name,
            "at": row.at.isoformat(),
        }
        for row in rows.order_by("pk")
    ]  # fmt: skip


def _comments(plan: CountyPlan) -> list[dict[str, str]]:
    return [
        {
            "on": row.subject_name, "text": row.text, "by": row.by.name, "at": row.at.isoformat(),
            "answer": row.answer, "answered_by": row.answered_by.name if row.answered_by else "",
        }
        for row in plan.comments.select_related("by", "answered_by").order_by("pk")
    ]  # fmt: skip


def _formal(plan: CountyPlan) -> dict[str, Any]:
    return {
        f"第{version.number}版": version.formal_review.items
        for version in plan.versions.filter(formal_review__isnull=False).select_related(
            "formal_review"
        )
    }


def _draw(panel: Panel) -> dict[str, Any]:
    return {
        "seed": panel.seed,
        "size": panel.size,
        "order": panel.order,
        "set_aside": panel.set_aside,
        "rule": "按 SHA-256(种子:专家编号) 从小到大排序，取前若干人；第一名任组长。",
        "members": [
            {"expert": member.expert_id, "name": str(member.expert), "rank": member.rank,
             "stance": member.get_stance_display(), "stepped_aside": member.stepped_aside_why}
            for member in panel.members.select_related("expert__user")
        ],
    }  # fmt: skip


def _trail(plan: CountyPlan) -> list[dict[str, Any]]:
    rows = TrailEntry.objects.filter(
        subject_type=plan._meta.label_lower, subject_id=plan.pk
    ).select_related("by")
    return [
        {"at": row.at.isoformat(), "by": row.by.name if row.by else "系统", "act": row.act,
         "result": row.get_result_display(), "detail": row.detail}
        for row in rows.order_by("pk")
    ]  # fmt: skip


def _json(content: Any) -> bytes:
    return json.dumps(content, ensure_ascii=False, indent=1).encode()
