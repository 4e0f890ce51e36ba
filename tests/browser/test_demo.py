"""The demonstration from the first click to a reload."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import SLOW_MS, figures, go, settle, take_harmful, wait_for_figure

GAP, REMOVED = 0, 3
OVERLAPS = """() => [...document.querySelectorAll('table.strip tr > *')]
  .filter(cell => cell.scrollHeight > cell.clientHeight + 1).map(cell => cell.innerText)"""
"""Cells of the figures whose text reaches into the next one."""


FARTHEST = """() => {
  const chart = document.querySelector('.st-key-find_scatter_box .js-plotly-plot');
  chart.scrollIntoView({block: 'center'});
  const box = chart.getBoundingClientRect(), axes = chart._fullLayout, trace = chart._fullData[0];
  const far = [...trace.y.keys()].reduce((best, i) => Math.abs(trace.y[i]) > Math.abs(trace.y[best]) ? i : best, 0);
  return {id: trace.ids[far], x: box.x + axes.xaxis._offset + axes.xaxis.c2p(trace.x[far]),
          y: box.y + axes.yaxis._offset + axes.yaxis.c2p(trace.y[far])};
}"""
"""Where the point with the largest influence on the loss stands, which none lies over."""


def test_the_demonstration_from_opening_to_reload(page: Page, address: str) -> None:
    page.get_by_role("button", name="Open A biased branch", exact=True).click()
    expect(page.locator("text=verified").first).to_be_visible(timeout=SLOW_MS)
    assert "?case=a-biased-branch~" in page.url

    go(page, "Check")
    expect(page.locator(".js-plotly-plot").first).to_be_visible(timeout=SLOW_MS)
    page.get_by_role("tab", name="Gaps").click()
    expect(page.locator("text=beyond their threshold").first).to_be_visible(timeout=SLOW_MS)

    go(page, "Find")
    before = figures(page, "now")
    take_harmful(page, 120)
    wait_for_figure(page, "preview", REMOVED, "120")
    predicted = float(figures(page, "preview")[GAP])
    assert predicted < float(before[GAP])
    expect(page.locator("strong", has_text="120 records selected")).to_be_visible()

    go(page, "Remove")
    page.get_by_role("button", name="Apply").click()
    wait_for_figure(page, "now", REMOVED, "120")
    after = figures(page, "now")
    assert abs(float(after[GAP]) - predicted) < 0.01
    expect(page.locator("text=120 records removed").first).to_be_visible(timeout=SLOW_MS)
    expect(page.locator("p", has_text="by newton, certified")).to_be_visible()

    page.get_by_role("button", name="Undo").click()
    wait_for_figure(page, "now", REMOVED, "0")
    assert figures(page, "now")[GAP] == before[GAP]
    page.get_by_role("button", name="Redo").click()
    wait_for_figure(page, "now", REMOVED, "120")
    settle(page)

    page.reload(wait_until="domcontentloaded")
    wait_for_figure(page, "now", REMOVED, "120")
    assert figures(page, "now")[:4] == after[:4]

    other = page.context.new_page()
    other.goto(page.url, wait_until="domcontentloaded")
    wait_for_figure(other, "now", REMOVED, "120")
    assert figures(other, "now")[:4] == after[:4]
    other.close()


def test_outline_and_table_select_the_same_set(page: Page, address: str, small: str) -> None:
    page.goto(f"{address}/?case={small}", wait_until="domcontentloaded")
    page.wait_for_selector(".tiles", timeout=SLOW_MS)
    settle(page)
    go(page, "Find")
    page.locator("input[type=range]").first.wait_for(timeout=SLOW_MS)  # the chart stands below the slider
    expect(page.locator(".st-key-under_way_box")).to_have_count(0, timeout=SLOW_MS)
    plot = page.locator(".nsewdrag:visible").first
    expect(plot).to_be_visible(timeout=SLOW_MS)
    settle(page)
    plot.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    box = plot.bounding_box()
    assert box is not None
    corners = [(0.02, 0.4), (0.25, 0.4), (0.25, 0.97), (0.02, 0.97), (0.02, 0.4)]
    points = [(box["x"] + a * box["width"], box["y"] + b * box["height"]) for a, b in corners]
    page.mouse.move(*points[0])
    page.mouse.down()
    for x, y in points[1:]:
        page.mouse.move(x, y, steps=3)
    page.mouse.up()
    chosen = page.locator("strong", has_text="records selected")
    expect(chosen).to_be_visible(timeout=SLOW_MS)
    settle(page)
    n = int(chosen.inner_text().split()[0].replace(",", ""))
    assert n > 20
    wait_for_figure(page, "preview", REMOVED, f"{n:,}")

    table = page.get_by_test_id("stDataFrame").last
    table.scroll_into_view_if_needed()
    frame = table.bounding_box()
    assert frame is not None
    # The first row is the most harmful record, and inside the outline: a click on its box takes it away.
    page.mouse.click(frame["x"] + 20, frame["y"] + 52)
    wait_for_figure(page, "preview", REMOVED, f"{n - 1:,}")
    expect(page.locator("strong", has_text=f"{n - 1:,} records selected")).to_be_visible(timeout=SLOW_MS)
    settle(page)
    table = page.get_by_test_id("stDataFrame").last
    table.scroll_into_view_if_needed()
    frame = table.bounding_box()
    assert frame is not None
    page.mouse.click(frame["x"] + 70, frame["y"] + 52)  # its id
    expect(page.get_by_text(re.compile(r"^Record A\d+$"))).to_be_visible(timeout=SLOW_MS)

    wide = page.viewport_size
    assert wide is not None
    page.set_viewport_size({"width": 320, "height": 800})
    page.get_by_role("button", name="Figures").click()
    page.locator("table.strip").wait_for(timeout=SLOW_MS)
    assert not page.evaluate(OVERLAPS), "rows of the figures overlap on a phone"
    page.keyboard.press("Escape")
    page.set_viewport_size(wide)


def test_a_click_on_a_point_opens_its_record(page: Page, address: str, small: str) -> None:
    page.goto(f"{address}/?case={small}", wait_until="domcontentloaded")
    page.wait_for_selector(".tiles", timeout=SLOW_MS)
    settle(page)
    go(page, "Find")
    page.locator("input[type=range]").first.wait_for(timeout=SLOW_MS)
    expect(page.locator(".st-key-under_way_box")).to_have_count(0, timeout=SLOW_MS)
    page.locator(".nsewdrag:visible").first.wait_for(timeout=SLOW_MS)
    page.wait_for_timeout(600)
    point = page.evaluate(FARTHEST)
    page.mouse.move(point["x"] - 3, point["y"])
    page.wait_for_timeout(300)  # Plotly clicks on what it hovers over.
    page.mouse.move(point["x"], point["y"])
    page.wait_for_timeout(300)
    page.mouse.click(point["x"], point["y"])
    expect(page.get_by_text(f"Record {point['id']}", exact=True)).to_be_visible(timeout=SLOW_MS)
