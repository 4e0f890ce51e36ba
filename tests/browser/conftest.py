"""A real Chromium on a server of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright
from sklearn.base import clone

import core

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SLOW_MS = 60_000


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder, and skip them where there is no Chromium."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if not CHROMIUM.exists():
                item.add_marker(
                    pytest.mark.skip(reason=f"{CHROMIUM} is missing; on Debian and Ubuntu: apt-get install chromium")
                )


@cache
def small_case() -> core.Case:
    """A fourth of the credit demo, with a model of its own: every search of it ends soon."""
    credit = core.load_case("credit")
    train, test = credit.train.sample(3_000, random_state=0), credit.test.sample(3_000, random_state=0)
    model = clone(credit.model).fit(train[list(credit.X_train)], train[credit.roles.target])
    return core.Case(model, train=train, test=test, roles=credit.roles)


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace of the dashboard."""
    return tmp_path_factory.mktemp("workspace")


@pytest.fixture
def small(home: Path, request: pytest.FixtureRequest) -> str:
    """The id of a small case that is kept in the workspace, for one test alone."""
    found = f"small-{request.node.name.split('[')[0][-40:].replace('_', '-')}"
    small_case().save(home / "cases" / found / "case")
    return found


@pytest.fixture(scope="session")
def address(home: Path) -> Iterator[str]:
    """The address of a running dashboard."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "dashboard/app.py"]
    options = ["--server.port", str(port), "--server.headless", "true"]
    with subprocess.Popen(
        [*command, *options], cwd=ROOT, env={**os.environ, "REDRESS_HOME": str(home)}, stdout=subprocess.DEVNULL
    ) as server:
        try:
            for _ in range(300):
                with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                    break
                time.sleep(0.2)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    with sync_playwright() as play:
        browser = play.chromium.launch_persistent_context(
            str(tmp_path_factory.mktemp("profile")),
            executable_path=str(CHROMIUM),
            headless=True,
            args=FLAGS,
            viewport={"width": 1360, "height": 1100},
        )
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: BrowserContext, address: str) -> Iterator[Page]:
    """A fresh tab on the first page; no request may leave the machine's own server."""
    tab = chromium.new_page()
    tab.set_default_timeout(SLOW_MS)
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(address, wait_until="domcontentloaded")
    settle(tab)
    yield tab
    elsewhere = [url for url in asked if not url.startswith((address, "data:", "blob:"))]
    tab.close()
    assert not elsewhere, f"the page called out: {elsewhere}"


def settle(page: Page) -> None:
    """Wait until the script has run and a moment has passed without it running again."""
    idle = '[data-testid="stApp"][data-test-script-state="notRunning"]'
    for _ in range(2):
        page.wait_for_selector(idle, timeout=SLOW_MS)
        page.wait_for_timeout(120)


def go(page: Page, name: str) -> None:
    page.get_by_role("link", name=name, exact=True).first.click()
    page.wait_for_url(f"**/{name.lower()}?case=*")
    settle(page)


def take_harmful(page: Page, n: int) -> None:
    """Take the most harmful records on Find, as one would who sees the number gone while the page was being drawn."""
    number = page.get_by_role("spinbutton", name="Take the most harmful")
    told = page.get_by_text(f"{n} records selected").first
    for _ in range(3):
        number.fill(str(n))
        number.press("Enter")
        with suppress(AssertionError):
            expect(told).to_be_visible(timeout=SLOW_MS / 3)
            return
    expect(told).to_be_visible()


def figures(page: Page, row: str) -> list[str]:
    """The numbers of one row of the table behind the tiles, which is opened and closed again."""
    table = page.locator("table.strip")
    if not table.is_visible():
        page.get_by_role("button", name="Figures").click()
    table.wait_for(timeout=SLOW_MS)
    found = page.locator(f"tr.strip-{row} .strip-number").all_inner_texts()
    page.keyboard.press("Escape")
    table.wait_for(state="hidden", timeout=SLOW_MS)
    return found


def wait_for_figure(page: Page, row: str, column: int, text: str) -> None:
    """Wait until a number of the table behind the tiles is this one."""
    end = time.monotonic() + SLOW_MS / 1000
    found: list[str] = []
    while time.monotonic() < end:
        found = figures(page, row)
        if found[column : column + 1] == [text]:
            return
        page.wait_for_timeout(300)
    raise AssertionError(f"column {column} of {row} must become {text!r}. It is {found}.")
