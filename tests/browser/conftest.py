"""Give the journeys one running site and one Chromium."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from shuozhou_mines.walk import read_demo
from tests.browser.site import ROOT, Site, running_site

CHROMIUM = "/usr/bin/chromium"
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
OFFICE_PC = {"width": 1366, "height": 768}
PHONE = {"width": 390, "height": 844}
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# What may change when only the width of the window does.
RULES_OF_LAYOUT = ["target-size", "color-contrast", "scrollable-region-focusable"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the journeys more time than other tests."""
    for item in items:
        if "tests/browser/" in str(item.path):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Run the product with demo data for the whole session."""
    with running_site(tmp_path_factory.mktemp("site")) as running:
        yield running


@pytest.fixture(scope="session")
def walked(site: Site) -> str:
    """Walk 朔城区's plan to the public page once; return what the walk said."""
    done = site.manage("walk", "--url", site.url)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Start Debian's Chromium once."""
    # Playwright's event loop stays in this thread, and Django would refuse the database to every
    # test that comes after on the same worker.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield browser
        browser.close()


class Visitor:
    """Visit the site in a browser window of one's own; complaints of the page are collected."""

    def __init__(self, chromium: Browser, site: Site, viewport: dict[str, int]) -> None:
        self.site = site
        self._context = chromium.new_context(
            viewport=viewport, locale="zh-CN", base_url=site.url, accept_downloads=True
        )
        self._context.set_default_timeout(20_000)
        self.page: Page = self._context.new_page()
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._listen)

    def _listen(self, message: Any) -> None:
        if message.type == "error" and "status of 4" not in message.text:
            self.complaints.append(message.text)

    def sign_in(self, username: str) -> "Visitor":
        """Sign in on the page that everybody uses."""
        self.page.goto("/sign-in/")
        self.page.get_by_label("账号").fill(username)
        self.page.get_by_label("密码").fill(read_demo("users.json")["password"])
        self.page.get_by_role("button", name="登录").click()
        self.page.wait_for_url("**/staff/**")
        return self

    def scan(self, rules: list[str] = RULES) -> list[str]:
        """Return what axe finds wrong with the page, one line for each element."""
        self.page.wait_for_load_state()
        # Through the debugger: the page's own policy lets no script in, and that stays so.
        if not self.page.evaluate("() => 'axe' in window"):
            session = self._context.new_cdp_session(self.page)
            session.send("Runtime.evaluate", {"expression": AXE.read_text(encoding="utf-8")})
            session.detach()
        found = self.page.evaluate(
            "rules => axe.run({runOnly: rules}).then(result => result.violations)", rules
        )
        return [
            f"{violation['id']}: {node['html'][:160]}"
            for violation in found
            for node in violation["nodes"]
        ]

    def faults_of(self, path: str) -> list[str]:
        """Open a page and return what is wrong with it on an office PC and on a phone."""
        self.page.set_viewport_size(OFFICE_PC)  # type: ignore[arg-type]
        answer = self.page.goto(path)
        assert answer is not None
        assert answer.status == 200, path
        faults = self.scan()
        if self.is_wider_than_the_window():
            faults.append("wider than an office PC")
        self.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        if self.is_wider_than_the_window():
            faults.append("wider than a phone")
        return faults + [f"on a phone: {fault}" for fault in self.scan(RULES_OF_LAYOUT)]

    def is_wider_than_the_window(self) -> bool:
        """Tell whether the page has to be pushed sideways."""
        return bool(
            self.page.evaluate("() => document.documentElement.scrollWidth > innerWidth + 1")
        )

    def close(self) -> None:
        """Close the window."""
        self._context.close()


@pytest.fixture
def visitors(chromium: Browser, site: Site) -> Iterator[Any]:
    """Return a function that opens a window; all are closed, and none may have complained."""
    opened: list[Visitor] = []

    def open_window(username: str = "", viewport: dict[str, int] = OFFICE_PC) -> Visitor:
        visitor = Visitor(chromium, site, viewport)
        opened.append(visitor)
        return visitor.sign_in(username) if username else visitor

    yield open_window
    complaints = [line for visitor in opened for line in visitor.complaints]
    for visitor in opened:
        visitor.close()
    assert complaints == []


@pytest.fixture
def downloads(tmp_path: Path) -> Path:
    """Return the folder where a journey keeps what it downloaded."""
    return tmp_path
