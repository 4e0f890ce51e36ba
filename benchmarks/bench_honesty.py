"""Do gains hold on rows that nobody searched? Searched, expected and confirmed gains of rankings, plans and rules, table by table.

Every split draws 4,000 training rows, 2,000 to explore and 2,000 to confirm from a table, fits a logistic regression, and closes the gap in true
positive rates by `take_harmful`, by `plan_removal` to half the gap, by the first rule that `explain_gap` shows, and by the first 1% of the
ranking. Printed for each: the gain on the rows searched, the gain expected by cross-fitting and the gain on the confirm rows; over all runs,
how often expected and confirmed gain agree within their errors, the signed bias, and what the fixed 1% does beside. Without --data only made
tables are taken; with it, the public tables in that folder that it knows. With --made so many tables with a planted cause, and twice as many
without a gap, are explained by rules: how many planted rules are said to help, in how many tables without a gap any rule is, and whether such
a rule closes the gap on 60,000 fresh rows.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import binomtest
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import core
from benchmarks.planted import FAMILIES, explain, make, summary

GAP = "equal_opportunity_difference"
TRAIN, EXPLORE, CONFIRM = 4000, 2000, 2000
Z = 1.96
HELPING = "rule that helps"
PUBLIC = {
    "adult": ("income", ">50K", "sex", ("split", "fnlwgt")),
    "compas_two_years": ("two_year_recid", "no", "race", ()),
    "taiwan_credit_default": ("default_next_month", "no", "sex", ("client_id",)),
    "bank_marketing": ("subscribed_term_deposit", "yes", "marital", ("last_call_seconds",)),
}
COMPAS = ["sex", "age", "race", "juv_fel_count", "juv_misd_count", "juv_other_count", "priors_count", "c_charge_degree"]


@dataclass(frozen=True)
class Table:
    """A table to draw splits from."""

    name: str
    frame: pd.DataFrame
    target: str
    favorable: object
    feature: str


@dataclass(frozen=True)
class Run:
    """What one way of closing a gap gained on one split; NaN where nothing is expected of it."""

    table: str
    way: str
    records: int
    searched: float
    expected: float
    expected_se: float
    confirmed: float
    confirmed_se: float


def tables(folder: Path | None) -> Iterator[Table]:
    """Give the made tables, then the public ones that the folder holds."""
    for kind in ("planted", "difference", "null"):
        case = make("logistic", kind, 0, rows=5000).case
        frame = pd.concat([case.train, case.test], ignore_index=True)
        yield Table(
            f"made, {kind}", frame, case.roles.target, case.roles.favorable_label, case.roles.sensitive_features[0]
        )
    for name, (target, favorable, feature, left_out) in PUBLIC.items():
        path = None if folder is None else folder / f"{name}.parquet"
        if path is None or not path.exists():
            continue
        frame = pd.read_parquet(path).drop(columns=list(left_out))
        if name == "compas_two_years":
            frame = frame[[*(column for column in COMPAS if column in frame), target]]
            frame = frame[frame["race"].isin(["African-American", "Caucasian"])]
        yield Table(name, frame, target, favorable, feature)


def case_of(table: Table, seed: int) -> core.Case:
    """Return one split of a table with a fitted model."""
    rows = table.frame.sample(n=min(len(table.frame), TRAIN + EXPLORE + CONFIRM), random_state=seed)
    n_test = min(EXPLORE + CONFIRM, len(rows) // 2)
    train, test = rows[n_test:].reset_index(drop=True), rows[:n_test].reset_index(drop=True)
    features = [name for name in rows if name != table.target]
    numbers = [name for name in features if pd.api.types.is_numeric_dtype(rows[name])]
    words = [name for name in features if name not in numbers]
    columns = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), numbers),
        (make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")), words),
    )
    model = make_pipeline(columns, LogisticRegression(max_iter=1000)).fit(train[features], train[table.target])
    return core.Case(model, train, test, core.Roles(table.target, table.favorable, table.favorable, [table.feature]))


def gain(case: core.Case, ids: pd.Index, on: str) -> tuple[float, float]:
    """Return by how much the gap closes on a split without some records, and its standard error by the paired interval."""
    row = core.compare(case, core.unlearn(case, ids).case, metric=GAP, on=on, n_resamples=1000).iloc[0]
    return float(row["before"] - row["after"]), float((row["high"] - row["low"]) / (2 * Z))


def runs_of(table: Table, seed: int) -> Iterator[Run]:
    """Close the gap of one split in each way."""
    case = core.prepare(case_of(table, seed))
    best = core.take_harmful(case, GAP)
    before = float(core.audit(case, GAP, on="explore", n_resamples=10).gaps["value"].iloc[0])
    plan = core.plan_removal(case, GAP, target=before / 2, max_utility_drop=0.02, n_random=0)
    fixed = core.harmful(core.influence(case, GAP))[: TRAIN // 100]
    rules = core.explain_gap(case, GAP, top_k=3, expected=True)
    if len(rules):
        ways = [("first rule", rules[0]), *((HELPING, one) for one in rules.helping)]
        for way, rule in ways:
            expected, nan = rule.expected, float("nan")
            known = (nan, nan) if expected is None else (expected.gain, expected.se)
            yield Run(table.name, way, rule.n_records, -rule.verified, *known, *gain(case, rule.forget, "confirm"))
    for way, ids, expected in (
        ("take_harmful", best.forget, best.expected),
        ("plan", plan.forget, plan.expected),
        ("first 1%", fixed, None),
    ):
        if not len(ids):
            continue
        nan = float("nan")
        known = (nan, nan) if expected is None else (expected.gain, expected.se)
        yield Run(table.name, way, len(ids), gain(case, ids, "explore")[0], *known, *gain(case, ids, "confirm"))


def report(runs: pd.DataFrame) -> None:
    """Print gains by table and way, then how expected and confirmed gains agree over all runs."""
    helping = runs[runs["way"] == HELPING]
    runs = runs[runs["way"] != HELPING]
    means = runs.groupby(["table", "way"], sort=False)[["records", "searched", "expected", "confirmed"]].mean().round(4)
    print(means.assign(splits=runs.groupby(["table", "way"], sort=False).size()).to_string())
    known = runs.dropna(subset=["expected"])
    apart = (known["expected"] - known["confirmed"]).abs()
    within = apart <= Z * np.hypot(known["expected_se"], known["confirmed_se"])
    print(f"\nexpected and confirmed gain agree within 1.96 standard errors: {within.mean():.1%} of {len(known)} runs")
    bias = known["expected"] - known["confirmed"]
    naive = known["searched"] - known["confirmed"]
    print(f"signed bias of the expected gain {bias.mean():+.4f}, of the searched gain {naive.mean():+.4f}")
    print(f"rules said to help: {len(helping)}; of these {(helping['confirmed'] > 0).sum()} close the gap on confirm")
    taken = runs[runs["way"] == "take_harmful"]
    print(
        f"take_harmful: smallest gain on the rows searched {taken['searched'].min():+.4f}; on confirm {taken['confirmed'].min():+.4f}"
    )
    pairs = runs.pivot_table(index=["table", "split"], columns="way", values="confirmed").dropna(subset=["first 1%"])
    for name, part in pairs.groupby(level=0, sort=False):
        apart = (part["take_harmful"].fillna(0.0) - part["first 1%"]).dropna()
        se = apart.std(ddof=1) / np.sqrt(len(apart)) if len(apart) > 1 else float("nan")
        print(f"  {name}: confirm gain of take_harmful less that of the first 1%: {apart.mean():+.4f} (SE {se:.4f})")


def survival(tables: int, family: str) -> None:
    """Print how many planted rules are said to help, and in how many tables without a gap any rule is."""
    for kind, n in (("planted", tables), ("null", 2 * tables)):
        found = summary([explain(make(family, kind, seed), family, kind, seed) for seed in range(100, 100 + n)])
        if kind == "planted":
            print(
                f"{family}, planted: {found['helps']} of {found['strong']} causes that close half of the gap are shown and said to help"
            )
        low, high = binomtest(int(found["any_helps"]), n).proportion_ci(method="exact")
        print(
            f"{family}, {kind}: a rule is said to help in {found['any_helps']} of {n} tables (95% interval {low:.1%} to {high:.1%}); "
            f"{found['said_to_help']} rules, {found['wrongly']} of which do not close the gap on fresh rows",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder with the public tables as Parquet files")
    parser.add_argument("--splits", type=int, default=10)
    parser.add_argument("--only", help="name of one table")
    parser.add_argument(
        "--made",
        type=int,
        default=0,
        metavar="N",
        help="planted tables to explain by rules, and twice as many without a gap",
    )
    parser.add_argument("--family", default="logistic", choices=FAMILIES)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    rows = []
    for table in tables(options.data):
        if options.only and options.only not in table.name:
            continue
        for split in range(options.splits):
            rows += [{**vars(run), "split": split} for run in runs_of(table, split)]
        print(f"{table.name} done", flush=True)
    if rows:
        report(pd.DataFrame(rows))
    if options.made:
        survival(options.made, options.family)


if __name__ == "__main__":
    main()
