"""Show two versions of a plan, or a version and the registry, side by side."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET

from plans.models import CountyPlan, PlanVersion
from plans.version_diff import compare
from plans.version_diff_registry import registry_changes
from plans.version_diff_workbook import KIND_WORDS, diff_workbook
from shuozhou_mines.errors import Refused

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FINDINGS_SHOWN = 200
REGISTRY = "registry"
TONES = {"added": "done", "gone": "stopped", "changed": "active"}


@require_GET
def version_diff(request: HttpRequest, version_id: int) -> HttpResponse:
    """Show what a version changes against another one, usually the one before it."""
    version = _visible(request, version_id)
    others = _others(version)
    wanted = request.GET.get("with") or (str(others[0].pk) if others else REGISTRY)
    context: dict[str, Any] = {
        "version": version,
        "plan": version.plan,
        "choices": _choices(others, wanted),
        "kinds": KIND_WORDS,
    }
    if wanted == REGISTRY:
        return render(request, "plans/version_diff_registry.html", context | _registry(version))
    other = next((each for each in others if str(each.pk) == wanted), None)
    if other is None:
        raise Http404
    old, new = sorted((version, other), key=lambda each: each.number)
    difference = compare(old, new, most_findings=FINDINGS_SHOWN)
    context |= {
        "old": old,
        "new": new,
        "difference": difference,
        "tables": [
            {"title": "矿山与处置", "lines": _shown(difference.mines)},
            {"title": "整合区", "lines": _shown(difference.areas)},
            {"title": "其他附表", "lines": _shown(difference.annexes)},
        ],
        "map": _map(old, new),
        "xlsx_url": f"{reverse('version-diff-xlsx', args=[version.pk])}?with={wanted}",
    }
    return render(request, "plans/version_diff.html", context)


def _visible(request: HttpRequest, version_id: int) -> PlanVersion:
    versions = PlanVersion.objects.filter(
        plan__in=CountyPlan.objects.visible_to(request.user), state=PlanVersion.State.READ
    )
    return get_object_or_404(versions.select_related("plan__county", "plan__round"), pk=version_id)


def _others(version: PlanVersion) -> list[PlanVersion]:
    """Return the plan's other read versions, the one before this first."""
    read = version.plan.versions.filter(state=PlanVersion.State.READ).exclude(pk=version.pk)
    rows = list(read.select_related("plan__county").order_by("-number"))
    return sorted(rows, key=lambda each: (each.number > version.number, -each.number))


def _choices(others: list[PlanVersion], wanted: str) -> list[dict[str, Any]]:
    tabs = [(str(each.pk), f"第 {each.number} 版") for each in others]
    return [
        {"label": label, "url": f"?with={key}", "active": key == wanted, "count": None}
        for key, label in [*tabs, (REGISTRY, "现行台账")]
    ]


def _shown(lines: Any) -> list[dict[str, Any]]:
    return [
        {"line": line, "word": KIND_WORDS[line.kind], "tone": TONES[line.kind]} for line in lines
    ]


def _registry(version: PlanVersion) -> dict[str, Any]:
    try:
        changes = registry_changes(version)
    except Refused as refusal:
        return {"rows": [], "unreadable": refusal.message}
    rows = [
        {"change": each, "word": KIND_WORDS[each.kind], "tone": TONES[each.kind]}
        for each in changes
    ]
    return {"rows": rows, "unreadable": ""}


def _map(old: PlanVersion, new: PlanVersion) -> dict[str, Any]:
    before, after = (f"{reverse('plan-shapes', args=[each.pk])}?side=after" for each in (old, new))
    return {
        "id": "diff-map",
        "label": f"第 {old.number} 版和第 {new.number} 版整合后的范围",
        "describedby": "diff-list",
        "features_url": before,
        "after_url": after,
        "before_word": f"第 {old.number} 版",
        "after_word": f"第 {new.number} 版",
        "counties_url": reverse("county-shapes"),
        "tiles_url": "",
        "bbox": "",
        "colour_by": "disposition",
        "tall": "",
        "legend": "",
        "note": "两版都画整合后的范围；县界为示意。",
    }


@require_GET
def version_diff_xlsx(request: HttpRequest, version_id: int) -> HttpResponse:
    """Hand out the differences as a workbook, findings in full."""
    version = _visible(request, version_id)
    wanted = request.GET.get("with", "")
    other = next((each for each in _others(version) if str(each.pk) == wanted), None)
    if other is None:
        raise Http404
    old, new = sorted((version, other), key=lambda each: each.number)
    title = f"{version.plan.county.name}方案第{new.number}版与第{old.number}版的差异"
    content = diff_workbook(compare(old, new), title=title)
    disposition = content_disposition_header(as_attachment=True, filename=f"{title}.xlsx")
    return HttpResponse(
        content, content_type=XLSX, headers={"Content-Disposition": disposition or "attachment"}
    )
