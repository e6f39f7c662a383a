"""Print minutes in the background, in the layout of 纪要; a job that runs twice leaves one file."""

from pathlib import Path

from django.conf import settings
from django.db import transaction

from shuozhou_mines.jobs import Run, handles
from shuozhou_mines.storage import discard, store
from supervision.bulletin_content import ISSUING_BODY
from supervision.content import Attendance, BulletinContent, Column, Paragraph, Section, Table
from supervision.documents import render_bulletin
from supervision.makeup import chinese_date
from supervision.meeting_models import PRESENCE, Meeting

MINUTES_JOB = "supervision.minutes_pdf"
HEAD_NAME = "非煤矿山整治整合工作专班会议纪要"


@handles(MINUTES_JOB, "生成会议纪要 PDF")
def print_minutes(run: Run) -> None:
    """Set the minutes, store the file whole, and put it in its place."""
    run.report(0, 2, "按纪要格式排版")
    meeting = Meeting.objects.get(pk=run.subject_id)
    if meeting.has_pdf:
        run.report(2, 2, "PDF 已经生成")
        return
    pdf = render_bulletin(minutes_content(meeting))
    run.report(1, 2, "存盘并计算校验码")
    stored = store([pdf], folder=f"minutes/{meeting.held_on.year}", suffix=".pdf")
    try:
        with transaction.atomic():
            run.still_ours()
            row = Meeting.objects.select_for_update(of=("self",)).get(pk=meeting.pk)
            replaced = row.pdf.name
            row.pdf.name, row.pdf_sha256 = stored.name, stored.sha256
            row.save(update_fields=["pdf", "pdf_sha256"])
    except BaseException:
        discard(stored)
        raise
    if replaced:
        (Path(settings.MEDIA_ROOT) / replaced).unlink(missing_ok=True)
    run.report(2, 2, "完成")


def minutes_content(meeting: Meeting) -> BulletinContent:
    """Return all that is printed of a meeting's minutes."""
    assert meeting.issued_on is not None  # noqa: S101
    where = f"在{meeting.place}" if meeting.place else ""
    chair = f"，{meeting.chair}主持" if meeting.chair else ""
    opening = (
        f"{chinese_date(meeting.held_on)}，专班{where}召开{meeting.title}{chair}。现纪要如下："
    )
    agenda = tuple(
        Paragraph(f"{number}．{item.text}")
        for number, item in enumerate(meeting.agenda.all(), start=1)
    )
    words = tuple(Paragraph(line.strip()) for line in meeting.minutes.splitlines() if line.strip())
    sections = [Section("一、会议议题", agenda)] if agenda else []
    numerals = "一二三"
    sections.append(Section(f"{numerals[len(sections)]}、会议情况", words))
    decisions = list(meeting.resolutions.all())
    if decisions:
        rows = tuple(
            (str(number), each.text, each.owner, f"{each.due_on}" if each.due_on else "—")
            for number, each in enumerate(decisions, start=1)
        )
        table = Table(
            caption="议定事项",
            columns=(
                Column("序号"),
                Column("事项", align="left"),
                Column("责任单位"),
                Column("时限"),
            ),
            rows=rows,
        )
        sections.append(Section(f"{numerals[len(sections)]}、议定事项", (table,)))
    return BulletinContent(
        head="minutes",
        head_name=HEAD_NAME,
        issuing_body=ISSUING_BODY,
        title=meeting.title,
        issue_no=meeting.number,
        opening=(Paragraph(opening),),
        sections=tuple(sections),
        attendance=_attendance(meeting),
        signed_on=meeting.issued_on,
        signature=ISSUING_BODY,
        copies_to="各县（市、区）人民政府，专班各成员单位。",
        printed_by=ISSUING_BODY,
        printed_on=meeting.issued_on,
        is_demo=settings.DEMO,
    )


def _attendance(meeting: Meeting) -> tuple[Attendance, ...]:
    came: dict[str, list[str]] = {code: [] for code, _ in PRESENCE}
    for each in meeting.attendees.select_related("unit"):
        came[each.presence].append(str(each))
    return tuple(Attendance(label, "、".join(came[code])) for code, label in PRESENCE if came[code])
