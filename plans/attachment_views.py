"""Show a plan's documents, take new ones, and hand them to whom the plan is open."""

from typing import Any

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from plans import attachment_actions
from plans.attachment_forms import AttachmentForm
from plans.comment_actions import may_comment
from plans.models import Attachment, CountyPlan
from shuozhou_mines.errors import NotAllowed, Refused
from taskforce.trail import record


@require_http_methods(["GET", "POST"])
def plan_attachments(request: HttpRequest, plan_id: int) -> HttpResponse:
    """List a plan's documents; a posted one is added."""
    plans = CountyPlan.objects.visible_to(request.user).select_related("county", "round")
    plan = get_object_or_404(plans, pk=plan_id)
    form = AttachmentForm(request.POST or None, request.FILES or None)
    status = 200
    if request.method == "POST":
        if not attachment_actions.may_attach(request.user, plan):
            raise NotAllowed(attachment_actions.WHO)
        if form.is_valid() and _attached(request, plan, form):
            return redirect("plan-attachments", plan.pk)
        status = 422
    rows = plan.attachments.select_related("uploaded_by", "withdrawn_by").order_by("subject", "pk")
    may_attach = attachment_actions.may_attach(request.user, plan)
    context = {
        "plan": plan,
        "rows": [_row(each, may_attach=may_attach) for each in rows],
        "form": form if may_attach else None,
        "may_comment": may_comment(request.user, plan),
    }
    return render(request, "plans/attachments.html", context, status=status)


def _attached(request: HttpRequest, plan: CountyPlan, form: AttachmentForm) -> bool:
    given = form.cleaned_data
    try:
        row = attachment_actions.attach(
            plan_id=plan.pk,
            upload=given["document"],
            subject=given["subject"],
            title=given["title"],
            by=request.user,
            at=timezone.now(),
        )
    except NotAllowed:
        raise
    except Refused as refusal:
        form.add_error("document", refusal.message)
        return False
    gone = "、".join(f"{word} {count} 处" for word, count in row.removed.items())
    messages.success(request, f"已上传“{row.title}”。" + (f"已去除：{gone}。" if gone else ""))
    return True


def _row(row: Attachment, *, may_attach: bool) -> dict[str, Any]:
    return {
        "row": row,
        "size": f"{row.size / 1024 / 1024:.1f} MB"
        if row.size > 1 << 20
        else f"{row.size >> 10} KB",
        "removed": "、".join(f"{word} {count} 处" for word, count in row.removed.items()),
        "may_withdraw": may_attach and row.withdrawn_at is None,
    }


@require_GET
def attachment_file(request: HttpRequest, attachment_id: int) -> FileResponse:
    """Hand out a document; one that was taken down is no longer handed out."""
    row = _visible(request, attachment_id)
    record("下载附件", by=request.user, subject=row, county=row.plan.county)
    return FileResponse(
        row.file.open("rb"),
        as_attachment=True,
        filename=row.file_name,
        content_type=row.content_type,
        headers={"X-Content-Type-Options": "nosniff"},
    )


@require_POST
def attachment_withdraw(request: HttpRequest, attachment_id: int) -> HttpResponse:
    """Take a document down."""
    row = _visible(request, attachment_id)
    attachment_actions.withdraw_attachment(attachment_id=row.pk, by=request.user, at=timezone.now())
    messages.success(request, f"已撤下“{row.title}”。")
    return redirect("plan-attachments", row.plan_id)


def _visible(request: HttpRequest, attachment_id: int) -> Attachment:
    rows = Attachment.objects.filter(
        plan__in=CountyPlan.objects.visible_to(request.user), withdrawn_at__isnull=True
    )
    return get_object_or_404(rows.select_related("plan__county"), pk=attachment_id)
