"""Show quarterly bulletins: the office's desk, one draft to edit and issue, the public pages."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.db.models import Max, QuerySet
from django.forms import Form
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header
from django.utils.safestring import mark_safe
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
    require_safe,
)

from publicity.caching import public_page
from shuozhou_mines.errors import Incomplete
from shuozhou_mines.models import Job
from supervision import bulletin_actions as actions
from supervision.bulletin_content import annex_of, bulletin_content, content_key, figures_after
from supervision.bulletin_word import bulletin_docx
from supervision.bulletin_workbook import annex_workbook
from supervision.bulletins import sources_of
from supervision.charts import Chart, render_chart_svg
from supervision.content import Block, Table
from supervision.forms import ApprovalForm, IssueForm, LayoutForm, ParagraphForm, QuarterForm
from supervision.models import Bulletin, MonthlyReport
from supervision.permissions import may_approve, may_issue, may_read_desk
from supervision.tasks import PDF_JOB

OFFICE = "application/vnd.openxmlformats-officedocument."
DOCX, XLSX = f"{OFFICE}wordprocessingml.document", f"{OFFICE}spreadsheetml.sheet"
State = Bulletin.State
TONES = {State.DRAFT: "neutral", State.ISSUED: "done"}


@require_http_methods(["GET", "POST"])
def bulletin_desk(request: HttpRequest) -> HttpResponse:
    """List all bulletins; the office drafts the next one here."""
    if not may_read_desk(request.user):
        raise Http404
    form = _quarter_form(request)
    if request.method == "POST" and form.is_valid():
        year, quarter = form.chosen()
        made = actions.draft_bulletin(
            year=year, quarter=quarter, by=request.user, at=timezone.now()
        )
        return redirect("bulletin", made.pk)
    rows = [
        {"bulletin": each, "tone": TONES[State(each.state)], "totals": each.figures["totals"]}
        for each in Bulletin.objects.all()
    ]
    context = {"rows": rows, "form": form if may_issue(request.user) else None}
    return render(request, "supervision/bulletin_desk.html", context)


@require_GET
def bulletin(request: HttpRequest, bulletin_id: int) -> HttpResponse:
    """Show one bulletin to the city's people; a draft is edited paragraph by paragraph."""
    return _page(request, _for_desk(request, bulletin_id))


@require_POST
def bulletin_refresh(request: HttpRequest, bulletin_id: int) -> HttpResponse:
    """Compute the figures anew; edited paragraphs stay."""
    shown = _for_desk(request, bulletin_id)
    refreshed = actions.refresh_bulletin(bulletin_id=shown.pk, by=request.user, at=timezone.now())
    kept = sum(paragraph["edited"] for paragraph in refreshed.paragraphs)
    messages.success(request, f"数据已刷新；改过的 {kept} 段文字保持不变。")
    return redirect("bulletin", shown.pk)


@require_POST
def bulletin_paragraph(request: HttpRequest, bulletin_id: int, key: str) -> HttpResponse:
    """Store one paragraph's words, or take back the drafted ones."""
    shown = _for_desk(request, bulletin_id)
    form = ParagraphForm(request.POST)
    if not form.is_valid():
        return _page(request, shown, paragraph_form=(key, form))
    text = form.cleaned_data["text"]
    if "restore" in request.POST:
        drafted = {each["key"]: each["drafted"] for each in shown.paragraphs}
        text = drafted.get(key, text)
    actions.edit_paragraph(bulletin_id=shown.pk, key=key, text=text, by=request.user)
    return redirect(f"{reverse('bulletin', args=[shown.pk])}#p-{key}")


@require_POST
def bulletin_print(request: HttpRequest, bulletin_id: int) -> HttpResponse:
    """Have the PDF of the present content printed."""
    shown = _for_desk(request, bulletin_id)
    job = actions.print_bulletin(bulletin_id=shown.pk, by=request.user)
    if job is None:
        messages.success(request, "PDF 与现在的内容一致，不用重新生成。")
    return redirect("bulletin", shown.pk)


@require_POST
def bulletin_layout(request: HttpRequest, bulletin_id: int) -> HttpResponse:
    """Store head and distribution."""
    shown = _for_desk(request, bulletin_id)
    form = LayoutForm(request.POST, instance=_for_desk(request, bulletin_id))
    if not form.is_valid():
        return _page(request, shown, layout_form=form)
    actions.set_layout(bulletin_id=shown.pk, by=request.user, **form.cleaned_data)
    messages.success(request, "版头和分发范围已保存。")
    return redirect("bulletin", shown.pk)


@require_POST
def bulletin_approve(request: HttpRequest, bulletin_id: int) -> HttpResponse:
    """Approve in person, or enter the approval that a leader gave on paper."""
    shown = _for_desk(request, bulletin_id)
    now = timezone.now()
    given: dict[str, Any] = {"approver": "", "approved_on": timezone.localdate(now)}
    form = ApprovalForm(request.POST)
    if not may_approve(request.user):
        if not form.is_valid():
            return _page(request, shown, approval_form=form)
        given = form.cleaned_data
    try:
        approved = actions.approve_bulletin(
            bulletin_id=shown.pk,
            content=request.POST.get("content", ""),
            by=request.user,
            at=now,
            **given,
        )
    except Incomplete as refusal:
        form.add_error(None, refusal.message)
        return _page(request, shown, approval_form=form)
    messages.success(request, f"已签批：{approved.approver}。现在可以印发。")
    return redirect("bulletin", shown.pk)


@require_POST
def bulletin_issue(request: HttpRequest, bulletin_id: int) -> HttpResponse:
    """Issue the draft under its number."""
    shown = _for_desk(request, bulletin_id)
    form = IssueForm(request.POST)
    if form.is_valid():
        try:
            issued = actions.issue_bulletin(
                bulletin_id=shown.pk, by=request.user, **form.cleaned_data
            )
        except Incomplete as refusal:
            form.add_error(None, refusal.message)
        else:
            messages.success(request, f"已印发：{issued.document_number}。正在生成 PDF。")
            return redirect("bulletin", shown.pk)
    return _page(request, shown, issue_form=form)


@login_not_required
@require_safe
@public_page
def bulletin_list(request: HttpRequest) -> HttpResponse:
    """List the issued bulletins to everybody."""
    rows = [
        {"bulletin": each, "totals": each.figures["totals"]}
        for each in _public().order_by("-issued_on")
    ]
    return render(request, "supervision/bulletin_list.html", {"rows": rows})


@login_not_required
@require_safe
@public_page
def public_bulletin(request: HttpRequest, bulletin_id: int) -> HttpResponse:
    """Show one issued bulletin to everybody."""
    shown = get_object_or_404(_public(), pk=bulletin_id)
    context = {"bulletin": shown, "parts": _parts(shown), "annex": _annex(shown)}
    return render(request, "supervision/public_bulletin.html", context)


@login_not_required
@require_safe
def bulletin_pdf(request: HttpRequest, bulletin_id: int) -> HttpResponse | FileResponse:
    """Send the PDF: the issued one to everybody, a draft's preview to the city's people only."""
    readable = Bulletin.objects.all() if may_read_desk(request.user) else _public()
    shown = get_object_or_404(readable, pk=bulletin_id)
    if not shown.has_pdf:
        raise Http404
    etag = f'"{shown.pdf_sha256}"'
    unchanged = get_conditional_response(request, etag=etag)
    if unchanged is not None:
        return unchanged
    draft = "（草稿）" if shown.state == State.DRAFT else ""
    response = FileResponse(
        shown.pdf.open("rb"), content_type="application/pdf", filename=f"{shown.title}{draft}.pdf"
    )
    response["ETag"] = etag
    if not request.user.is_authenticated:
        response["Cache-Control"] = "public, no-cache"
    return response


@require_GET
def bulletin_word(request: HttpRequest, bulletin_id: int) -> HttpResponse:
    """Send the bulletin as docx, to be edited by the city's people."""
    shown = _for_desk(request, bulletin_id)
    return _file(bulletin_docx(bulletin_content(shown)), DOCX, f"{shown.title}.docx")


@login_not_required
@require_safe
def bulletin_annex(request: HttpRequest, bulletin_id: int) -> HttpResponse:
    """Send the annex as a workbook to those who may read the bulletin."""
    readable = Bulletin.objects.all() if may_read_desk(request.user) else _public()
    shown = get_object_or_404(readable, pk=bulletin_id)
    annex = annex_of(shown.figures)
    return _file(annex_workbook(annex), XLSX, f"{annex.title}.xlsx")


def _file(content: bytes, kind: str, name: str) -> HttpResponse:
    disposition = content_disposition_header(as_attachment=True, filename=name)
    headers = {"Content-Disposition": str(disposition)}
    return HttpResponse(content, content_type=kind, headers=headers)


def _public() -> QuerySet[Bulletin]:
    return Bulletin.objects.filter(state=State.ISSUED, is_public=True)


def _for_desk(request: HttpRequest, bulletin_id: int) -> Bulletin:
    if not may_read_desk(request.user):
        raise Http404
    found = Bulletin.objects.select_related("drafted_by", "issued_by")
    return get_object_or_404(found, pk=bulletin_id)


def _quarter_form(request: HttpRequest) -> QuarterForm:
    today = timezone.localdate()
    newest = MonthlyReport.objects.filter(state="submitted").aggregate(newest=Max("month"))
    data = request.POST if request.method == "POST" else None
    return QuarterForm(data, today=today, newest=newest["newest"] or today)


def _page(
    request: HttpRequest,
    shown: Bulletin,
    *,
    issue_form: Form | None = None,
    layout_form: Form | LayoutForm | None = None,
    approval_form: Form | None = None,
    paragraph_form: tuple[str, Form] | None = None,
) -> HttpResponse:
    is_draft = shown.state == State.DRAFT
    edits = is_draft and may_issue(request.user)
    wrong = [
        form
        for form in (issue_form, layout_form, approval_form, paragraph_form and paragraph_form[1])
        if form
    ]
    today = timezone.localdate()
    approved = is_draft and actions.is_approved(shown)
    if edits:
        number = actions.next_number(today.year, shown.head)
        issue_form = issue_form or IssueForm(initial={"number": number, "issued_on": today})
        layout_form = layout_form or LayoutForm(instance=shown, auto_id="layout_%s")
        approval_form = approval_form or ApprovalForm(
            initial={"approved_on": today}, auto_id="approval_%s"
        )
    content = content_key(bulletin_content(shown))
    progress = _progress(request.user, shown)
    is_current = shown.has_pdf and shown.pdf_content == content
    context = {
        "bulletin": shown,
        "tone": TONES[State(shown.state)],
        "edits": edits,
        "parts": _parts(shown, with_forms=edits, wrong=paragraph_form),
        "annex": _annex(shown),
        "issue_form": issue_form,
        "layout_form": layout_form,
        "approval_form": approval_form,
        "content": content,
        "approved": approved,
        "approves": is_draft and may_approve(request.user),
        "computed_at": datetime.fromisoformat(shown.figures["computed_at"]),
        "outdated": edits and sources_of(shown.year, shown.quarter) != shown.figures["sources"],
        "pdf_is_current": is_current,
        "progress": progress,
        "buttons": _buttons(
            request.user,
            shown,
            prints=not is_current and (progress is None or progress["state"] == "failed"),
        ),
        "counties": [row for row in shown.figures["counties"] if row["report_id"]],
        "fell": [row["name"] for row in shown.figures["counties"] if row["fell"]],
    }
    status = 422 if any(form.errors for form in wrong) else 200
    return render(request, "supervision/bulletin.html", context, status=status)


def _buttons(user: Any, shown: Bulletin, *, prints: bool) -> list[dict[str, Any]]:
    buttons = []
    if may_issue(user) and shown.state == State.DRAFT:
        buttons.append(_post("刷新数据", reverse("bulletin-refresh", args=[shown.pk])))
    if may_issue(user) and prints:
        what = "生成预览 PDF" if shown.state == State.DRAFT else "生成 PDF"
        buttons.append(_post(what, reverse("bulletin-print", args=[shown.pk])))
    return buttons


def _post(label: str, url: str) -> dict[str, Any]:
    return {
        "label": label,
        "url": url,
        "method": "post",
        "kind": "secondary",
        "enabled": True,
        "why_not": "",
        "confirm": "",
        "icon": "",
    }


def _progress(user: Any, shown: Bulletin) -> dict[str, Any] | None:
    """Return the newest print job while it runs, or when it failed and no PDF came of it."""
    job = Job.objects.about(shown).filter(kind=PDF_JOB).first()
    if job is None or not (job.is_open or job.state == Job.State.FAILED):
        return None
    mine = job.asked_by_id == user.pk
    return {
        "state": job.state if mine or not job.is_open else "",
        "done": job.done,
        "total": job.total,
        "step": job.step,
        "url": reverse("job", args=[job.pk]) if mine else "",
        "error": job.error,
        "leave": "可以离开本页，生成不会中断；完成后本页会出现 PDF。",
        "result_url": "",
    }


def _parts(
    shown: Bulletin, *, with_forms: bool = False, wrong: tuple[str, Form] | None = None
) -> list[dict[str, Any]]:
    """Return the paragraphs in order, each with the tables and charts that follow it."""
    parts = []
    for paragraph in shown.paragraphs:
        key = paragraph["key"]
        form: Form | None = None
        if with_forms:
            form = ParagraphForm(initial={"text": paragraph["text"]}, auto_id=f"{key}_%s")
            if wrong is not None and wrong[0] == key:
                form = wrong[1]
        parts.append(
            {
                **paragraph,
                "lines": [line for line in paragraph["text"].splitlines() if line.strip()],
                "differs": paragraph["edited"] and paragraph["drafted"] != paragraph["text"],
                "form": form,
                "is_wrong": form is not None and bool(form.errors),
                "figures": [_figure(block) for block in figures_after(key, shown.figures)],
            }
        )
    return parts


def _annex(shown: Bulletin) -> dict[str, Any]:
    annex = annex_of(shown.figures)
    return {"title": annex.title, "figures": [_figure(block) for block in annex.blocks]}


def _figure(block: Block) -> dict[str, Any]:
    """Return a block as the page draws it."""
    if isinstance(block, Chart):
        # Drawn by our own code from figures; every word in it is escaped there.
        return {"chart": mark_safe(render_chart_svg(block)), "title": block.title}  # noqa: S308
    assert isinstance(block, Table)  # noqa: S101
    names = ["" if column.align == "left" else column.align for column in block.columns]
    return {
        "table": block,
        "columns": list(zip(block.columns, names, strict=True)),
        "rows": [list(zip(row, names, strict=True)) for row in block.rows],
        "totals": list(zip(block.totals, names, strict=False)),
    }
