"""The tree of versions by mouse and keyboard, the plane, and two tabs on one case."""

from __future__ import annotations

from playwright.sync_api import Page, expect

import core
from tests.browser.conftest import SLOW_MS, go, settle, small_case, take_harmful


def remove(page: Page, n: int) -> None:
    go(page, "Find")
    take_harmful(page, n)
    settle(page)
    go(page, "Remove")
    page.get_by_role("button", name="Apply", exact=True).click()
    expect(page.get_by_text(f"{n} records removed").first).to_be_visible(timeout=SLOW_MS)
    settle(page)


def version(page: Page, number: int) -> None:
    """Expect this version to be the one in force."""
    here = page.locator("button.go[aria-current=true]")
    expect(here).to_have_attribute("data-id", f"go-{number}", timeout=SLOW_MS)


def test_versions_branch_and_are_gone_to_by_mouse_keyboard_and_plane(page: Page, address: str, small: str) -> None:
    page.goto(f"{address}/?case={small}", wait_until="domcontentloaded")
    expect(page.get_by_role("button", name="Undo")).to_be_visible(timeout=SLOW_MS)
    settle(page)
    remove(page, 120)
    version(page, 1)
    page.get_by_role("button", name="Undo").click()
    version(page, 0)
    remove(page, 40)
    version(page, 2)
    assert page.locator("button.go").count() == 3

    page.get_by_role("button", name="Version 1, 120 records removed").click()
    version(page, 1)
    settle(page)
    page.get_by_role("button", name="Version 1, 120 records removed").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    version(page, 2)
    settle(page)

    page.get_by_role("button", name="Pin to compare: version 1").click()
    settle(page)
    page.get_by_role("button", name="Pin to compare: version 2").click()
    expect(page.get_by_text("From version 1 (120 records removed) to version 2 (40 records removed)")).to_be_visible(
        timeout=SLOW_MS
    )
    settle(page)

    opened = page.locator(".js-plotly-plot .scatterlayer path.point:visible").first
    opened.scroll_into_view_if_needed()
    settle(page)
    where = opened.bounding_box()
    assert where is not None
    x, y = where["x"] + where["width"] / 2, where["y"] + where["height"] / 2
    page.mouse.move(x - 2, y)
    page.wait_for_timeout(300)  # Plotly clicks on what it hovers over.
    page.mouse.move(x, y)
    page.wait_for_timeout(300)
    page.mouse.click(x, y)
    version(page, 0)
    settle(page)

    page.get_by_role("button", name="Version 1, 120 records removed").click()
    version(page, 1)
    settle(page)
    page.get_by_role("button", name="Take away").click()
    with page.expect_download(timeout=SLOW_MS) as told:
        page.get_by_role("button", name="Model (skops)").click()
    case = small_case()
    taken = core.load_model(told.value.path())
    moved = taken.predict_proba(case.test) - case.model.predict_proba(case.test)
    assert abs(moved).max() > 0.001
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Version 0, as opened").click()
    version(page, 0)
    settle(page)

    other = page.context.new_page()
    other.goto(page.url, wait_until="domcontentloaded")
    version(other, 0)
    settle(other)
    page.get_by_role("button", name="Version 2, 40 records removed").click()
    version(page, 2)
    settle(page)
    go(other, "Check")
    expect(other.get_by_text("this tab still shows version 0")).to_be_visible(timeout=SLOW_MS)
    other.close()
