"""Tell those whose turn it is, in the portal and by mail, once for every step of a plan."""

from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from plans.models import CountyPlan, PanelMember, StepTaken
from plans.workflow import STEPS, State, accepts_upload, steps_from
from shuozhou_mines.jobs import Run, enqueue, handles
from shuozhou_mines.models import Job
from taskforce.models import CountyGroupObjectPermission, Message, User

ANNOUNCE = "plans.announce"


def queue(taken: StepTaken) -> Job:
    """Queue what is said about a step, in the transaction of the step."""
    return enqueue(kind=ANNOUNCE, subject=taken, key=str(taken.pk))


@handles(ANNOUNCE, "通知下一环节的经办人")
def announce(run: Run) -> None:
    """Write a message for everybody whose turn it is, and send them one mail; repeatable."""
    taken = StepTaken.objects.select_related("plan__county", "plan__round", "by").get(
        pk=run.subject_id
    )
    if StepTaken.objects.filter(plan=taken.plan_id, pk__gt=taken.pk).exists():
        run.report(1, 1, "方案已经到了下一环节，不再通知")
        return
    people = list(whose_turn(taken.plan).exclude(pk=taken.by_id))
    text = sentence(taken)
    url = reverse("plan", args=[taken.plan_id])
    Message.objects.bulk_create(
        [
            Message(to=user, key=f"{ANNOUNCE}:{taken.pk}", text=text, url=url, at=timezone.now())
            for user in people
        ],
        ignore_conflicts=True,
    )
    addresses = sorted({user.email for user in people if user.email})
    if addresses and not run.job.arguments.get("sent"):
        EmailMessage(
            subject=text,
            body=f"{text}\n请打开办理：{settings.SITE_URL}{url}\n",
            to=[settings.DEFAULT_FROM_EMAIL],
            bcc=addresses,
        ).send()
        # Written at once: a worker that dies from here on does not write a second time.
        Job.objects.filter(pk=run.job.pk).update(arguments={"sent": True})
    run.report(1, 1, f"已通知 {len(people)} 人")


def sentence(taken: StepTaken) -> str:
    """Return what is said: which plan, what was done, where it stands, until when."""
    until = f"，请在 {taken.due_on} 前办理" if taken.due_on else "，请办理"
    state = State(taken.to_state).label
    return (
        f"{taken.plan.county.name}方案已办理“{STEPS[taken.step].label}”，现在是“{state}”{until}。"
    )


def whose_turn(plan: CountyPlan) -> Any:
    """Return the people for whom a plan waits in its state, by the table's primary steps."""
    rights = {step.right for step in steps_from(plan.state) if step.primary}
    if accepts_upload(plan.state):
        rights |= {"draft_plan", "confirm_plan"} if plan.state == State.REVISING else {"draft_plan"}
    if plan.state == State.CO_SIGNING:
        rights |= {"give_opinion"}
    holding = CountyGroupObjectPermission.objects.filter(
        content_object=plan.county_id, permission__codename__in=rights
    )
    whose = Q(groups__in=holding.values("group"))
    if plan.state == State.EXPERT_REVIEW:
        seats = PanelMember.objects.filter(panel__version__plan=plan, stepped_aside_at=None)
        whose |= Q(pk__in=seats.values("expert__user"))
        whose |= Q(groups__name="office:city")
    return User.objects.filter(whose, is_active=True).distinct().order_by("pk")
