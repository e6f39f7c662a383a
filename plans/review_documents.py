"""Print what the review leaves: 评审意见书, 修改说明对照表, and the story of a plan."""

from collections.abc import Callable

from django.template.loader import render_to_string
from django.utils import timezone

from plans.models import CountyPlan, ExpertRemark, Panel
from plans.timeline import whole_story
from shuozhou_mines.printing import write_pdf


def opinion_paper(panel: Panel) -> bytes:
    """Return the panel's 评审意见书 as PDF, with a table for the signatures."""
    members = list(panel.sitting())
    remarks = ExpertRemark.objects.filter(
        member__panel=panel, member__stepped_aside_at=None
    ).select_related("member__expert__user", "mine", "area")
    context = {
        "panel": panel,
        "plan": panel.version.plan,
        "members": members,
        "chair": members[0],
        "remarks": list(remarks.order_by("member__rank", "pk")),
        "printed_at": timezone.now(),
    }
    return write_pdf(render_to_string("pdf/expert_opinion.html", context), archive=True)


def revision_paper(panel: Panel) -> bytes:
    """Return the 修改说明对照表 as PDF: what was asked, what was changed, on which page."""
    context = {
        "panel": panel,
        "plan": panel.version.plan,
        "items": list(panel.revisions.select_related("answered_by")),
        "printed_at": timezone.now(),
    }
    return write_pdf(render_to_string("pdf/revisions.html", context), archive=True)


def story_paper(plan: CountyPlan) -> bytes:
    """Return who did what on a plan, when and with which note, as PDF for the archive."""
    context = {"plan": plan, "story": whole_story(plan), "printed_at": timezone.now()}
    return write_pdf(render_to_string("pdf/story.html", context), archive=True)


PAPERS: dict[str, tuple[str, Callable[[Panel], bytes]]] = {
    "opinion": ("评审意见书", opinion_paper),
    "revisions": ("修改说明对照表", revision_paper),
}
