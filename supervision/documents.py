"""Print a bulletin's content as a PDF laid out by GB/T 9704-2012."""

from pathlib import Path
from typing import Any, Literal

from django.template import Context, Engine
from django.utils.safestring import SafeString, mark_safe

from shuozhou_mines.printing import MissingCharacters as MissingCharacters
from shuozhou_mines.printing import write_pdf as write_pdf
from supervision.content import BulletinContent
from supervision.document_fonts import FANGSONG, HEITI, KAITI, SONGTI, TITLE_SONG, Face
from supervision.makeup import (
    AREA,
    BODY,
    BRIEF_MARK_SIZE,
    CHARACTER,
    FOOT,
    HEAD_TOP_MM,
    MARK_SIZE,
    RULE_MM,
    Numbering,
    SetEntry,
    SetText,
    attachment_lines,
    baseline_shift,
    chinese_date,
    foot_lines,
    lines_beside,
    number_to_rule,
    page_number_top,
    set_annexes,
    set_blocks,
    set_labelled,
    set_mark,
    set_text,
    signature_places,
    turned_number_edge,
)
from supervision.typesetting import MM, break_title

_TEMPLATES = Engine(dirs=[str(Path(__file__).resolve().parent.parent / "templates")])
_MARK_TOPS_MM = {"document": HEAD_TOP_MM, "minutes": HEAD_TOP_MM, "brief": 15.0}


def render_bulletin(content: BulletinContent) -> bytes:
    """Return the PDF, the same bytes for the same content on the same machine.

    Raise MissingCharacters when no installed font has one of the characters.
    """
    return write_pdf(bulletin_html(content), archive=content.archive)


def bulletin_html(content: BulletinContent) -> str:
    """Return the finished page source: every line broken, style sheet inside, nothing to fetch."""
    numbering = Numbering()
    body: list[Any] = list(set_blocks(content.opening, numbering))
    for section in content.sections:
        if section.heading:
            body.append(set_text(section.heading, "heading", HEITI))
        body.extend(set_blocks(section.blocks, numbering))
    signed_on = chinese_date(content.signed_on)
    signature_left, date_left = signature_places(content.signature, signed_on)
    title_lines = break_title(content.title)
    attachments = attachment_lines(content)
    printed_on = f"{chinese_date(content.printed_on)}印发" if content.printed_on else ""
    context = {
        "content": content,
        "label": "".join(title_lines),
        "created": content.signed_on.isoformat(),
        "title_lines": title_lines,
        "addressees": _addressees(content),
        "body": body,
        "attachments": attachments,
        "signed_on": signed_on,
        "issuer": lines_beside(content.issuing_body, signed_on, BODY),
        "signature_left": _pt(signature_left),
        "date_left": _pt(date_left),
        "note": set_text(f"（{content.note}）", "", FANGSONG) if content.note else None,
        "attendance": [set_labelled(entry.label, entry.names) for entry in content.attendance],
        "annexes": set_annexes(content, numbering),
        "ends_wide": bool(content.annexes) and content.annexes[-1].landscape,
        "foot": _foot(content),
        "printed_by": lines_beside(content.printed_by, printed_on, FOOT),
        "printed_on": printed_on,
        "copies": str(content.copies) if content.copies and content.head == "brief" else "",
        **_head(content),
        **_measures(several=bool(attachments and attachments[0][0])),
    }
    return _TEMPLATES.get_template("pdf/bulletin.html").render(Context(context))


def _head(content: BulletinContent) -> dict[str, Any]:
    """Return the red head's part of the context."""
    brief = content.head == "brief"
    if content.head == "document":
        mark = set_mark(f"{content.issuing_body}文件", size=MARK_SIZE)
    else:
        size = BRIEF_MARK_SIZE if brief else MARK_SIZE
        mark = set_mark(content.head_name or content.issuing_body, size=size)
    return {
        "head_template": f"pdf/_head_{'brief' if brief else 'document'}.html",
        "mark": mark,
        "mark_top": _pt(_MARK_TOPS_MM[content.head] * MM - mark.top),
        "mark_size": _pt(mark.size),
        "mark_scale": f"{mark.scale:.4f}",
        "number": _number(content),
        "rule_gap": _pt(number_to_rule(_number(content))),
    }


def _number(content: BulletinContent) -> str:
    if content.document_number:
        return content.document_number
    if content.issue_no is None:
        return ""
    total = f"（总第{content.total_no}期）" if content.total_no is not None else ""
    return f"第{content.issue_no}期{total}"


def _addressees(content: BulletinContent) -> SetText | None:
    if not content.addressees or content.head != "document":
        return None
    return set_text(content.addressees.rstrip("：:") + "：", "", FANGSONG, indent=0)


def _foot(content: BulletinContent) -> list[SetEntry]:
    if content.head == "brief":
        entries: tuple[tuple[str, str], ...] = (
            ("报：", content.report_to),
            ("送：", content.copies_to),
            ("发：", content.addressees),
        )
    else:
        label: Literal["分送：", "抄送："] = "分送：" if content.head == "minutes" else "抄送："
        entries = ((label, content.copies_to),)
    return [foot_lines(label, names) for label, names in entries if names]


def _measures(*, several: bool) -> dict[str, SafeString]:
    """Return the lengths and faces that the style sheet leaves open."""
    number = 1.5 if several else 0.0
    measures = {
        "one_character": _pt(CHARACTER),
        "two_characters": _pt(2 * CHARACTER),
        "three_characters": _pt(3 * CHARACTER),
        "attachment_left": _pt((5 + number) * CHARACTER),
        "attachment_hang": _pt((3 + number) * CHARACTER),
        "number_width": _pt(number * CHARACTER),
        "area_width": _pt(AREA),
        "rule": f"{RULE_MM}mm",
        "page_number": f"vertical-align: top; padding-top: {_pt(page_number_top())};",
        "turned_right": _pt(turned_number_edge()),
        "turned_left": f"{35 * MM - turned_number_edge():.3f}pt",
        "page_number_font": f"{SONGTI.css_weight} {FOOT}pt/{FOOT}pt {SONGTI.css_stack}",
    }
    faces: dict[str, Face] = {"song_title": TITLE_SONG, "fangsong": FANGSONG}
    faces |= {"kaiti": KAITI, "heiti": HEITI}
    for name, face in faces.items():
        measures[name] = face.css_stack
        measures[f"{name}_weight"] = str(face.css_weight)
        measures[f"{name}_shift"] = _pt(baseline_shift(face))
    # Made of numbers and family names of this module alone: nothing a user has typed.
    return {name: mark_safe(value) for name, value in measures.items()}  # noqa: S308


def _pt(points: float) -> str:
    return f"{points:.3f}pt"
