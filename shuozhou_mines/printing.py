"""Print finished page source as PDF; nothing is fetched and no character goes missing unnoticed."""

import hashlib
import logging
import re
import threading
from typing import Any
from warnings import catch_warnings, filterwarnings

from shuozhou_mines.errors import Refused


class MissingCharacters(Refused):
    """Refuse to print a document with holes where the fonts lack a character."""


def write_pdf(html: str, *, archive: bool = False) -> bytes:
    """Return the PDF of finished page source; whatever the source wants to fetch is refused."""
    from weasyprint import HTML
    from weasyprint.urls import URLFetcher

    class NothingFetched(URLFetcher):  # type: ignore[misc]
        """Refuse every address but data within the page: no network, no file of this machine."""

        def fetch(self, url: str, headers: dict[str, str] | None = None) -> Any:
            if not url.startswith("data:"):
                raise ValueError(f"not fetched: {url[:80]}")
            return super().fetch(url, headers)

    fetcher = NothingFetched(allowed_protocols=("data",), allow_redirects=False)
    with _Warnings() as warned, catch_warnings():
        # WeasyPrint leaves its colour profile to the garbage collector to close.
        filterwarnings("ignore", "unclosed file .*sRGB2014", ResourceWarning)
        pdf = HTML(string=html, url_fetcher=fetcher).write_pdf(
            pdf_tags=True,
            pdf_variant="pdf/a-3b" if archive else None,
            pdf_identifier=hashlib.sha256(html.encode()).hexdigest()[:32].encode(),
        )
    if warned.missing:
        listed = "".join(sorted(warned.missing))
        raise MissingCharacters(
            f"这台服务器的字体里没有这些字：{listed}。请安装含有它们的字体,或改写用到它们的句子。"
        )
    return bytes(pdf)


class _Warnings(logging.Handler):
    """Gather the characters that WeasyPrint finds in no font, in this thread."""

    _MISSING = re.compile(r"\.notdef glyph.*\(U\+([0-9A-F]+)\)")

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.missing: set[str] = set()
        self._thread = threading.get_ident()
        self._logger = logging.getLogger("weasyprint")

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the character of a .notdef warning."""
        found = self._MISSING.search(record.getMessage())
        if found and record.thread == self._thread:
            self.missing.add(chr(int(found[1], 16)))

    def __enter__(self) -> "_Warnings":
        self._logger.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._logger.removeHandler(self)
