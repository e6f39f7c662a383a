"""Make the workbooks that nobody should send, byte by byte."""

import struct
import zipfile
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path

from openpyxl import Workbook

FREE, END, FAT_SECTOR = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


def good_xlsx() -> bytes:
    """Return a small ordinary workbook."""
    book = Workbook()
    sheet = book.active
    sheet.title = "矿山"
    sheet.append(["矿山名称", "生产规模(万吨/年)"])
    sheet.append(["示例一矿", 50])
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def repacked(
    content: bytes,
    *,
    add: Mapping[str, bytes] | None = None,
    change: Mapping[str, Callable[[bytes], bytes]] | None = None,
    rename: Mapping[str, str] | None = None,
) -> bytes:
    """Return the same zip with members added, changed or renamed."""
    file = BytesIO()
    with (
        zipfile.ZipFile(BytesIO(content)) as old,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            part = old.read(name)
            if change and name in change:
                part = change[name](part)
            new.writestr((rename or {}).get(name, name), part)
        for name, part in (add or {}).items():
            new.writestr(name, part)
    return file.getvalue()


def with_sheet(xml: str) -> bytes:
    """Return a workbook whose only worksheet has this sheetData (and what follows it)."""
    head = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    body = f"<?xml version='1.0' encoding='UTF-8'?>{head}{xml}</worksheet>".encode()
    return repacked(good_xlsx(), change={"xl/worksheets/sheet1.xml": lambda _: body})


def write_bomb(path: Path, mebibytes: int) -> None:
    """Write a worksheet of blanks that inflates to the given size."""
    with zipfile.ZipFile(BytesIO(good_xlsx())) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            if name != "xl/worksheets/sheet1.xml":
                new.writestr(name, old.read(name), zipfile.ZIP_DEFLATED)
        info = zipfile.ZipInfo("xl/worksheets/sheet1.xml")
        info.compress_type = zipfile.ZIP_DEFLATED
        with new.open(info, "w") as part:
            part.write(b"<worksheet><sheetData>")
            for _ in range(mebibytes):
                part.write(b" " * (1 << 20))
            part.write(b"</sheetData></worksheet>")


def ole(streams: Mapping[str, bytes], storages: tuple[str, ...] = ()) -> bytes:
    """Return an OLE container with these streams (each padded to 4096 bytes) and storages."""
    sectors: list[bytes] = []
    fat: list[int] = []
    entries = [("Root Entry", 5, END, 0)]
    entries += [(name, 1, 0, 0) for name in storages]
    for name, content in streams.items():
        padded = content.ljust(max(4096, -(-len(content) // 512) * 512), b"\0")
        entries.append((name, 2, _place(sectors, fat, padded), len(padded)))
    directory = b"".join(_entry(*entry) for entry in entries)
    start = _place(sectors, fat, directory.ljust(-(-len(directory) // 512) * 512, b"\0"))
    fat_at = len(sectors)
    table = [*fat, FAT_SECTOR]
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    head += struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    head += struct.pack("<IIIIIIIII", 0, 1, start, 0, 4096, END, 0, END, 0)
    head += struct.pack("<109I", fat_at, *([FREE] * 108))
    content = struct.pack(f"<{len(table)}I", *table).ljust(512, b"\xff")
    return head + b"".join(sectors) + content


def biff(*records: tuple[int, bytes]) -> bytes:
    """Return a globals substream with these records."""
    all_records = [(0x0809, struct.pack("<HH12x", 0x0600, 5)), *records, (0x000A, b"")]
    return b"".join(struct.pack("<HH", code, len(body)) + body for code, body in all_records)


def _place(sectors: list[bytes], fat: list[int], content: bytes) -> int:
    start = len(sectors)
    count = len(content) // 512
    sectors.extend(content[at : at + 512] for at in range(0, len(content), 512))
    fat.extend([*range(start + 1, start + count), END])
    return start


def _entry(name: str, kind: int, start: int, size: int) -> bytes:
    raw = name.encode("utf-16-le")
    head = raw.ljust(64, b"\0") + struct.pack("<HBB", len(raw) + 2, kind, 1)
    return (
        head + struct.pack("<III", FREE, FREE, FREE) + bytes(36) + struct.pack("<IQ", start, size)
    )
