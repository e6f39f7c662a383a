"""Look at what the public attaches: by its bytes, never by its name."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError

# First bytes, and what must stand near the end of a whole file.
KINDS: dict[str, tuple[bytes, bytes]] = {
    ".pdf": (b"%PDF-", b"%%EOF"),
    ".jpg": (b"\xff\xd8\xff", b"\xff\xd9"),
    ".png": (b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"),
}
PICTURES = (".jpg", ".png")
TYPES = {".pdf": "application/pdf", ".jpg": "image/jpeg", ".png": "image/png"}
TAIL = 1024


def kind_of(content: bytes) -> str | None:
    """Return ".pdf", ".jpg" or ".png" by the content; None for anything else or a torn file."""
    for suffix, (head, foot) in KINDS.items():
        if content.startswith(head) and foot in content[-TAIL:]:
            return suffix
    return None


def read_attachments(uploads: Sequence[Any]) -> list[tuple[str, bytes]]:
    """Return suffix and bytes of each upload; raise ValidationError with every reason."""
    most, size = settings.MAX_OBJECTION_FILES, settings.MAX_OBJECTION_FILE_BYTES
    if len(uploads) > most:
        raise ValidationError(f"最多附 {most} 个文件，这里有 {len(uploads)} 个。")
    found, problems = [], []
    for number, upload in enumerate(uploads, 1):
        if upload.size > size:
            problems.append(
                f"第 {number} 个附件有 {upload.size / 1048576:.1f} MB，"
                f"超过了 {size // 1048576} MB。请压缩或分成几个文件。"
            )
            continue
        content = upload.read()
        suffix = kind_of(content)
        if suffix is None:
            problems.append(f"第 {number} 个附件不是完整的 PDF、JPG 或 PNG 文件。")
        else:
            found.append((suffix, content))
    if problems:
        raise ValidationError(problems)
    return found
