"""Show what the office has sent out: the list, a unit's duties, one order to sign and answer."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shuozhou_mines.errors import Incomplete
from supervision import dispatch_actions as actions
from supervision.dispatch_forms import DispatchForm, NoteForm
from supervision.dispatch_models import (
    ORDER_STEPS,
    DispatchOrder,
    OrderState,
    OrderStep,
    answers_for_unit,
)
from supervision.sections import check_follows, section_tabs
from taskforce import permissions

PER_PAGE = 50
TONES = {
    OrderState.SENT: "waiting",
    OrderState.RECEIVED: "active",
    OrderState.ANSWERED: "waiting",
    OrderState.CLOSED: "done",
}
SHOWN = (("open", "未办结"), ("overdue", "逾期"), ("own", "本单位"), ("all", "全部"))


@require_GET
def dispatch_list(request: HttpRequest) -> HttpResponse:
    """List the orders this user may see; a member unit finds its own duties first (W-19)."""
    check_follows(request.user)
    today = timezone.localdate()
    orders = DispatchOrder.objects.visible_to(request.user)
    own = DispatchOrder.objects.for_unit_of(request.user)
    lists: dict[str, Any] = {
        "open": orders.exclude(state="closed"),
        "overdue": orders.overdue(today),
        "own": own,
        "all": orders,
    }
    asked = request.GET.get("show", "own" if answers_for_unit(request.user) else "open")
    shown = asked if asked in lists else "open"
    page = Paginator(
        lists[shown].select_related("dispatch", "unit").order_by("dispatch__due_on", "pk"), PER_PAGE
    ).get_page(request.GET.get("page"))
    unit = request.user.organization  # type: ignore[union-attr]
    context = {
        "tabs": section_tabs("dispatch-list"),
        "filters": [
            {
                "label": label,
                "url": f"?show={code}",
                "active": code == shown,
                "count": lists[code].count(),
            }
            for code, label in SHOWN
        ],
        "rows": [order_row(order, today) for order in page],
        "page_obj": page,
        "query": f"show={shown}&",
        "may_issue": permissions.can_city(request.user, "hold_meeting"),
        "duties": unit.duties if unit is not None and answers_for_unit(request.user) else "",
        "unit": unit,
    }
    return render(request, "supervision/dispatch_list.html", context)


def order_row(order: DispatchOrder, today: date) -> dict[str, Any]:
    """Return what a list shows of an order; dispatch and unit should have been joined."""
    return {
        "order": order,
        "state": OrderState(order.state).label,
        "tone": TONES[OrderState(order.state)],
        "overdue": order.state in ("sent", "received") and order.dispatch.due_on < today,
    }


@require_http_methods(["GET", "POST"])
def dispatch_new(request: HttpRequest) -> HttpResponse:
    """Send out a new dispatch."""
    if not permissions.can_city(request.user, "hold_meeting"):
        raise Http404
    form = DispatchForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            made = actions.issue_dispatch(by=request.user, at=timezone.now(), **form.cleaned_data)
        except Incomplete as refusal:
            form.add_error(None, refusal.message)
        else:
            messages.success(request, f"已下发 {made.orders.count()} 个单位：{made.title}。")
            return redirect(f"{reverse('dispatch-list')}?show=open")
    status = 422 if form.errors else 200
    return render(request, "supervision/dispatch_new.html", {"form": form}, status=status)


@require_GET
def order_page(request: HttpRequest, order_id: int) -> HttpResponse:
    """Show one unit's order."""
    return _page(request, _visible(request, order_id), None)


@require_POST
def order_step(request: HttpRequest, order_id: int, step: str) -> HttpResponse:
    """Take one step with an order."""
    order = _visible(request, order_id)
    if step not in ORDER_STEPS:
        raise Http404
    taken = ORDER_STEPS[step]
    form = NoteForm(request.POST, label=taken.note_label, auto_id=f"{step}_%s")
    if form.is_valid():
        actions.step_order(
            order_id=order.pk,
            step=step,
            note=form.cleaned_data.get("note", ""),
            by=request.user,
            at=timezone.now(),
        )
        messages.success(request, f"已办理：{taken.label}。")
        return redirect("dispatch-order", order.pk)
    return _page(request, order, (step, form))


def _visible(request: HttpRequest, order_id: int) -> DispatchOrder:
    orders = DispatchOrder.objects.visible_to(request.user).select_related(
        "dispatch__issued_by", "dispatch__problem", "unit", "received_by"
    )
    return get_object_or_404(orders, pk=order_id)


def _offered(user: Any, order: DispatchOrder, step: OrderStep) -> bool:
    if order.state not in step.from_states:
        return False
    if step.by_unit:
        return answers_for_unit(user) and user.organization_id == order.unit_id
    return permissions.can_city(user, "hold_meeting")


def _page(
    request: HttpRequest, order: DispatchOrder, refused: tuple[str, NoteForm] | None
) -> HttpResponse:
    steps = []
    for step in ORDER_STEPS.values():
        if not _offered(request.user, order, step):
            continue
        form = NoteForm(label=step.note_label, auto_id=f"{step.code}_%s")
        if refused is not None and refused[0] == step.code:
            form = refused[1]
        steps.append(
            {
                "step": step,
                "form": form,
                "url": reverse("dispatch-step", args=[order.pk, step.code]),
            }
        )
    context = {"row": order_row(order, timezone.localdate()), "order": order, "steps": steps}
    wrong = refused is not None and bool(refused[1].errors)
    return render(request, "supervision/order.html", context, status=422 if wrong else 200)
