"""Let the office handle objections; whose they are is shown on request only, and each look kept."""

from typing import Any

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from publicity.models import Objection, ObjectionFile
from publicity.objection_actions import look_at_identity, open_attachment, take_objection_step
from publicity.objection_forms import StepForm, step_form
from publicity.objection_steps import STEPS, State, steps_from
from publicity.objection_views import case_context, reply_file
from publicity.permissions import for_publishers
from publicity.uploads import TYPES
from shuozhou_mines.errors import Incomplete

TONES = {
    State.RECEIVED: "waiting", State.ACCEPTED: "active", State.CHECKING: "active",
    State.ANSWERED: "active", State.REJECTED: "stopped", State.CLOSED: "done",
}  # fmt: skip


@require_GET
@for_publishers
def objection_desk(request: HttpRequest) -> HttpResponse:
    """List the objections, those that wait first."""
    today = timezone.localdate()
    found = Objection.objects.visible_to(request.user).select_related("notice__plan__county")
    found = found.defer("notice__content")
    cases = sorted(
        found.order_by("due_on", "pk")[:500], key=lambda case: case.closed_at is not None
    )
    rows = [
        {"case": case, "tone": TONES[State(case.state)], "overdue": case.is_overdue(today)}
        for case in cases
    ]
    return render(request, "publicity/objection_desk.html", {"rows": rows})


def _mine(request: HttpRequest, objection_id: int) -> Objection:
    visible = Objection.objects.visible_to(request.user).select_related("notice__plan__county")
    return get_object_or_404(visible, pk=objection_id)


@require_GET
def objection_page(request: HttpRequest, objection_id: int) -> HttpResponse:
    """Show one objection with its steps."""
    return _page(request, _mine(request, objection_id))


def _page(
    request: HttpRequest, objection: Objection, *, bound: StepForm | None = None, code: str = "",
    identity: dict[str, str] | None = None, status: int = 200,
) -> HttpResponse:  # fmt: skip
    ways = []
    for step in steps_from(objection.state):
        form = bound if bound is not None and step.code == code else step_form(objection, step.code)
        form.fields["note"].label = step.asks
        form.fields["note"].required = step.needs_note
        ways.append({"step": step, "form": form})
    context: dict[str, Any] = {
        "objection": objection,
        "notice": objection.notice,
        "tone": TONES[State(objection.state)],
        "ways": ways,
        "identity": identity,
        "files": list(objection.files.all()),
        **case_context(objection),
    }
    return render(request, "publicity/objection.html", context, status=status)


@require_POST
def objection_step(request: HttpRequest, objection_id: int, step: str) -> HttpResponse:
    """Take one step."""
    objection = _mine(request, objection_id)
    form = step_form(objection, step, request.POST)
    if form.is_valid():
        try:
            take_objection_step(
                objection_id=objection.pk, step=step, by=request.user, at=timezone.now(),
                **form.cleaned_data,
            )  # fmt: skip
        except Incomplete as refusal:
            form.add_error(None, refusal.message)
        else:
            messages.success(request, f"已{STEPS[step].label}。")
            return redirect("objection", objection.pk)
    return _page(request, objection, bound=form, code=step, status=422)


@never_cache
@require_http_methods(["POST"])
def objection_identity(request: HttpRequest, objection_id: int) -> HttpResponse:
    """Show whose objection it is, once, after the look has been written down."""
    objection = _mine(request, objection_id)
    identity = look_at_identity(objection=objection, by=request.user)
    return _page(request, objection, identity=identity)


@never_cache
@require_POST
def objection_attachment(request: HttpRequest, objection_id: int, file_id: int) -> HttpResponse:
    """Hand out one attachment under our own name, to be stored and never shown in place."""
    objection = _mine(request, objection_id)
    file = get_object_or_404(ObjectionFile, pk=file_id, objection=objection)
    content = open_attachment(file=file, by=request.user)
    name = f"{objection.receipt_number}-{file.pk}{file.suffix}"
    return HttpResponse(
        content,
        content_type=TYPES[file.suffix],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@never_cache
@require_GET
def objection_desk_reply(request: HttpRequest, objection_id: int) -> HttpResponse | FileResponse:
    """Hand the office the printed reply."""
    return reply_file(request, _mine(request, objection_id))
