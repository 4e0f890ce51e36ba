"""How long does the browser take from a click to a settled page, for each page and action? Median of 10.

A real Chromium drives a demo: opens it, goes through its pages, selects, removes, undoes and redoes. The page itself stamps the click,
the first moment in which the script runs no longer ("shown"), and the first in which no search is under way either ("settled").
`--root` takes another checkout, so that two commits are measured side by side.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from playwright.sync_api import Locator, Page

from benchmarks.browser import ROOT, chromium, dashboard, settled

WATCH = """() => {
  const watch = {start: performance.now(), ran: false, script: null, settled: null, quiet: null};
  window.redressWatch = watch;
  const look = () => {
    const app = document.querySelector('[data-testid="stApp"]');
    const idle = app?.getAttribute('data-test-script-state') === 'notRunning';
    const busy = document.querySelector('.st-key-under_way_box, [data-testid="stSpinner"], [data-testid="stProgress"]');
    const now = performance.now();
    if (!idle) watch.ran = true;
    else if (watch.ran && watch.script === null) watch.script = now;
    if (!idle || busy) watch.quiet = null;
    else if (watch.quiet === null) watch.quiet = now;
    if (watch.quiet !== null && now - watch.quiet > 400 && (watch.ran || now - watch.start > 1500)) {
      watch.settled = watch.quiet; watch.script ??= watch.quiet; return;
    }
    requestAnimationFrame(look);
  };
  look();
}"""
"""A watch that starts at once and stops when nothing has run for 0.4 s."""


def timed(page: Page, act: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds from an action until the script is done, and until no search is under way."""
    page.evaluate(WATCH)
    act()
    page.wait_for_function("window.redressWatch && window.redressWatch.settled !== null", timeout=300_000)
    watch = page.evaluate("window.redressWatch")
    return (watch["script"] - watch["start"]) / 1000, (watch["settled"] - watch["start"]) / 1000


def link(page: Page, name: str) -> Locator:
    return page.get_by_role("link", name=name, exact=True).first


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True).first


def one_round(page: Page, address: str, case: str, note: Callable[[str, tuple[float, float]], None]) -> None:
    """Go through a demo once."""
    page.goto(f"{address}/?case={case}", wait_until="domcontentloaded")
    button(page, "Undo").wait_for()
    settled(page)
    for name in ("Check", "Find", "Remove", "Prove", "Report", "Check", "Find"):
        if not link(page, name).count():
            continue
        note(name, timed(page, link(page, name).click))
    number = page.get_by_role("spinbutton", name="Take the most harmful")
    number.fill("120")
    note("select 120", timed(page, lambda: number.press("Enter")))
    note("Remove, with a selection", timed(page, link(page, "Remove").click))
    note("Apply", timed(page, button(page, "Apply").click))
    note("Undo", timed(page, button(page, "Undo").click))
    note("Redo", timed(page, button(page, "Redo").click))
    for name in ("Check", "Find", "Prove", "Report"):
        if link(page, name).count():
            note(f"{name}, after a removal", timed(page, link(page, name).click))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", default="credit", help="the demo to go through")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout that is measured")
    asked = parser.parse_args()
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    with ExitStack() as held:
        home = Path(held.enter_context(tempfile.TemporaryDirectory()))
        address = held.enter_context(dashboard(home / "workspace", asked.root))
        page = held.enter_context(chromium(home / "profile"))
        for number in range(asked.rounds):
            one_round(
                page,
                address,
                asked.case,
                lambda name, times, first=number == 0: found[f"{name}, first visit" if first else name].append(times),
            )
    print(f"{asked.case}, {asked.rounds} rounds; seconds from the click, medians")
    print(f"{'':36} {'shown':>8} {'settled':>8} {'slowest':>8}")
    for name, times in found.items():
        script, quiet = (statistics.median(column) for column in zip(*times, strict=True))
        print(f"{name:36} {script:8.2f} {quiet:8.2f} {max(most for _, most in times):8.2f}")


if __name__ == "__main__":
    main()
