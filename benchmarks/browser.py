"""The dashboard on a port of its own, and a headless Chromium in front of it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync"]
IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]'


@contextmanager
def dashboard(home: Path, root: Path = ROOT) -> Iterator[str]:
    """Serve the dashboard of a checkout, with its workspace in `home`; give its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "dashboard/app.py"]
    command += ["--server.port", str(port), "--server.headless", "true"]
    with subprocess.Popen(  # noqa: S603
        command, cwd=root, env={**os.environ, "REDRESS_HOME": str(home)}, stdout=subprocess.DEVNULL
    ) as server:
        try:
            for _ in range(150):
                with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                    break
                time.sleep(0.2)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


@contextmanager
def chromium(profile: Path, width: int = 1360, height: int = 1100) -> Iterator[Page]:
    """Open a tab of a fresh Chromium."""
    with sync_playwright() as play:
        browser = play.chromium.launch_persistent_context(
            str(profile),
            executable_path=CHROMIUM,
            headless=True,
            args=FLAGS,
            viewport={"width": width, "height": height},
        )
        page = browser.new_page()
        page.set_default_timeout(120_000)
        yield page
        browser.close()


def settled(page: Page) -> None:
    """Wait until the script has run."""
    page.wait_for_timeout(300)
    page.wait_for_selector(IDLE, timeout=120_000)
