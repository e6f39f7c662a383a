"""Look through a workbook before any parser does: sizes really inflated, macros, links, far cells.

The same pass notes what the parser hides: formulas, error values, hidden rows and columns.
"""

import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from mines.sheet_refusals import (
    BOMB,
    DAMAGED,
    DECLARED,
    EMBEDDED,
    FORBIDDEN_PARTS,
    FORBIDDEN_RELATIONS,
    LINKS,
    MACRO,
    NOT_WORKBOOK,
    PASSWORD,
    UNADDRESSED,
    many_cells,
    refuse,
)
from mines.sheets import MIB, Limits, WorkbookRefused

OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIP_MAGIC = b"PK\x03\x04"
CHUNK = MIB
LONGEST_CARRY = 8 * MIB
RATIO_FROM = 16 * MIB
HIGHEST_RATIO = 250  # real worksheets stay far below; deflate can reach 1032
SMALL_PART = 4 * MIB

# Anything but cells as all programs write them, inside of 702 columns and 99,999 rows.
UNUSUAL_CELL = re.compile(rb'<c(?! r="[A-Z]{1,2}[1-9][0-9]{0,4}"[ />])')
PREFIX = rb"<(?:[\w.-]+:)?"
ANY_CELL = re.compile(PREFIX + rb"c(?=[\s/>])")
PLAIN_CELL = re.compile(PREFIX + rb'c r="([A-Z]{1,3})([1-9][0-9]{0,6})"([^<>]*)>')
LOOSE_CELL = re.compile(PREFIX + rb"c(?=[\s/>])([^<>]*)>")
LOOSE_REFERENCE = re.compile(rb"""\sr\s*=\s*["']([A-Z]{1,3})([1-9][0-9]{0,6})["']""")
FORMULA = re.compile(PREFIX + rb"c\s([^<>]*[^<>/])>\s*" + PREFIX + rb"f[\s/>]")
ERROR = re.compile(
    PREFIX
    + rb"""c\s([^<>]*\bt\s*=\s*["']e["'][^<>]*)>(?:(?!</?(?:[\w.-]+:)?c[\s/>]).)*?"""
    + PREFIX
    + rb"v[^<>]*>([^<]{0,40})",
    re.DOTALL,
)
HIDDEN_ROW = re.compile(PREFIX + rb"""row\s([^<>]*\bhidden\s*=\s*["'](?:1|true)["'][^<>]*)>""")
HIDDEN_COLUMN = re.compile(PREFIX + rb"""col\s([^<>]*\bhidden\s*=\s*["'](?:1|true)["'][^<>]*)>""")
ROW_NUMBER = re.compile(rb"""\br\s*=\s*["'](\d{1,7})["']""")
COLUMN_SPAN = re.compile(rb"""\b(min|max)\s*=\s*["'](\d{1,5})["']""")
DECLARATION = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)


@dataclass
class Marks:
    """What the guard saw in one worksheet; rows and columns count from 1.

    `last_row` and `last_column` are of cells that may lie far out; the reader sees the others.
    """

    last_row: int = 0
    last_column: int = 0
    cells: int = 0
    formulas: set[tuple[int, int]] = field(default_factory=set)
    errors: dict[tuple[int, int], str] = field(default_factory=dict)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)


def check_head(head: bytes) -> None:
    """Refuse what is neither a zip nor an OLE container, and say what it seems to be."""
    if head.startswith((ZIP_MAGIC, OLE_MAGIC)):
        return
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith(b"%PDF"):
        raise WorkbookRefused(
            "pdf", "这是 PDF 文件，不是 Excel 工作簿；请上传 .xlsx 或 .xls 文件。"
        )
    if head.startswith((b"PK\x05\x06", b"PK\x07\x08")):
        raise refuse(DAMAGED)
    if start.startswith((b"<html", b"<!doctype", b"<table", b"<?xml", b"<meta", b"<style")):
        raise WorkbookRefused(
            "web_page",
            "这是网页或 XML 文件，只是改了扩展名；请用 Excel 或 WPS 打开并另存为 .xlsx 后再上传。",
        )
    if _is_text(head):
        raise WorkbookRefused(
            "text_file",
            "这是文本文件（如 CSV），只是改了扩展名；"
            "请用 Excel 或 WPS 打开并另存为 .xlsx 后再上传。",
        )
    raise refuse(NOT_WORKBOOK)


def inspect_zip(path: Path, limits: Limits) -> list[Marks]:
    """Guard an .xlsx and return what was seen in its worksheets, in workbook order."""
    try:
        with zipfile.ZipFile(path) as archive:
            _check_members(archive, limits)
            marks = _scan_parts(archive, limits)
            parts = _worksheet_parts(archive)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as broken:
        raise refuse(DAMAGED) from broken
    except (ParseError, ValueError, KeyError, RuntimeError, RecursionError) as broken:
        raise refuse(DAMAGED) from broken
    if len(parts) > limits.sheets:
        raise WorkbookRefused(
            "many_sheets", f"工作簿有 {len(parts)} 张工作表，超过 {limits.sheets} 张的上限。"
        )
    return [marks.get(part, Marks()) for part in parts]


def check_extent(marks: Marks, limits: Limits) -> None:
    """Refuse a sheet whose last cell lies too far out."""
    if marks.last_row > limits.rows or marks.last_column > limits.columns:
        raise WorkbookRefused(
            "far_cell",
            f"工作表内容延伸到第 {marks.last_row} 行、第 {marks.last_column} 列，"
            f"超过 {limits.rows} 行、{limits.columns} 列的上限；请删除多余的行列后再上传。",
        )
    if max(marks.last_row * marks.last_column, marks.cells) > limits.cells:
        raise refuse(many_cells(limits))


def _is_text(head: bytes) -> bool:
    if b"\0" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return False
    for encoding in ("utf-8-sig", "gb18030", "utf-16"):
        # The head may end inside a character.
        for cut in range(4):
            try:
                text = head[: len(head) - cut].decode(encoding)
            except UnicodeDecodeError:
                continue
            return all(letter.isprintable() or letter.isspace() for letter in text)
    return False


def _check_members(archive: zipfile.ZipFile, limits: Limits) -> None:
    members = archive.infolist()
    if len(members) > limits.members:
        raise WorkbookRefused(
            "many_members", f"文件内部有 {len(members)} 个部件，超过 {limits.members} 个的上限。"
        )
    names = [member.filename.replace("\\", "/").lower() for member in members]
    if len(set(names)) != len(names):
        raise refuse(DAMAGED)
    if any(member.flag_bits & 0x1 for member in members):
        raise refuse(PASSWORD)
    if any(
        member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for member in members
    ):
        raise refuse(DAMAGED)
    for name in names:
        for piece, reason in FORBIDDEN_PARTS:
            if piece in f"/{name}":
                raise refuse(reason)
    _check_kind(set(names))


def _check_kind(names: set[str]) -> None:
    if "xl/workbook.bin" in names:
        raise WorkbookRefused("xlsb", "不接收 .xlsb 二进制工作簿；请另存为 .xlsx 后再上传。")
    if any(name.startswith("word/") for name in names):
        raise WorkbookRefused(
            "word", "这是 Word 文档，只是改了扩展名；请上传 .xlsx 或 .xls 工作簿。"
        )
    if any(name.startswith("ppt/") for name in names):
        raise WorkbookRefused(
            "slides", "这是演示文稿，只是改了扩展名；请上传 .xlsx 或 .xls 工作簿。"
        )
    if "content.xml" in names and "mimetype" in names:
        raise WorkbookRefused("ods", "这是 ODS 文档；请另存为 .xlsx 后再上传。")
    if not {"[content_types].xml", "_rels/.rels"} <= names:
        raise WorkbookRefused(
            "archive", "这是压缩包，不是 Excel 工作簿；请解压后上传其中的 .xlsx 文件。"
        )


def _scan_parts(archive: zipfile.ZipFile, limits: Limits) -> dict[str, Marks]:
    left = limits.inflated_bytes
    area = 0
    marks: dict[str, Marks] = {}
    for member in archive.infolist():
        if member.is_dir():
            continue
        with archive.open(member) as part:
            seen = Marks()
            for chunk in _guarded(part, member, left):
                left -= len(chunk.fresh)
                if chunk.text is not None:
                    _scan_cells(chunk.text, seen)
                    check_extent(seen, limits)
        area += max(seen.last_row * seen.last_column, seen.cells)
        if area > limits.cells:
            raise refuse(many_cells(limits))
        if member.filename.lower().endswith(".rels"):
            _check_relations(archive, member.filename)
        if member.filename.lower() == "[content_types].xml":
            _check_content_types(archive.read(member).lower())
        marks[member.filename] = seen
    return marks


@dataclass(frozen=True)
class Chunk:
    """Bytes just inflated, and the piece of XML (whole rows) that is ready to be scanned."""

    fresh: bytes
    text: bytes | None


def _guarded(part: IO[bytes], member: zipfile.ZipInfo, left: int) -> Iterator[Chunk]:
    """Inflate piece by piece and stop at the first sign of harm."""
    size = 0
    carry = b""
    is_xml = False
    while fresh := part.read(CHUNK):
        if size == 0:
            is_xml = _check_start(fresh, member.filename)
        size += len(fresh)
        if size > left or (
            size > RATIO_FROM and size > HIGHEST_RATIO * max(member.compress_size, 1)
        ):
            raise refuse(BOMB)
        if not is_xml:
            yield Chunk(fresh, None)
            continue
        if b"\0" in fresh:
            raise refuse(DAMAGED)
        seam = carry[-16:] + fresh
        if b"!" in seam and DECLARATION.search(seam):
            raise refuse(DECLARED)
        buffer = carry + fresh
        cut = buffer.rfind(b"row>") + 4
        if cut == 3 and len(buffer) > LONGEST_CARRY:
            cut = buffer.rfind(b">") + 1 or len(buffer)
        if cut == 3:
            carry = buffer
            yield Chunk(fresh, None)
        else:
            carry = buffer[cut:]
            yield Chunk(fresh, buffer[:cut])
    if carry and is_xml:
        yield Chunk(b"", carry)


def _check_start(fresh: bytes, name: str) -> bool:
    """Say whether a part is XML; refuse containers hidden under any name, and UTF-16."""
    if fresh.startswith(OLE_MAGIC):
        raise refuse(MACRO if b"V\0B\0A\0" in fresh else EMBEDDED)
    if fresh.startswith(ZIP_MAGIC):
        raise refuse(EMBEDDED)
    if fresh.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
        return True
    if name.lower().endswith((".xml", ".rels", ".vml")):
        raise refuse(DAMAGED)
    return False


def _scan_cells(text: bytes, seen: Marks) -> None:
    """Note what stands in a piece of a sheet; what a plain look rules out is not searched for."""
    is_prefixed = b":" in text and (b":c" in text or b":f" in text)
    if is_prefixed or UNUSUAL_CELL.search(text):
        _scan_places(text, seen)
    else:
        seen.cells += text.count(b"<c ")
    if is_prefixed or (b"f" in text and b"<f" in text):
        for attributes in FORMULA.findall(text):
            seen.formulas.add(_position(attributes))
    if b'"e"' in text or b"'e'" in text:
        for attributes, value in ERROR.findall(text):
            seen.errors[_position(attributes)] = value.decode("utf-8", "replace")
    if b"hidden" in text:
        _scan_hidden(text, seen)


def _scan_places(text: bytes, seen: Marks) -> None:
    """Note how far cells reach out, however they are written."""
    plain = PLAIN_CELL.findall(text)
    if len(plain) != len(ANY_CELL.findall(text)):
        plain = list(_loose_cells(text))
    filled = [cell for cell in plain if not cell[2].endswith(b"/")]
    if filled:
        seen.cells += len(filled)
        seen.last_row = max(seen.last_row, max(int(cell[1]) for cell in filled))
        seen.last_column = max(
            seen.last_column,
            max(_column_number(letters) for letters in {cell[0] for cell in filled}),
        )


def _scan_hidden(text: bytes, seen: Marks) -> None:
    for attributes in HIDDEN_ROW.findall(text):
        if number := ROW_NUMBER.search(attributes):
            seen.hidden_rows.add(int(number.group(1)))
    for attributes in HIDDEN_COLUMN.findall(text):
        span = {name: int(number) for name, number in COLUMN_SPAN.findall(attributes)}
        if len(span) == 2:
            seen.hidden_columns.update(range(span[b"min"], min(span[b"max"], 16384) + 1))


def _loose_cells(text: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Read cells whose attributes are written in an unusual order."""
    for attributes in LOOSE_CELL.findall(text):
        reference = LOOSE_REFERENCE.search(attributes)
        if reference is None:
            if attributes.endswith(b"/"):
                continue
            raise refuse(UNADDRESSED)
        yield reference.group(1), reference.group(2), attributes


def _position(attributes: bytes) -> tuple[int, int]:
    reference = LOOSE_REFERENCE.search(b" " + attributes)
    if reference is None:
        raise refuse(UNADDRESSED)
    return int(reference.group(2)), _column_number(reference.group(1))


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _small_xml(archive: zipfile.ZipFile, name: str) -> Element:
    with archive.open(name) as part:
        text = part.read(SMALL_PART + 1)
    if len(text) > SMALL_PART:
        raise refuse(DAMAGED)
    try:
        root: Element = fromstring(text, forbid_dtd=True)
    except DefusedXmlException as declared:
        raise refuse(DECLARED) from declared
    return root


def _check_relations(archive: zipfile.ZipFile, name: str) -> None:
    for relation in _small_xml(archive, name):
        kind = relation.get("Type", "").rsplit("/", 1)[-1].lower()
        if kind in FORBIDDEN_RELATIONS:
            raise refuse(FORBIDDEN_RELATIONS[kind])
        if relation.get("TargetMode", "").lower() == "external" and kind != "hyperlink":
            raise refuse(LINKS)


def _check_content_types(text: bytes) -> None:
    if b"macroenabled" in text or b"vbaproject" in text:
        raise refuse(MACRO)
    if b"oleobject" in text:
        raise refuse(EMBEDDED)


def _worksheet_parts(archive: zipfile.ZipFile) -> list[str]:
    """Return the part of each sheet, in workbook order."""
    book = _target(archive, "_rels/.rels", "", "officedocument")
    folder, file = posixpath.split(book)
    targets = {
        relation.get("Id", ""): _resolved(folder, relation.get("Target", ""))
        for relation in _small_xml(archive, f"{folder}/_rels/{file}.rels".lstrip("/"))
    }
    sheets: list[str] = []
    for element in _small_xml(archive, book).iter():
        if element.tag.rsplit("}", 1)[-1] == "sheet":
            ids = [value for key, value in element.items() if key.endswith("}id")]
            if len(ids) != 1:
                raise refuse(DAMAGED)
            sheets.append(targets[ids[0]])
    if not sheets or not set(sheets) <= set(archive.namelist()):
        raise refuse(DAMAGED)
    return sheets


def _target(archive: zipfile.ZipFile, relations: str, folder: str, kind: str) -> str:
    for relation in _small_xml(archive, relations):
        if relation.get("Type", "").rsplit("/", 1)[-1].lower() == kind:
            return _resolved(folder, relation.get("Target", ""))
    raise refuse(NOT_WORKBOOK)


def _resolved(folder: str, target: str) -> str:
    joined = target if target.startswith("/") else posixpath.join("/", folder, target)
    return posixpath.normpath(joined).lstrip("/")
