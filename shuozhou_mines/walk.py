"""Walk one county's plan over HTTP, from the template to the bulletin, as people would.

Each person signs in with their own session and CSRF token and posts the forms of the pages. The
walk reads where the plan stands and goes on from there, so that it can be run again at any time.
"""

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import requests

COUNTY = "140602"
WAIT_SECONDS = 90


class Stumbled(Exception):
    """Stop the walk: something is not as it should be."""


@dataclass
class Form:
    """Hold one form of a page: where it posts, and the fields it was shown with."""

    action: str
    method: str = "get"
    fields: dict[str, str] = field(default_factory=dict)


class _Forms(HTMLParser):
    """Collect the forms of a page with the values they were shown with."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._open: Form | None = None
        self._select = ""
        self._textarea = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(given.get("action", ""), given.get("method", "get").lower())
            self.forms.append(self._open)
        if self._open is None:
            return
        name = given.get("name", "")
        if tag == "input" and name and self._keeps_its_value(given):
            ticked = "on" if given.get("type") == "checkbox" else ""
            self._open.fields[name] = given.get("value", ticked)
        elif tag == "textarea" and name:
            self._textarea = name
            self._open.fields[name] = ""
        elif tag == "select" and name:
            self._select = name
        elif tag == "option" and self._select and "selected" in given:
            self._open.fields[self._select] = given.get("value", "")

    @staticmethod
    def _keeps_its_value(given: dict[str, str]) -> bool:
        kind = given.get("type", "text")
        if kind in ("radio", "checkbox"):
            return "checked" in given
        return kind not in ("submit", "button", "file")

    def handle_data(self, data: str) -> None:
        if self._textarea and self._open is not None:
            self._open.fields[self._textarea] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._textarea = ""


@dataclass
class Page:
    """Hold one answer of the site."""

    url: str
    status: int
    html: str

    @property
    def words(self) -> str:
        """Return what a reader sees, without marks."""
        text = re.sub(r"(?s)<(script|style).*?</\1>|<[^>]+>", " ", self.html)
        return re.sub(r"\s+", " ", unescape(text))

    def form(self, action: str) -> Form:
        """Return the form that posts to an address ending so; stumble when it is not there."""
        parser = _Forms()
        parser.feed(self.html)
        for form in parser.forms:
            if urljoin(self.url, form.action).endswith(action):
                return form
        raise Stumbled(f"页面 {self.url} 上没有提交到 {action} 的表单。")

    def must_say(self, *sentences: str) -> None:
        """Stumble unless the page says all of this."""
        for sentence in sentences:
            if sentence not in self.words:
                raise Stumbled(f"页面 {self.url} 上应有“{sentence}”，但没有。")


class Visitor:
    """Visit the site as one person: their cookies, their forms."""

    def __init__(self, site: str, name: str = "公众") -> None:
        self.site = site
        self.name = name
        self._session = requests.Session()
        self._session.trust_env = False

    def get(self, path: str) -> Page:
        """Open a page; stumble on anything but 200."""
        answer = self._session.get(urljoin(self.site, path), timeout=60)
        return self._page(answer)

    def download(self, path: str) -> bytes:
        """Fetch a file; stumble on anything but 200."""
        answer = self._session.get(urljoin(self.site, path), timeout=60)
        self._page(answer)
        return answer.content

    def status_of(self, path: str) -> int:
        """Return the status of an address, without following redirects."""
        answer = self._session.get(urljoin(self.site, path), timeout=60, allow_redirects=False)
        return answer.status_code

    def post(
        self, page: Page, action: str, files: dict[str, Any] | None = None, **fields: str
    ) -> Page:
        """Fill the page's form for this address and send it."""
        form = page.form(action)
        answer = self._session.post(
            urljoin(page.url, form.action or page.url),
            data={**form.fields, **fields},
            files=files,
            headers={"Referer": page.url},
            timeout=60,
        )
        return self._page(answer)

    def sign_in(self, username: str, password: str) -> None:
        """Sign in through the page that everybody uses."""
        page = self.get("/sign-in/")
        after = self.post(page, "/sign-in/", username=username, password=password)
        if "/staff/" not in after.url:
            raise Stumbled(f"{username} 没能登录，停在 {after.url}。")
        self.name = username

    def _page(self, answer: requests.Response) -> Page:
        kind = answer.headers.get("Content-Type", "")
        is_text = kind.startswith("text/") or "json" in kind
        page = Page(answer.url, answer.status_code, answer.text if is_text else "")
        if answer.status_code != requests.codes.ok:
            said = page.words[:300]
            raise Stumbled(f"{self.name} 打开 {answer.url} 得到 {answer.status_code}：{said}")
        return page


def wait_for(look: Callable[[], Page], until: Callable[[Page], bool], what: str) -> Page:
    """Look again until it is so; stumble when it takes too long."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        page = look()
        if until(page):
            return page
        if time.monotonic() > deadline:
            raise Stumbled(f"等了 {WAIT_SECONDS} 秒，{what}还没有完成。请看后台任务的日志。")
        time.sleep(0.3)


def read_demo(name: str) -> Any:
    """Read one of the demo fixtures."""
    path = Path(__file__).resolve().parent.parent / "fixtures" / "demo" / name
    return json.loads(path.read_text(encoding="utf-8"))
