"""Bring a workbook into the registry: template, upload, columns, preview, confirmation."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from mines import actions
from mines.forms import ColumnsForm, ConfirmForm, RegistryUploadForm
from mines.models import Mineral
from mines.registry_state import snapshot_of
from mines.upload_models import RegistryUpload
from mines.workbook import write_registry
from shuozhou_mines.errors import Refused
from shuozhou_mines.models import Job
from taskforce import permissions
from taskforce.models import County
from taskforce.permissions import counties_where
from taskforce.trail import record

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PROBLEMS_SHOWN = 500
PER_PAGE = 50
State = RegistryUpload.State
TONES = {
    State.RECEIVED: "active",
    State.UNMAPPED: "waiting",
    State.REFUSED: "stopped",
    State.READY: "waiting",
    State.CONFIRMED: "active",
    State.WRITTEN: "done",
    State.DROPPED: "neutral",
}
WORKING = (State.RECEIVED, State.CONFIRMED)


@require_http_methods(["GET", "HEAD", "POST"])
def import_start(request: HttpRequest) -> HttpResponse:
    """Offer the template and take a workbook; list what came before."""
    counties = list(counties_where(request.user, "edit_mines"))
    if not counties:
        raise Http404
    choices = [(county.code, county.name) for county in counties]
    form = RegistryUploadForm(
        request.POST or None,
        request.FILES or None,
        counties=choices,
        initial={"as_of": timezone.localdate()},
    )
    if request.method == "POST" and form.is_valid():
        try:
            upload = actions.receive_upload(
                county_code=form.cleaned_data["county"],
                upload=form.cleaned_data["workbook"],
                as_of=form.cleaned_data["as_of"],
                given_by=form.cleaned_data["given_by"],
                by=request.user,
                at=timezone.now(),
            )
        except Refused as refusal:
            form.add_error("workbook", refusal.message)
        else:
            return redirect("mine-import-page", upload.pk)
    context = {"counties": counties, "form": form, "uploads": _recent(request)}
    return render(request, "mines/import_start.html", context, status=400 if form.errors else 200)


def _recent(request: HttpRequest) -> list[dict[str, Any]]:
    rows = _visible(request).select_related("county", "uploaded_by")[:20]
    return [{"row": row, "tone": TONES[State(row.state)]} for row in rows]


def _visible(request: HttpRequest) -> Any:
    counties = counties_where(request.user, "edit_mines")
    return RegistryUpload.objects.filter(county__in=counties)


def _upload(request: HttpRequest, upload_id: int) -> RegistryUpload:
    found: RegistryUpload = get_object_or_404(
        _visible(request).select_related("county", "uploaded_by", "confirmed_by"), pk=upload_id
    )
    return found


@require_GET
def import_template(request: HttpRequest, county_code: str) -> HttpResponse:
    """Make the county's registry workbook with its mines filled in."""
    county = get_object_or_404(County.objects.filter(pk=county_code))
    if not permissions.can(request.user, "edit_mines", county.code):
        raise Http404
    minerals = dict(Mineral.objects.values_list("code", "name"))
    content = write_registry(snapshot_of(county), minerals, demo=settings.DEMO)
    record("下载台账模板", by=request.user, subject=county, county=county)
    name = f"{county.name}非煤矿山台账_{timezone.localdate():%Y%m%d}.xlsx"
    disposition = content_disposition_header(as_attachment=True, filename=name)
    return HttpResponse(
        content, content_type=XLSX, headers={"Content-Disposition": disposition or "attachment"}
    )


@require_GET
def import_page(request: HttpRequest, upload_id: int) -> HttpResponse:
    """Show how far an import is: progress, wrong cells, columns to name, or its changes."""
    upload = _upload(request, upload_id)
    summary = upload.summary
    errors = sum(problem["severity"] == "error" for problem in upload.problems)
    changed = Paginator(summary.get("changed", []), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "upload": upload,
        "tone": TONES[State(upload.state)],
        "progress": _progress(upload) if upload.state in WORKING else None,
        "problems": [{**row, "level": row["severity"]} for row in upload.problems[:PROBLEMS_SHOWN]],
        "errors_count": errors,
        "warnings_count": len(upload.problems) - errors,
        "summary": summary,
        "page_obj": changed,
        "query": "",
        "nothing": not (summary.get("new_count") or summary.get("changed_count")),
        "confirm_form": _confirm_form(upload),
        "columns_form": _columns_form(upload),
        "can_drop": upload.state in (State.UNMAPPED, State.READY, State.REFUSED),
    }
    return render(request, "mines/import_page.html", context)


def _confirm_form(upload: RegistryUpload) -> ConfirmForm | None:
    if upload.state != State.READY:
        return None
    form = ConfirmForm(initial={"seen_mark": upload.seen_mark})
    if not upload.summary["gone_count"]:
        del form.fields["remove_gone"]
    return form


def _columns_form(upload: RegistryUpload) -> ColumnsForm | None:
    if upload.state != State.UNMAPPED:
        return None
    return ColumnsForm(columns=upload.layout["columns"])


def _progress(upload: RegistryUpload) -> dict[str, Any]:
    job = Job.objects.about(upload).first()
    return {
        "state": job.state if job else Job.State.QUEUED,
        "done": job.done if job else 0,
        "total": job.total if job else 0,
        "step": job.step if job else "",
        "url": reverse("mine-import-progress", args=[upload.pk]),
        "leave": "可以离开本页，处理不会中断；回到“导入台账”就能看到结果。",
        "error": job.error if job else "",
        "result_url": "",
        "result_label": "",
    }


@require_GET
def import_progress(request: HttpRequest, upload_id: int) -> HttpResponse:
    """Answer the moving part of an import's page; when the work is done, ask for the page."""
    upload = _upload(request, upload_id)
    response = render(request, "components/progress.html", {"progress": _progress(upload)})
    if upload.state not in WORKING:
        response["HX-Redirect"] = reverse("mine-import-page", args=[upload.pk])
    return response


@require_POST
def import_columns(request: HttpRequest, upload_id: int) -> HttpResponse:
    """Take what the columns of a county's own table are."""
    upload = _upload(request, upload_id)
    form = ColumnsForm(request.POST, columns=upload.layout.get("columns", []))
    if form.is_valid():
        _tell(
            request,
            lambda: actions.name_columns(
                upload_id=upload.pk, fields=form.chosen, by=request.user, at=timezone.now()
            ),
        )
    else:
        messages.error(request, "有的列选了不认识的内容。请重新选择。")
    return redirect("mine-import-page", upload.pk)


@require_POST
def import_recolumn(request: HttpRequest, upload_id: int) -> HttpResponse:
    """Ask again what the columns are."""
    upload = _upload(request, upload_id)
    _tell(request, lambda: actions.change_columns(upload_id=upload.pk, by=request.user))
    return redirect("mine-import-page", upload.pk)


@require_POST
def import_confirm(request: HttpRequest, upload_id: int) -> HttpResponse:
    """Confirm the changes that the preview showed."""
    upload = _upload(request, upload_id)
    form = ConfirmForm(request.POST)
    if form.is_valid():
        _tell(
            request,
            lambda: actions.confirm_upload(
                upload_id=upload.pk,
                seen_mark=form.cleaned_data["seen_mark"],
                remove_gone=form.cleaned_data["remove_gone"],
                by=request.user,
                at=timezone.now(),
            ),
        )
    return redirect("mine-import-page", upload.pk)


@require_POST
def import_drop(request: HttpRequest, upload_id: int) -> HttpResponse:
    """Give an import up."""
    upload = _upload(request, upload_id)
    _tell(request, lambda: actions.drop_upload(upload_id=upload.pk, by=request.user))
    return redirect("mine-import-page", upload.pk)


def _tell(request: HttpRequest, act: Any) -> None:
    """Do one action and say it when it is refused."""
    try:
        act()
    except Refused as refusal:
        messages.error(request, refusal.message)


@require_GET
def import_file(request: HttpRequest, upload_id: int) -> FileResponse:
    """Hand back the workbook as it was uploaded."""
    upload = _upload(request, upload_id)
    record("下载台账文件", by=request.user, subject=upload, county=upload.county)
    return FileResponse(
        upload.file.open("rb"), as_attachment=True, filename=upload.file_name, content_type=XLSX
    )
