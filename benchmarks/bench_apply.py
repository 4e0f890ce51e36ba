"""How long does the browser take from a click on Apply to the repainted tiles, at 30,000 training rows? Median of 10.

A real Chromium drives the dashboard: each round takes the most harmful records on the page Find, goes to Remove, clicks Apply, and
the page itself stamps the click and the first frame in which the tiles show other numbers. Beside it: what scikit-learn takes to
fit the same pipeline again, with no page around it.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from playwright.sync_api import Page
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import core
from benchmarks.browser import CHROMIUM, chromium, dashboard, settled

STOPWATCH = """() => {
    const now = () => document.querySelector('.tiles')?.textContent;
    const old = now();
    const apply = [...document.querySelectorAll('button')].find((one) => one.innerText.trim().endsWith('Apply'));
    return new Promise((done) => {
        apply.addEventListener('click', () => {
            const start = performance.now();
            const look = () => {
                if (now() !== undefined && now() !== old) requestAnimationFrame(() => done(performance.now() - start));
                else requestAnimationFrame(look);
            };
            look();
        }, {once: true});
        apply.click();
    });
}"""


def make_table(n: int, rng: np.random.Generator) -> pd.DataFrame:
    table = pd.DataFrame(rng.normal(size=(n, 12)), columns=[f"number_{i}" for i in range(12)])
    for i in range(4):
        table[f"word_{i}"] = rng.choice([f"value_{j}" for j in range(6)], n)
    table["sex"] = rng.choice(["f", "m"], n)
    table["age"] = rng.integers(18, 80, n)
    score = (
        table["number_0"]
        - table["number_1"]
        + 0.5 * table["number_2"]
        + 0.4 * (table["sex"] == "m")
        + rng.logistic(size=n)
    )
    return table.assign(granted=(score > 0).astype(int))


def fit(table: pd.DataFrame) -> Pipeline:
    features = table.drop(columns="granted")
    numbers = [name for name in features if pd.api.types.is_numeric_dtype(features[name])]
    words = [name for name in features if name not in numbers]
    columns = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), numbers), (OneHotEncoder(handle_unknown="ignore"), words)
    )
    return make_pipeline(columns, LogisticRegression(solver="newton-cholesky", tol=1e-12)).fit(
        features, table["granted"]
    )


def one_round(page: Page, n_records: int) -> float:
    page.get_by_role("link", name="Find", exact=True).click()
    page.wait_for_selector(".nsewdrag", timeout=60_000)
    settled(page)
    number = page.get_by_role("spinbutton", name="Take the most harmful")
    number.fill(str(n_records))
    number.press("Enter")
    page.wait_for_selector("strong:has-text('records selected')", timeout=60_000)
    settled(page)
    page.get_by_role("link", name="Remove", exact=True).click()
    page.wait_for_selector("button:has-text('Apply')", timeout=60_000)
    settled(page)
    return float(page.evaluate(STOPWATCH)) / 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=30_000, help="training rows")
    parser.add_argument("--records", type=int, default=30, help="records removed in each round")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if not Path(CHROMIUM).exists():
        sys.exit(
            f"This benchmark drives {CHROMIUM}, which is not there; on Debian and Ubuntu: apt-get install chromium."
        )
    rng = np.random.default_rng(options.seed)
    train, test = make_table(options.rows, rng), make_table(options.rows // 2, rng)
    model = fit(train)
    case = core.Case(model, train=train, test=test, roles=core.Roles("granted", 1, 1, ["sex", "age"]))
    refits = []
    for _ in range(3):
        start = time.perf_counter()
        clone(model).fit(case.X_train, case.train["granted"])
        refits.append(time.perf_counter() - start)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        case.save(home / "cases" / "bench" / "case")
        with dashboard(home) as address, chromium(home / "profile") as page:
            start = time.perf_counter()
            page.goto(f"{address}/?case=bench", wait_until="domcontentloaded")
            page.wait_for_selector(".tiles", timeout=120_000)
            opened = time.perf_counter() - start
            times = [one_round(page, options.records) for _ in range(options.rounds)]
    print(
        f"{options.rows:,} training rows, {options.records} records a round, {options.rounds} rounds, {os.cpu_count()} cores"
    )
    print(f"opening the case, once, page included      {opened:8.2f} s")
    print(
        f"Apply to repainted tiles, median           {statistics.median(times):8.3f} s   (least {min(times):.3f}, most {max(times):.3f})"
    )
    print(f"scikit-learn's refit alone, median of 3    {statistics.median(refits):8.3f} s")
    print(f"Apply over refit                           {statistics.median(times) / statistics.median(refits):8.2f}")


if __name__ == "__main__":
    main()
