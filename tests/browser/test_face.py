"""The tiles and the bars: they move while the slider is dragged, and the server hears on release."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import SLOW_MS, figures, go, settle, wait_for_figure

REMOVED = 3
FRAMES = """() => { window.frames_ = []; let last = performance.now();
  const next = () => { const now = performance.now(); window.frames_.push(now - last); last = now; window.going = requestAnimationFrame(next); };
  next(); }"""
SLOWEST_MS = 250
"""Of 20 frames while dragging no more than one is slower; a quiet machine has them under 50 ms."""


def shown(page: Page, part: str) -> str:
    return page.locator(f".tile .{part}").first.inner_text()


def test_the_slider_moves_the_tiles_and_one_button_removes(page: Page, address: str, small: str) -> None:
    page.goto(f"{address}/?case={small}", wait_until="domcontentloaded")
    page.wait_for_selector(".tiles", timeout=SLOW_MS)
    settle(page)
    go(page, "Find")
    slider = page.locator("input[type=range]").first
    slider.wait_for(timeout=SLOW_MS)
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    opened = shown(page, "now")
    page.mouse.move(box["x"] + 12, y)
    page.mouse.down()
    page.evaluate(FRAMES)
    seen = set()
    for step in range(30):
        page.mouse.move(box["x"] + 12 + (box["width"] - 24) * 0.7 * step / 29, y)
        page.wait_for_timeout(20)
        seen.add(shown(page, "now"))
    frames = sorted(page.evaluate("() => { cancelAnimationFrame(window.going); return window.frames_; }"))
    assert len(seen) > 3, "the first tile moves with the slider"
    assert frames[int(0.95 * len(frames))] < SLOWEST_MS
    size = page.locator(".slide output").inner_text().split()[0]
    assert shown(page, "now") != opened
    expect(page.locator("strong", has_text=f"{size} records selected")).to_have_count(0)
    page.mouse.up()
    expect(page.locator("strong", has_text=f"{size} records selected")).to_be_visible(timeout=SLOW_MS)
    settle(page)

    gap = shown(page, "now")
    page.locator("button.act", has_text=re.compile(f"Remove {size} records")).click()
    wait_for_figure(page, "now", REMOVED, size)
    assert abs(float(shown(page, "now")) - float(gap)) < 1.0
    expect(page.locator("strong", has_text="records selected")).to_have_count(0)
    assert not figures(page, "preview"), "nothing is selected any more"
    expect(page.locator("button.act")).to_have_text("Prove that they are forgotten")
