"""Add to a mine's file: output, acceptance, treatment, rights, papers; hand a paper out."""

from typing import Any

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from mines.mine_actions import WHO_EDITS, add_document, set_record
from mines.models import Mine
from mines.record_forms import FORMS, DocumentForm, RecordForm
from mines.record_models import MineDocument
from shuozhou_mines.errors import NotAllowed, Refused
from taskforce import permissions


def _mine(request: HttpRequest, registry_no: str) -> Mine:
    mines = Mine.objects.visible_to(request.user).select_related("county")
    return get_object_or_404(mines, registry_no=registry_no)


@require_http_methods(["GET", "POST"])
def mine_record(request: HttpRequest, registry_no: str, kind: str) -> HttpResponse:
    """Show the form for one row of a mine's file, and take it; the same key again corrects it."""
    mine = _mine(request, registry_no)
    if kind not in FORMS:
        raise Http404
    if not permissions.can(request.user, "edit_mines", mine.county_id):
        raise NotAllowed(WHO_EDITS)
    form = FORMS[kind](request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            _take(request, mine, kind, form)
        except Refused as refused:
            form.add_error(None, refused.message)
        else:
            messages.success(request, f"{_name(form)}已写入，变更记录里可以看到。")
            return redirect("mine", mine.registry_no)
    context = {"mine": mine, "form": form, "name": _name(form), "has_file": kind == "documents"}
    return render(request, "mines/record.html", context, status=400 if form.errors else 200)


def _take(request: HttpRequest, mine: Mine, kind: str, form: RecordForm) -> None:
    if isinstance(form, DocumentForm):
        add_document(
            mine_id=mine.pk,
            row=form.save(commit=False),
            upload=form.cleaned_data["upload"],
            by=request.user,
            at=timezone.now(),
        )
    else:
        set_record(mine_id=mine.pk, part=kind, facts=form.cleaned_data, by=request.user)


def _name(form: Any) -> str:
    return str(form._meta.model._meta.verbose_name)


@require_GET
def mine_document(request: HttpRequest, registry_no: str, document_id: int) -> FileResponse:
    """Hand out one paper of a mine's file, always as a download."""
    mine = _mine(request, registry_no)
    row = get_object_or_404(MineDocument, pk=document_id, mine=mine)
    try:
        return FileResponse(row.file.open("rb"), as_attachment=True, filename=row.file_name)
    except FileNotFoundError as error:
        raise Http404 from error
