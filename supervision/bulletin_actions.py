"""Change bulletins: draft, refresh, edit, issue, print. Each refuses in a sentence."""

from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from shuozhou_mines.errors import Incomplete, WrongState
from shuozhou_mines.jobs import enqueue
from shuozhou_mines.models import Job
from supervision.bulletin_content import (
    bulletin_content,
    content_key,
    document_number,
    title_of,
)
from supervision.bulletins import compute_figures, months_of, quarter_name
from supervision.models import Bulletin
from supervision.permissions import check_issue, may_approve
from supervision.sentences import draft_paragraphs, refresh_paragraphs
from supervision.tasks import PDF_JOB
from taskforce.trail import record

ENDED = (Job.State.DONE, Job.State.FAILED, Job.State.CANCELLED)


@transaction.atomic
def draft_bulletin(*, year: int, quarter: int, by: Any, at: datetime) -> Bulletin:
    """Draft the quarter's bulletin, or return the draft that is already there (W-12).

    Raise NotAllowed, WrongState when it has been issued or the quarter has not begun.
    """
    check_issue(by)
    if months_of(year, quarter)[0] > timezone.localdate(at):
        raise WrongState(f"{quarter_name(year, quarter)}还没有开始，没有可以通报的数据。")
    figures = compute_figures(year=year, quarter=quarter, at=at)
    bulletin, made = Bulletin.objects.get_or_create(
        year=year,
        quarter=quarter,
        defaults={
            "title": title_of(year, quarter),
            "figures": figures,
            "paragraphs": draft_paragraphs(figures),
            "drafted_by": by,
            "drafted_at": at,
        },
    )
    if made:
        record("季通报拟稿", by=by, subject=bulletin)
    elif bulletin.state == Bulletin.State.ISSUED:
        raise WrongState(f"{bulletin.period}通报已印发（{bulletin.document_number}），不能再拟。")
    return bulletin


@transaction.atomic
def refresh_bulletin(*, bulletin_id: int, by: Any, at: datetime) -> Bulletin:
    """Compute the figures anew and rewrite the paragraphs that nobody has edited.

    Raise NotAllowed, WrongState when it has been issued.
    """
    check_issue(by)
    bulletin = _locked_draft(bulletin_id)
    bulletin.figures = compute_figures(year=bulletin.year, quarter=bulletin.quarter, at=at)
    bulletin.paragraphs = refresh_paragraphs(bulletin.figures, bulletin.paragraphs)
    bulletin.save(update_fields=["figures", "paragraphs"])
    record("季通报刷新数据", by=by, subject=bulletin)
    return bulletin


@transaction.atomic
def edit_paragraph(*, bulletin_id: int, key: str, text: str, by: Any) -> Bulletin:
    """Store the office's words for one paragraph; the drafted words again make it unedited.

    Raise NotAllowed, WrongState when it has been issued, Incomplete for an unknown paragraph.
    """
    check_issue(by)
    bulletin = _locked_draft(bulletin_id)
    found = [paragraph for paragraph in bulletin.paragraphs if paragraph["key"] == key]
    if not found:
        raise Incomplete("这份通报里没有这一段。请刷新页面后再改。")
    text = "\n".join(line.strip() for line in text.splitlines() if line.strip())
    found[0]["text"], found[0]["edited"] = text, text != found[0]["drafted"]
    bulletin.save(update_fields=["paragraphs"])
    record("季通报改稿", by=by, subject=bulletin, paragraph=key)
    return bulletin


@transaction.atomic
def set_layout(
    *, bulletin_id: int, head: str, addressees: str, copies_to: str, copies: int | None, by: Any
) -> Bulletin:
    """Choose the head and to whom the bulletin goes (W-12).

    Raise NotAllowed, WrongState when it has been issued.
    """
    check_issue(by)
    bulletin = _locked_draft(bulletin_id)
    bulletin.head, bulletin.addressees = head, addressees.strip()
    bulletin.copies_to, bulletin.copies = copies_to.strip(), copies
    bulletin.save(update_fields=["head", "addressees", "copies_to", "copies"])
    record("季通报版头与分发", by=by, subject=bulletin, head=head)
    return bulletin


@transaction.atomic
def approve_bulletin(
    *, bulletin_id: int, content: str, approver: str, approved_on: date, by: Any, at: datetime
) -> Bulletin:
    """Keep the leader's approval of exactly the content that was read.

    content: the mark of what was on the screen. A leader approves in person; the office enters an
    approval on paper under the leader's name. Raise NotAllowed, Incomplete for a day to come or
    without a name, WrongState when it was issued, or changed while it was read.
    """
    in_person = may_approve(by)
    if not in_person:
        check_issue(by)
    bulletin = _locked_draft(bulletin_id)
    name = str(by) if in_person else approver.strip()
    day = timezone.localdate(at) if in_person else approved_on
    if not name:
        raise Incomplete("请填写签批的领导姓名和职务。")
    if day > timezone.localdate(at):
        raise Incomplete(f"签批日期 {day} 还没有到，请填实际签批的日期。")
    if content != content_key(bulletin_content(bulletin)):
        raise WrongState("通报在你打开之后又改过，没有签批。请看过现在的内容再签。")
    bulletin.approver, bulletin.approved_on = name, day
    bulletin.approved_content, bulletin.approved_by = content, by
    bulletin.save(update_fields=["approver", "approved_on", "approved_content", "approved_by"])
    record("季通报签批", by=by, subject=bulletin, approver=name, on=str(day))
    return bulletin


def is_approved(bulletin: Bulletin) -> bool:
    """Tell whether what the draft says now is what was approved."""
    return bulletin.approved_content == content_key(bulletin_content(bulletin))


@transaction.atomic
def issue_bulletin(
    *, bulletin_id: int, number: int, issued_on: date, is_public: bool, by: Any
) -> Bulletin:
    """Issue the approved draft under the next number, lock it and have its PDF printed.

    Raise NotAllowed, WrongState when it has been issued, Incomplete without an approval of what it
    says now, for a number that is taken, or a day before the quarter or the approval.
    """
    check_issue(by)
    bulletin = _locked_draft(bulletin_id)
    if issued_on < months_of(bulletin.year, bulletin.quarter)[0]:
        raise Incomplete(f"印发日期 {issued_on} 早于{bulletin.period}，请核对。")
    if not bulletin.approved_on:
        raise Incomplete("还没有领导签批。请先送领导签批，再印发。")
    if not is_approved(bulletin):
        raise Incomplete(
            f"{bulletin.approver}签批之后，文字、数据或分发范围又改过。请重新送签，再印发。"
        )
    if issued_on < bulletin.approved_on:
        raise Incomplete(f"印发日期 {issued_on} 早于签批日期 {bulletin.approved_on}，请核对。")
    named = document_number(issued_on.year, number, bulletin.head)
    bulletin.state = Bulletin.State.ISSUED
    bulletin.number, bulletin.document_number = number, named
    bulletin.issued_by, bulletin.issued_on, bulletin.is_public = by, issued_on, is_public
    _drop_preview(bulletin)
    try:
        with transaction.atomic():
            bulletin.save()
    except IntegrityError:
        raise Incomplete(
            f"文号 {named} 已经用过，下一个可用的是 "
            f"{next_number(issued_on.year, bulletin.head)} 号。"
        ) from None
    record("季通报印发", by=by, subject=bulletin, document_number=named, public=is_public)
    _enqueue_pdf(bulletin, by)
    return bulletin


@transaction.atomic
def print_bulletin(*, bulletin_id: int, by: Any) -> Job | None:
    """Have the PDF of the present content printed; None when it is there already.

    Raise NotAllowed.
    """
    check_issue(by)
    bulletin = Bulletin.objects.select_for_update(of=("self",)).get(pk=bulletin_id)
    return _enqueue_pdf(bulletin, by)


def _drop_preview(bulletin: Bulletin) -> None:
    """Take the draft's PDF away, so that nobody reads it as the issued one."""
    preview = bulletin.pdf.name
    bulletin.pdf, bulletin.pdf_sha256, bulletin.pdf_content = "", "", ""
    if preview:
        transaction.on_commit(lambda: bulletin.pdf.storage.delete(preview))


def next_number(year: int, head: str = Bulletin.Head.DOCUMENT) -> int:
    """Return the first number not used yet for bulletins with this head issued in a year."""
    issued = Bulletin.objects.filter(issued_on__year=year, head=head)
    used = issued.values_list("number", flat=True)
    return max((number for number in used if number is not None), default=0) + 1


def _enqueue_pdf(bulletin: Bulletin, by: Any) -> Job | None:
    """Ask once for each content, and once more for each time that it ended without its file."""
    content = content_key(bulletin_content(bulletin))
    if bulletin.pdf_content == content and bulletin.has_pdf:
        return None
    earlier = Job.objects.about(bulletin).filter(
        kind=PDF_JOB, arguments__content=content, state__in=ENDED
    )
    return enqueue(
        kind=PDF_JOB,
        subject=bulletin,
        key=f"{bulletin.pk}:{content[:16]}:{earlier.count()}",
        by=by,
        arguments={"content": content},
    )


def _locked_draft(bulletin_id: int) -> Bulletin:
    bulletin = Bulletin.objects.select_for_update(of=("self",)).get(pk=bulletin_id)
    if bulletin.state == Bulletin.State.ISSUED:
        raise WrongState(
            f"{bulletin.period}通报已由{bulletin.issued_by}印发（{bulletin.document_number}），"
            "不能再改。"
        )
    return bulletin
