"""Guard the old .xls format: an OLE container with a stream of BIFF records in it.

Sector and record layouts are those of [MS-CFB] and [MS-XLS].
"""

import struct
from array import array
from pathlib import Path

from mines.sheet_guard import Marks, check_extent
from mines.sheet_refusals import (
    DAMAGED,
    EMBEDDED,
    LINKS,
    MACRO,
    NOT_WORKBOOK,
    PASSWORD,
    many_cells,
    refuse,
)
from mines.sheets import Limits, WorkbookRefused

LAST_SECTOR = 0xFFFFFFFA  # anything above marks an end or a free sector
MINI_CUTOFF = 4096
STORAGE, STREAM, ROOT = 1, 2, 5

BOF, EOF_RECORD, FILEPASS, BOUNDSHEET, SUPBOOK = 0x0809, 0x000A, 0x002F, 0x0085, 0x01AE
FORMULA, BOOLERR, ROW, COLINFO, MULRK = 0x0006, 0x0205, 0x0208, 0x007D, 0x00BD
SINGLE_CELLS = {0x0203, 0x027E, 0x00FD, 0x0204, 0x00D6, FORMULA, BOOLERR}
SELF_BOOK, ADD_IN_BOOK = b"\x01\x04", b"\x01\x3a"
ERROR_NAMES = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
}


class Container:
    """The streams of an OLE file, by name, wherever they lie in its tree."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.sector = 1 << struct.unpack_from("<H", content, 30)[0]
        if self.sector not in (512, 4096):
            raise refuse(DAMAGED)
        self.fat = self._read_fat()
        directory = struct.unpack_from("<I", content, 48)[0]
        self.kinds: dict[str, int] = {}
        self.streams: dict[str, tuple[int, int]] = {}
        self.root = (0, 0)
        self._read_directory(self._chain(directory))

    def stream(self, name: str) -> bytes:
        """Return the content of a stream."""
        start, size = self.streams[name]
        if size >= MINI_CUTOFF:
            return self._chain(start)[:size]
        mini_fat = self._numbers(self._chain(struct.unpack_from("<I", self.content, 60)[0]))
        holder = self._chain(self.root[0])
        pieces: list[bytes] = []
        while start < LAST_SECTOR and len(pieces) <= len(mini_fat):
            pieces.append(holder[start * 64 : start * 64 + 64])
            start = mini_fat[start]
        return b"".join(pieces)[:size]

    def _read_fat(self) -> "array[int]":
        sectors = list(struct.unpack_from("<109I", self.content, 76))
        following, count = struct.unpack_from("<II", self.content, 68)
        for _ in range(min(count, len(self.content) // self.sector)):
            if following >= LAST_SECTOR:
                break
            numbers = self._numbers(self._one(following))
            sectors.extend(numbers[:-1])
            following = numbers[-1]
        used = [sector for sector in sectors if sector < LAST_SECTOR]
        if len(used) > len(self.content) // self.sector + 1:
            raise refuse(DAMAGED)
        return self._numbers(b"".join(self._one(sector) for sector in used))

    def _numbers(self, content: bytes) -> "array[int]":
        numbers: array[int] = array("I")
        numbers.frombytes(content[: len(content) // 4 * 4])
        return numbers

    def _one(self, sector: int) -> bytes:
        at = (sector + 1) * self.sector
        piece = self.content[at : at + self.sector]
        if not piece:
            raise refuse(DAMAGED)
        return piece

    def _chain(self, sector: int) -> bytes:
        pieces: list[bytes] = []
        while sector < LAST_SECTOR:
            if len(pieces) > len(self.fat):
                raise refuse(DAMAGED)
            pieces.append(self._one(sector))
            sector = self.fat[sector]
        return b"".join(pieces)

    def _read_directory(self, content: bytes) -> None:
        for at in range(0, len(content) - 127, 128):
            length, kind = struct.unpack_from("<HB", content, at + 64)
            if kind not in (STORAGE, STREAM, ROOT):
                continue
            name = content[at : at + max(min(length, 64) - 2, 0)].decode("utf-16-le", "replace")
            start, size = struct.unpack_from("<II", content, at + 116)
            self.kinds[name] = kind
            if kind == STREAM:
                self.streams.setdefault(name, (start, size))
            elif kind == ROOT:
                self.root = (start, size)


def inspect_ole(path: Path, limits: Limits) -> list[Marks]:
    """Guard an .xls and return what was seen in its sheets, in workbook order."""
    try:
        container = Container(path.read_bytes())
        _check_streams(container)
        name = "Workbook" if "Workbook" in container.streams else "Book"
        return _read_records(container.stream(name), limits)
    except (struct.error, IndexError, KeyError, ValueError) as broken:
        raise refuse(DAMAGED) from broken


def _check_streams(container: Container) -> None:
    names = set(container.kinds)
    if names & {"EncryptedPackage", "EncryptionInfo"}:
        raise refuse(PASSWORD)
    if names & {"_VBA_PROJECT_CUR", "_VBA_PROJECT", "VBA", "Macros"}:
        raise refuse(MACRO)
    if "WordDocument" in names:
        raise WorkbookRefused(
            "word", "这是 Word 文档，只是改了扩展名；请上传 .xlsx 或 .xls 工作簿。"
        )
    if not names & {"Workbook", "Book"}:
        raise refuse(NOT_WORKBOOK)
    if any(name.startswith("MBD") or name == "\x01Ole10Native" for name in names):
        raise refuse(EMBEDDED)


def _read_records(content: bytes, limits: Limits) -> list[Marks]:
    if content[:2] != struct.pack("<H", BOF):
        raise refuse(DAMAGED)
    starts: list[int] = []
    at = 0
    while True:
        code, size = struct.unpack_from("<HH", content, at)
        body = content[at + 4 : at + 4 + size]
        at += 4 + size
        if code == EOF_RECORD:
            break
        if code == FILEPASS:
            raise refuse(PASSWORD)
        if code == SUPBOOK and body[2:4] not in (SELF_BOOK, ADD_IN_BOOK):
            raise refuse(LINKS)
        if code == BOUNDSHEET:
            start, kind = struct.unpack_from("<IxB", body)
            if kind in (1, 6):
                raise refuse(MACRO)
            starts.append(start)
    if not starts:
        raise refuse(DAMAGED)
    sheets = [_read_sheet(content, start, limits) for start in starts[: limits.sheets]]
    if sum(sheet.last_row * sheet.last_column for sheet in sheets) > limits.cells:
        raise refuse(many_cells(limits))
    return sheets


def _read_sheet(content: bytes, at: int, limits: Limits) -> Marks:
    seen = Marks()
    depth = 0
    while True:
        code, size = struct.unpack_from("<HH", content, at)
        body = content[at + 4 : at + 4 + size]
        at += 4 + size
        if code == BOF:
            depth += 1
        elif code == EOF_RECORD:
            depth -= 1
            if depth <= 0:
                check_extent(seen, limits)
                return seen
        elif depth == 1:
            _read_record(code, body, seen)


def _read_record(code: int, body: bytes, seen: Marks) -> None:
    if code in SINGLE_CELLS:
        row, column = struct.unpack_from("<HH", body)
        _note_cell(seen, row, column)
        if code == FORMULA:
            seen.formulas.add((row + 1, column + 1))
            if body[12:14] == b"\xff\xff" and body[6] == 2:
                seen.errors[row + 1, column + 1] = ERROR_NAMES.get(body[8], "#ERR!")
        elif code == BOOLERR and body[7]:
            seen.errors[row + 1, column + 1] = ERROR_NAMES.get(body[6], "#ERR!")
    elif code == MULRK:
        row, _ = struct.unpack_from("<HH", body)
        _note_cell(seen, row, struct.unpack_from("<H", body, len(body) - 2)[0])
    elif code == ROW:
        if struct.unpack_from("<H", body, 12)[0] & 0x20:
            seen.hidden_rows.add(struct.unpack_from("<H", body)[0] + 1)
    elif code == COLINFO:
        first, last, _width, _style, options = struct.unpack_from("<5H", body)
        if options & 1:
            seen.hidden_columns.update(range(first + 1, min(last, 255) + 2))


def _note_cell(seen: Marks, row: int, column: int) -> None:
    seen.cells += 1
    seen.last_row = max(seen.last_row, row + 1)
    seen.last_column = max(seen.last_column, column + 1)
