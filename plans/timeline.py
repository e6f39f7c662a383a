"""Gather who did what on a plan and when, with the note: for its page, its PDF and its dossier."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Prefetch

from plans.models import (
    CountyPlan,
    Dossier,
    ExpertRemark,
    Opinion,
    PanelMember,
    PassedOver,
    StepTaken,
)
from plans.workflow import STEPS

STOPPED = ("return", "send_back", "reject", "city_return", "revise_again", "withdraw")
_TONE = {Opinion.Stance.AGREE: "done", Opinion.Stance.DISAGREE: "stopped"}


def events_of(steps: Iterable[StepTaken]) -> list[dict[str, Any]]:
    """Return steps as components/timeline.html reads them."""
    return [
        {
            "at": step.at,
            "who": step.by.name,
            "unit": step.by.organization.short_name if step.by.organization else "",
            "what": STEPS[step.step].label
            + (f"（第{step.version.number}版）" if step.version else ""),
            "note": step.note,
            "tone": "stopped" if step.step in STOPPED else "done",
        }
        for step in steps
    ]


def way_part(plan: CountyPlan) -> dict[str, Any]:
    """Return the whole story with the newest dossier, for the plan's page."""
    return {"story": whole_story(plan), "dossier": Dossier.objects.filter(plan=plan).first()}


def whole_story(plan: CountyPlan) -> list[dict[str, Any]]:
    """Return everything that people did on a plan, oldest first: steps, versions, opinions."""
    found = [*events_of(plan.steps.all()), *_uploads(plan), *_opinions(plan), *_experts(plan)]
    found += [
        _event(row.at, row.by, f"登记{row.get_kind_display()}文件", row.document_number)
        for row in plan.documents.all()
    ]
    return sorted(found, key=lambda event: event["at"])


def _uploads(plan: CountyPlan) -> list[dict[str, Any]]:
    return [
        _event(
            version.uploaded_at, version.uploaded_by, f"上传第{version.number}版",
            f"{version.file_name}，SHA-256 {version.sha256}",
        )
        for version in plan.versions.select_related("uploaded_by__organization")
    ]  # fmt: skip


def _opinions(plan: CountyPlan) -> list[dict[str, Any]]:
    answers = Opinion.objects.filter(version__plan=plan).select_related(
        "by__organization", "unit", "version"
    )
    passed = PassedOver.objects.filter(version__plan=plan).select_related(
        "by__organization", "unit", "version"
    )
    return [
        _event(
            row.at, row.by,
            f"{row.unit.name}会签：{row.get_stance_display()}（第{row.version.number}版）",
            row.text, tone=_TONE.get(Opinion.Stance(row.stance), "done"),
        )
        for row in answers
    ] + [
        _event(row.at, row.by, f"批示：不等{row.unit.name}（第{row.version.number}版）", row.note)
        for row in passed
    ]  # fmt: skip


def _experts(plan: CountyPlan) -> list[dict[str, Any]]:
    """Return what experts said, once their panel has concluded; until then it is theirs alone."""
    remarks = ExpertRemark.objects.select_related("mine", "area")
    members = (
        PanelMember.objects.filter(panel__version__plan=plan)
        .exclude(panel__verdict="")
        .select_related("expert__user__organization")
        .prefetch_related(Prefetch("remarks", remarks))
    )
    found = []
    for row in members:
        user = row.expert.user
        if row.answered_at:
            said = f"专家结论：{row.get_stance_display()}"
            found.append(_event(row.answered_at, user, said, row.summary))
        if row.stepped_aside_at:
            found.append(_event(row.stepped_aside_at, user, "专家回避", row.stepped_aside_why))
        found += [
            _event(each.at, user, f"专家意见（{each.about}）", each.text)
            for each in row.remarks.all()
        ]
    return found


def _event(at: Any, by: Any, what: str, note: str, tone: str = "done") -> dict[str, Any]:
    unit = by.organization.short_name if by.organization else ""
    return {"at": at, "who": by.name, "unit": unit, "what": what, "note": note, "tone": tone}
