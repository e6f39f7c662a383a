"""Look into one attached file, take out what could act by itself, and write the clean file.

Run as a child: `python -m plans.attachment_reader`, the file on standard input. It writes one line
of JSON, what was found or why the file is refused, and then the clean file.
"""

import io
import json
import sys
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from mines.child import give_up_powers

MEMORY_BYTES = 1536 << 20
CPU_SECONDS = 30
MOST_PIXELS = 80_000_000
MOST_PAGES, MOST_DEPTH = 3000, 60
MOST_MEMBERS, MOST_INFLATED = 5000, 300 << 20
OFFICE = {
    "word/document.xml": ".docx",
    "xl/workbook.xml": ".xlsx",
}
# Parts of an Office file that run, or that bring other files along.
ACTIVE_PARTS = (
    ("vbaproject", "宏"), ("macrosheets/", "宏表"), ("activex", "控件"),
    ("embeddings/", "嵌入的文件"), ("externallinks/", "外部链接"), ("customui/", "自定义命令"),
)  # fmt: skip
FIELDS_THAT_RUN = (b"DDEAUTO", b"DDE ", b"ddeLink", b"<oleObject", b"o:OLEObject")
LINKS_ALLOWED = b"/hyperlink"
# What a PDF may do by itself, and where it carries other files.
PDF_KEYS = {
    "/OpenAction": "打开时执行的动作", "/AA": "自动执行的动作", "/JS": "JavaScript",
    "/JavaScript": "JavaScript", "/EmbeddedFiles": "嵌入的文件", "/EF": "嵌入的文件",
    "/AF": "嵌入的文件", "/XFA": "动态表单", "/RichMediaContent": "多媒体",
    "/RichMediaSettings": "多媒体",
}  # fmt: skip
PDF_ACTIONS = {
    "/JavaScript": "JavaScript", "/Launch": "启动程序的动作", "/SubmitForm": "提交表单的动作",
    "/ImportData": "导入数据的动作", "/GoToE": "嵌入的文件", "/GoToR": "打开其他文件的动作",
    "/Rendition": "多媒体", "/Movie": "多媒体", "/Sound": "多媒体", "/RichMediaExecute": "多媒体",
}  # fmt: skip
PDF_NOTES = {
    "/FileAttachment": "嵌入的文件", "/RichMedia": "多媒体", "/Screen": "多媒体",
    "/Movie": "多媒体", "/Sound": "多媒体", "/3D": "多媒体",
}  # fmt: skip


class NotTaken(Exception):
    """Refuse a file; the text is for the person who sent it."""


@dataclass
class Looked:
    """Say what a file is: its suffix, how many pages, and what was taken out of it."""

    kind: str
    pages: int | None = None
    removed: dict[str, int] = field(default_factory=dict)


def clean(content: bytes) -> tuple[Looked, bytes]:
    """Return what a file is, and the file without what could act; raise NotTaken."""
    if content.startswith(b"%PDF-"):
        return _clean_pdf(content)
    if content.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")):
        return _clean_picture(content)
    if content.startswith(b"PK\x03\x04"):
        return _check_office(content), content
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise NotTaken("这是旧格式的 Office 文件。请另存为 .docx 或 .xlsx，或转成 PDF 后再上传。")
    raise NotTaken("只收 PDF、Word（.docx）、Excel（.xlsx）、JPG 和 PNG 文件；这个文件都不是。")


# PDF --------------------------------------------------------------------------------------------


def _clean_pdf(content: bytes) -> tuple[Looked, bytes]:
    import pikepdf

    try:
        with pikepdf.open(io.BytesIO(content)) as pdf:
            if pdf.is_encrypted:
                raise NotTaken("这个 PDF 加了密或限制了权限。请去掉密码后再上传。")
            pages = len(pdf.pages)
            if not 0 < pages <= MOST_PAGES:
                raise NotTaken(f"这个 PDF 没有页面，或超过 {MOST_PAGES} 页。请分成几个文件。")
            removed: Counter[str] = Counter()
            for each in list(pdf.objects):
                _disarm(each, removed, 0)
            _disarm(pdf.trailer, removed, 0)
            out = io.BytesIO()
            pdf.save(out)
    except pikepdf.PasswordError:
        raise NotTaken("这个 PDF 加了密码。请去掉密码后再上传。") from None
    except (pikepdf.PdfError, ValueError, RuntimeError, RecursionError):
        raise NotTaken("这个 PDF 已损坏，打不开。请重新导出后再上传。") from None
    return Looked(".pdf", pages, dict(removed)), out.getvalue()


def _disarm(thing: Any, removed: "Counter[str]", depth: int) -> None:
    """Take out of one object, and of what is written inside it, all that acts."""
    import pikepdf

    if depth > MOST_DEPTH:
        raise NotTaken("这个 PDF 的结构层数过多，不能接收。请重新导出后再上传。")
    if isinstance(thing, pikepdf.Array):
        for at in range(len(thing) - 1, -1, -1):
            inner = thing[at]
            if _is_active_note(inner):
                removed[PDF_NOTES[str(inner["/Subtype"])]] += 1
                del thing[at]
            elif _is_inline(inner):
                _disarm(inner, removed, depth + 1)
        return
    if not isinstance(thing, pikepdf.Dictionary | pikepdf.Stream):
        return
    rows = thing if isinstance(thing, pikepdf.Dictionary) else thing.stream_dict
    action = str(rows.get("/S", "")) if "/S" in rows else ""
    if action in PDF_ACTIONS:
        removed[PDF_ACTIONS[action]] += 1
        for key in list(rows.keys()):
            del rows[key]
        return
    for key in list(rows.keys()):
        if key in PDF_KEYS:
            removed[PDF_KEYS[key]] += 1
            del rows[key]
            continue
        if _is_inline(rows[key]):
            _disarm(rows[key], removed, depth + 1)


def _is_inline(thing: Any) -> bool:
    """Tell whether a thing is written inside another; the others are met by themselves."""
    import pikepdf

    return isinstance(thing, pikepdf.Array | pikepdf.Dictionary) and not thing.is_indirect


def _is_active_note(thing: Any) -> bool:
    import pikepdf

    return isinstance(thing, pikepdf.Dictionary) and str(thing.get("/Subtype", "")) in PDF_NOTES


# Pictures -----------------------------------------------------------------------------------------


def _clean_picture(content: bytes) -> tuple[Looked, bytes]:
    """Draw the picture anew, upright; where and by whom it was taken does not come along."""
    from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    # WeasyPrint lets torn pictures pass wherever it has been loaded; here they are refused.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG", "PNG")) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise NotTaken("图片的像素过多。请缩小到 8000 万像素以内再上传。")
            upright = ImageOps.exif_transpose(picture)
            is_jpeg = picture.format == "JPEG"
            mode = "RGB" if is_jpeg else "RGBA" if "A" in upright.getbands() else "RGB"
            plain = Image.new(mode, upright.size)
            plain.paste(upright.convert(mode))
            out = io.BytesIO()
            if is_jpeg:
                plain.save(out, "JPEG", quality=90)
            else:
                plain.save(out, "PNG")
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError):
        raise NotTaken("这张图片不完整或已损坏。请重新保存后再上传。") from None
    return Looked(".jpg" if is_jpeg else ".png", 1), out.getvalue()


# Office -----------------------------------------------------------------------------------------


def _check_office(content: bytes) -> Looked:
    """Refuse what runs or brings other files along; nothing is changed in an Office file."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = [member.filename for member in archive.infolist()]
            kind = next((kind for part, kind in OFFICE.items() if part in names), "")
            if "[Content_Types].xml" not in names or not kind:
                raise NotTaken("这是压缩包或其他格式，不是 .docx 或 .xlsx 文件。")
            if len(names) > MOST_MEMBERS or len(set(names)) != len(names):
                raise NotTaken("这个 Office 文件的内部结构不正常。请重新保存后再上传。")
            for part, word in ACTIVE_PARTS:
                if any(part in name.lower() for name in names):
                    raise NotTaken(f"文件里有{word}。请去掉{word}另存，或转成 PDF 后再上传。")
            left = MOST_INFLATED
            for name, data in _members(archive):
                left -= len(data)
                if left < 0:
                    raise NotTaken("这个 Office 文件解压后过大。请删去大图片后再上传。")
                _check_part(name, data)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError):
        raise NotTaken("这个 Office 文件已损坏或加了密码。请重新保存后再上传。") from None
    return Looked(kind)


def _members(archive: zipfile.ZipFile) -> Iterator[tuple[str, bytes]]:
    for member in archive.infolist():
        with archive.open(member) as part:
            # One more than allowed is enough to know.
            yield member.filename, part.read(MOST_INFLATED + 1)


def _check_part(name: str, data: bytes) -> None:
    lower = name.lower()
    if lower == "[content_types].xml" and b"macroenabled" in data.lower():
        raise NotTaken("文件里有宏。请另存为不含宏的 .docx 或 .xlsx 后再上传。")
    if lower.endswith((".xml", ".rels")) and b"<!ENTITY" in data:
        raise NotTaken("这个 Office 文件的内部结构不正常。请重新保存后再上传。")
    if lower.endswith(".rels"):
        for link in data.split(b"<Relationship ")[1:]:
            head = link.partition(b">")[0]
            if b'TargetMode="External"' in head and LINKS_ALLOWED not in head:
                raise NotTaken("文件引用了外部模板或外部文件。请断开链接，或转成 PDF 后再上传。")
    elif lower.endswith(".xml") and any(word in data for word in FIELDS_THAT_RUN):
        raise NotTaken("文件里有会自动执行的域或嵌入对象。请删去，或转成 PDF 后再上传。")


def main() -> None:
    """Read with our powers given up; whatever goes wrong ends this process alone."""
    give_up_powers(memory_bytes=MEMORY_BYTES, cpu_seconds=CPU_SECONDS)
    try:
        looked, content = clean(sys.stdin.buffer.read())
        head = asdict(looked)
    except NotTaken as refusal:
        head, content = {"refused": str(refusal)}, b""
    sys.stdout.buffer.write(json.dumps(head).encode() + b"\n" + content)


if __name__ == "__main__":
    main()
