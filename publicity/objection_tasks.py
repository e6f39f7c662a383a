"""Print the reply to an objection after it was decided."""

from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string

from publicity.models import Objection
from publicity.objection_steps import State
from shuozhou_mines.jobs import Run, handles
from shuozhou_mines.printing import write_pdf
from shuozhou_mines.storage import store

REPLY = "publicity.reply"


@handles(REPLY, "生成异议答复书")
def print_reply(run: Run) -> None:
    """Print the reply as PDF; it names the receipt number and nobody."""
    objection = Objection.objects.select_related("notice__plan__county").get(pk=run.subject_id)
    run.report(0, 1, "正在排版")
    stored = store([write_pdf(reply_html(objection))], folder="replies", suffix=".pdf")
    with transaction.atomic():
        run.still_ours()
        former = Objection.objects.select_for_update(of=("self",)).get(pk=objection.pk).reply.name
        Objection.objects.filter(pk=objection.pk).update(reply=stored.name)
    if former:
        (Path(settings.MEDIA_ROOT) / former).unlink(missing_ok=True)


def reply_html(objection: Objection) -> str:
    """Return the finished source of the reply."""
    rejected = objection.state == State.REJECTED
    css = (settings.BASE_DIR / "templates" / "pdf" / "reply.css").read_text(encoding="utf-8")
    context = {
        "objection": objection,
        "notice": objection.notice,
        "title": "不予受理告知书" if rejected else "异议答复书",
        "rejected": rejected,
        "css": css,
        "unit": settings.SITE_FOOTER["unit"],
        "contact": settings.SITE_FOOTER["contact"],
        "demo": settings.DEMO,
    }
    return render_to_string("pdf/reply.html", context)
