"""An analyst's journey: explain the gap, select a rule's records, plan a removal, apply it."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.conftest import SLOW_MS, figures, go, settle, wait_for_figure

GAP, REMOVED = 0, 3


def test_from_a_gap_to_its_rule_and_from_a_plan_to_its_removal(page: Page, address: str, small: str) -> None:
    page.goto(f"{address}/?case={small}", wait_until="domcontentloaded")
    page.wait_for_selector(".tiles", timeout=SLOW_MS)
    settle(page)
    go(page, "Find")
    page.get_by_role("button", name="Explain the gap").click()
    rule = page.locator("p", has_text="ranch north").first
    expect(rule).to_be_visible(timeout=SLOW_MS)
    settle(page)
    described = page.get_by_text("of the training records").first.inner_text().split()[0]
    page.get_by_role("button", name="Preview").first.click()
    wait_for_figure(page, "preview", REMOVED, described)
    expect(page.locator("strong", has_text=f"{described} records selected")).to_be_visible(timeout=SLOW_MS)
    assert float(figures(page, "preview")[GAP]) < 0.5 * float(figures(page, "now")[GAP])

    go(page, "Remove")
    page.get_by_role("button", name="Plan", exact=True).click()
    everyone = page.get_by_role("button", name="Select all")
    expect(everyone).to_be_visible(timeout=SLOW_MS)
    settle(page)
    everyone.click()
    n = everyone.inner_text().split("Select all ")[1].split()[0]
    wait_for_figure(page, "preview", REMOVED, n)
    settle(page)
    page.get_by_role("button", name="Apply").click()
    wait_for_figure(page, "now", REMOVED, n)
    expect(page.locator("p", has_text="the preview was off by")).to_be_visible(timeout=SLOW_MS)
