"""Orders to counties and units: receipt, feedback, end, and whose business they are."""

from datetime import date

import pytest
from django.urls import reverse

from shuozhou_mines.errors import Incomplete, NotAllowed, WrongState
from supervision import dispatch_actions as actions
from supervision.dispatch_models import ORDER_STEPS, DispatchOrder, OrderState
from supervision.inspection_models import Problem
from supervision.waiting import waiting_for
from taskforce.models import Organization
from tests.conftest import SHUOCHENG
from tests.supervision.quarter import at
from tests.supervision.test_inspections import (  # noqa: F401
    browser,
    found,
    record,
    step,
    team,
    visit,
)


@pytest.fixture
def order(people, counties) -> DispatchOrder:
    """Return 朔城区's part of a dispatch that goes to 市应急管理局 as well."""
    dispatch = issue(people)
    return dispatch.orders.get(unit__county=SHUOCHENG)


def issue(people, **changes):
    names = ("朔城区人民政府", "市应急管理局")
    facts = {
        "title": "核查停产矿山", "text": "逐座核查。", "due_on": date(2025, 7, 20),
        "units": Organization.objects.filter(name__in=names), "by": people["office"],
        "at": at(7, 1),
    }  # fmt: skip
    return actions.issue_dispatch(**{**facts, **changes})


def take(order, name, by, note="已核查。") -> DispatchOrder:
    return actions.step_order(order_id=order.pk, step=name, note=note, by=by, at=at(7, 5))


def test_each_unit_gets_an_order_of_its_own(people, counties):
    dispatch = issue(people)
    assert [order.unit.short_name for order in dispatch.orders.order_by("unit__order")] == [
        "市应急管理局", "朔城区",
    ]  # fmt: skip
    with pytest.raises(NotAllowed, match="只有专班办公室"):
        issue(people, by=people["county_leader"])
    with pytest.raises(Incomplete, match="请选择承办单位"):
        issue(people, units=[])
    with pytest.raises(Incomplete, match="已经过去"):
        issue(people, due_on=date(2025, 6, 30))


def test_order_is_received_answered_returned_answered_and_closed(order, people):
    clerk, office = people["county_clerk"], people["office"]
    take(order, "receive", clerk)
    take(order, "answer", clerk, "核查了三座。")
    take(order, "return", office, "还差两座。")
    take(order, "answer", clerk, "五座都已核查。")
    closed = take(order, "close", office)
    assert (closed.state, closed.closed_on, closed.feedback, closed.received_by) == (
        "closed", date(2025, 7, 5), "五座都已核查。", clerk,
    )  # fmt: skip


ALLOWED = {
    ("receive", "sent"), ("answer", "received"), ("return", "answered"), ("close", "answered"),
}  # fmt: skip
OF_UNIT = {"county_clerk", "county_reviewer", "county_leader"}


@pytest.mark.parametrize("name", list(ORDER_STEPS))
@pytest.mark.parametrize("state", [each.value for each in OrderState])
def test_each_step_from_each_state_by_each_role(order, people, name, state):
    for role, person in people.items():
        DispatchOrder.objects.filter(pk=order.pk).update(
            state=state, received_at=at(7, 2), feedback="办了"
        )
        may = role in OF_UNIT if ORDER_STEPS[name].by_unit else role == "office"
        if may and (name, state) in ALLOWED:
            assert take(order, name, person).state == ORDER_STEPS[name].to_state
        else:
            with pytest.raises(WrongState if may else NotAllowed):
                take(order, name, person)


def test_order_is_overdue_until_it_is_answered(order, people):
    assert DispatchOrder.objects.overdue(date(2025, 7, 20)).count() == 0
    assert DispatchOrder.objects.overdue(date(2025, 7, 21)).count() == 2
    take(order, "receive", people["county_clerk"])
    take(order, "answer", people["county_clerk"])
    assert DispatchOrder.objects.overdue(date(2025, 7, 21)).count() == 1


def test_escalated_problem_becomes_an_order_to_its_county(visit, people):  # noqa: F811
    problem = visit.problems.first()
    step(problem, "escalate", people["office"], note="限十日内改。", due_on=date(2025, 7, 15))
    order = DispatchOrder.objects.get()
    assert (order.unit.county_id, order.dispatch.due_on) == (SHUOCHENG, date(2025, 7, 15))
    assert order.dispatch.problem == problem
    assert "限十日内改。" in order.dispatch.text
    assert Problem.objects.get(pk=problem.pk).state == "escalated"


def test_unit_finds_its_own_orders_and_strangers_none(order, people):
    page = reverse("dispatch-order", args=[order.pk])
    seen_by = {"office", "member_unit", "other_member_unit", "city_leader", *OF_UNIT}
    for role, person in people.items():
        status = browser(person).get(page).status_code
        assert status == (200 if role in seen_by else 404), role
    own = browser(people["member_unit"]).get(f"{reverse('dispatch-list')}?show=own")
    assert own.content.decode().count("核查停产矿山") == 1
    other = browser(people["other_county_clerk"])
    assert "核查停产矿山" not in other.get(f"{reverse('dispatch-list')}?show=all").content.decode()
    assert other.post(reverse("dispatch-step", args=[order.pk, "receive"])).status_code == 404
    assert other.get(reverse("dispatch-new")).status_code == 404


def test_order_waits_on_the_desk_of_its_unit(order, people):
    assert [line["label"] for line in waiting_for(people["county_clerk"])] == [
        "督办：核查停产矿山（签收）"
    ]
    assert waiting_for(people["other_county_clerk"]) == []
    take(order, "receive", people["county_clerk"])
    assert waiting_for(people["county_clerk"])[0]["label"] == "督办：核查停产矿山（反馈）"


def test_order_goes_its_way_through_the_pages(people, counties):
    office, clerk = browser(people["office"]), browser(people["county_clerk"])
    county = Organization.objects.get(county=SHUOCHENG)
    data = {"title": "核查", "text": "逐座核查。", "due_on": "2099-01-01", "units": [county.pk]}
    assert office.post(reverse("dispatch-new"), {**data, "units": []}).status_code == 422
    office.post(reverse("dispatch-new"), data)
    order = DispatchOrder.objects.get()
    steps = {name: reverse("dispatch-step", args=[order.pk, name]) for name in ORDER_STEPS}
    assert "签收" in clerk.get(reverse("dispatch-order", args=[order.pk])).content.decode()
    clerk.post(steps["receive"])
    assert clerk.post(steps["answer"], {"note": ""}).status_code == 422
    clerk.post(steps["answer"], {"note": "办好了。"})
    office.post(steps["close"])
    order.refresh_from_db()
    assert (order.state, order.feedback) == ("closed", "办好了。")
    assert clerk.post(steps["receive"]).status_code == 409
