"""Own files through the page, with a bad one on the way."""

from __future__ import annotations

from pathlib import Path

import pytest
import skops.io
from playwright.sync_api import Page, expect

from tests.browser.conftest import SLOW_MS, figures, go, settle, take_harmful, wait_for_figure
from tests.conftest import make_pipeline_for, make_table

EVIL = "![job](http://127.0.0.1:9/pixel.png)"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("files")
    train, test = (make_table(800, seed).assign(**{EVIL: "x"}) for seed in (6, 7))
    train.loc[::3, EVIL] = "y"
    test.loc[::3, EVIL] = "y"
    train.to_csv(folder / "train.csv", index=False)
    test.to_parquet(folder / "test.parquet")
    skops.io.dump(make_pipeline_for(train), folder / "model.skops")
    (folder / "broken.csv").write_bytes(b"one\n1\n")
    return {path.stem: path for path in folder.iterdir()}


TRAIN, TEST, MODEL = 1, 2, 3
"""Places of the fields; the first takes all files at once."""


def give(page: Page, place: int, file: Path) -> None:
    page.locator('input[type="file"]').nth(place).set_input_files(file)
    page.wait_for_timeout(300)
    settle(page)


def test_own_files_from_upload_to_a_removal(page: Page, files: dict[str, Path]) -> None:
    page.get_by_role("tab", name="Your own files").click()
    give(page, TEST, files["test"])
    give(page, MODEL, files["model"])
    give(page, TRAIN, files["broken"])
    problem = page.get_by_test_id("stAlert")
    expect(problem).to_contain_text("at least two columns", timeout=SLOW_MS)
    expect(page.locator("text=test.parquet: 800 rows")).to_be_visible()
    expect(page.locator("text=LogisticRegression").first).to_be_visible(timeout=SLOW_MS)

    give(page, TRAIN, files["train"])
    expect(page.locator("text=Is this what the columns mean?")).to_be_visible(timeout=SLOW_MS)
    expect(page.get_by_test_id("stAlert")).to_have_count(0)
    page.get_by_role("button", name="Open the case").click()
    expect(page.locator("text=verified").first).to_be_visible(timeout=SLOW_MS)
    case = page.url.partition("case=")[2]
    assert len(case) >= 22
    settle(page)

    go(page, "Check")
    expect(page.locator(".js-plotly-plot").first).to_be_visible(timeout=SLOW_MS)
    go(page, "Find")
    take_harmful(page, 8)
    wait_for_figure(page, "preview", 3, "8")
    go(page, "Remove")
    page.get_by_role("button", name="Apply").click()
    wait_for_figure(page, "now", 3, "8")
    assert figures(page, "before")[3] == "0"


def test_all_files_are_dropped_at_once(page: Page, files: dict[str, Path]) -> None:
    page.get_by_role("tab", name="Your own files").click()
    page.locator('input[type="file"]').first.set_input_files([files[name] for name in ("model", "train", "test")])
    expect(page.locator("text=Is this what the columns mean?")).to_be_visible(timeout=SLOW_MS)
    page.get_by_role("button", name="Open the case").click()
    expect(page.locator("text=verified").first).to_be_visible(timeout=SLOW_MS)
    go(page, "Check")
    expect(page.locator(".tiles")).to_be_visible(timeout=SLOW_MS)
