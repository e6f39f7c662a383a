"""Keep scans of official documents: looked at by their bytes, named by the server."""

from pathlib import PurePath

from django.core.files.uploadedfile import UploadedFile

from shuozhou_mines.errors import Refused
from shuozhou_mines.storage import StoredFile, store

MOST_BYTES = 20 * 1024 * 1024
# First bytes, and what must stand near the end of a whole file.
KINDS: dict[str, tuple[bytes, bytes, str]] = {
    ".pdf": (b"%PDF-", b"%%EOF", "application/pdf"),
    ".jpg": (b"\xff\xd8\xff", b"\xff\xd9", "image/jpeg"),
    ".png": (b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82", "image/png"),
}
TAIL = 1024


def keep_scan(upload: "UploadedFile[bytes] | None") -> StoredFile:
    """Store a scan; raise Refused for none, an empty, a large, a torn or another kind of file."""
    if upload is None or not upload.size:
        raise Refused("请附文件的扫描件（PDF、JPG 或 PNG）；空文件不收。")
    if upload.size > MOST_BYTES:
        raise Refused(f"扫描件超过 {MOST_BYTES // 1024 // 1024} MB。请降低分辨率后再传。")
    upload.seek(0)
    content = upload.read()
    for suffix, (head, foot, _) in KINDS.items():
        if content.startswith(head) and foot in content[-TAIL:]:
            return _stored(content, suffix)
    raise Refused("扫描件不是完整的 PDF、JPG 或 PNG 文件。请重新扫描或导出后再传。")


def _stored(content: bytes, suffix: str) -> StoredFile:
    try:
        return store([content], folder="scans", suffix=suffix)
    except OSError as error:
        raise Refused("服务器磁盘已满，文件没有存下。请稍后再传，并告诉系统管理员。") from error


def type_of(name: str) -> str:
    """Return the content type of a stored scan."""
    return KINDS[PurePath(name).suffix][2]
