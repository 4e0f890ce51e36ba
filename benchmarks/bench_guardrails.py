"""How often are cures called fairer, levelling down fairer, and random removals anything, and what does judging cost?

Lending tables drawn from seeds: six columns, two sexes, three ages, four branches. *Cure*: the training labels of a described subgroup of
the worse-off sex were turned to refusals (2 to 7% of the records), and these records are removed; it counts as one where that closes over
half of the gap on 40,000 fresh rows. *Levelling down*: a share of the favourable labels of the best-off sex is removed instead, on the same tables and on
tables where the sexes really differ. *Random*: 1% of the records. Each is judged on the 2,500 rows of explore; what is true of a cure
is taken from the fresh ones.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

import core

NUMBERS, WORDS = ["income", "debt", "years"], ["sex", "age", "branch"]
ROLES = core.Roles("granted", 1, 1, ["sex", "age"], record_id="person")
GAPS = ("equal_opportunity_difference", "demographic_parity_difference")
N_TRAIN, N_TEST, N_FRESH = 6_000, 5_000, 40_000


@dataclass(frozen=True)
class Drawn:
    """A case, the records whose labels were turned, and fresh rows."""

    case: core.Case
    turned: pd.Index
    fresh: pd.DataFrame


def draw(seed: int, kind: str, *, planted: bool) -> Drawn:
    """Draw a table with a planted cause, or one in which the sexes really differ."""
    rng = np.random.default_rng([seed, planted])
    train, test, fresh = (_people(rng, rows, real=not planted) for rows in (N_TRAIN, N_TEST, N_FRESH))
    turned = np.zeros(N_TRAIN, dtype=bool)
    if planted:
        column, value = (("branch", rng.choice(["a", "b", "c", "d"])), ("age", rng.choice(["young", "old"])))[
            seed % 3 == 0
        ]
        inside = (train["sex"] == "f") & (train[column] == value)
        turned = (inside & (train["granted"] == 1) & (rng.random(N_TRAIN) < rng.uniform(0.3, 0.9))).to_numpy()
        train["granted"] = train["granted"].mask(turned, 0)
    model = _pipeline(kind).fit(train[NUMBERS + WORDS], train["granted"])
    case = core.Case(model, train, test, ROLES)
    return Drawn(case, pd.Index(train["person"][turned]), fresh)


def _people(rng: np.random.Generator, rows: int, *, real: bool) -> pd.DataFrame:
    sex = rng.choice(["f", "m"], rows)
    table = pd.DataFrame(
        {
            "person": [f"p{number}" for number in range(rows)],
            "sex": sex,
            "age": rng.choice(["young", "middle", "old"], rows),
            "branch": rng.choice(["a", "b", "c", "d"], rows),
            "income": rng.normal(0, 1, rows),
            "debt": rng.normal(0, 1, rows),
            "years": rng.exponential(1, rows),
        }
    )
    score = 1.6 * table["income"] - 1.2 * table["debt"] + 0.5 * table["years"] - 0.4 + real * 1.2 * ((sex == "m") - 0.5)
    table["granted"] = (score + rng.logistic(0, 0.7, rows) > 0).astype(int)
    return table


def _pipeline(kind: str) -> Any:
    if kind == "logistic":
        columns = make_column_transformer((StandardScaler(), NUMBERS), (OneHotEncoder(handle_unknown="ignore"), WORDS))
        return make_pipeline(columns, LogisticRegression(solver="newton-cholesky", tol=1e-10))
    columns = make_column_transformer(("passthrough", NUMBERS), (OrdinalEncoder(), WORDS))
    forest = RandomForestClassifier(60, min_samples_leaf=10, random_state=0, n_jobs=2)
    return make_pipeline(columns, forest if kind == "forest" else HistGradientBoostingClassifier(random_state=0))


def gap_on(case: core.Case, table: pd.DataFrame, metric: str) -> float:
    """Return the gap between the sexes on other rows, without intervals."""
    decided = case.model.predict(table[NUMBERS + WORDS]) == 1
    counted = table["granted"] == 1 if metric == GAPS[0] else np.ones(len(table), dtype=bool)
    shares = pd.Series(decided[counted]).groupby(table["sex"][counted].to_numpy()).mean()
    return float(shares.max() - shares.min())


def cures(seeds: Sequence[int], kind: str) -> Iterator[tuple[core.Guardrails, float]]:
    """Yield the verdict on each cure that closes over half of a gap, and the share it closes on fresh rows."""
    for seed in seeds:
        drawn = draw(seed, kind, planted=True)
        after = core.unlearn(drawn.case, drawn.turned).case
        metric = GAPS[seed % len(GAPS)]
        was, now = (gap_on(case, drawn.fresh, metric) for case in (drawn.case, after))
        if was > 0 and now < was / 2:
            yield core.guardrails(drawn.case, after, metric=metric), 1 - now / was


def levellings(seeds: Sequence[int], kind: str) -> Iterator[core.Guardrails]:
    """Yield the verdict on removals of the best-off sex's favourable labels."""
    for seed in seeds:
        for planted in (True, False):
            drawn = draw(seed, kind, planted=planted)
            rng = np.random.default_rng(seed)
            train = drawn.case.train
            envied = train["person"][(train["sex"] == "m") & (train["granted"] == 1)].to_numpy()
            share = (0.15, 0.3, 0.5, 0.7)[seed % 4]
            forget = rng.choice(envied, round(share * len(envied)), replace=False)
            yield core.guardrails(drawn.case, core.unlearn(drawn.case, forget).case, metric=GAPS[seed % len(GAPS)])


def at_random(seeds: Sequence[int], kind: str, draws: int) -> Iterator[core.Guardrails]:
    """Yield the verdict on random removals of 1%."""
    for seed in seeds:
        case = draw(seed, kind, planted=seed % 2 == 0).case
        rng = np.random.default_rng(seed)
        for _ in range(draws):
            forget = rng.choice(case.record_ids, N_TRAIN // 100, replace=False)
            yield core.guardrails(case, core.unlearn(case, forget).case, metric=GAPS[seed % len(GAPS)])


def report(title: str, verdicts: Sequence[str], wanted: str) -> None:
    """Print how many of each verdict there are."""
    counts = Counter(verdicts)
    parts = ", ".join(f"{name} {n}" for name, n in counts.most_common())
    print(f"{title:<34} {counts[wanted]:>3} of {len(verdicts)} {wanted}   ({parts})", flush=True)


def shipped() -> None:
    """Print what is said of the two sample cases whose answer is known."""
    for name, column in (("credit", "application"), ("trap", "application")):
        case = core.load_case(name)
        key = pd.read_csv(f"sample_data/{name}/answer_key.csv")[column]
        print(f"{name}: {core.guardrails(case, core.unlearn(case, key).case)!r}\n", flush=True)


def cost(rows: int, repeats: int) -> None:
    """Print what judging a preview costs, beside an audit of the same rows and a prediction of them."""
    drawn = draw(0, "logistic", planted=True)
    test = pd.concat([drawn.fresh] * (-(-rows // N_FRESH)))[:rows].assign(person=[f"t{n}" for n in range(rows)])
    case = core.prepare(core.Case(drawn.case.model, drawn.case.train, test, ROLES, confirm=False))
    scores, _ = core.predicted_scores(case, drawn.turned)
    timed = {
        "guardrails of a preview": lambda: core.guardrails(case, case, scores=scores, forget=drawn.turned),
        "compare, the usual metrics": lambda: core.compare(case, case, scores=scores),
        "audit, the usual metrics": lambda: core.audit(case),
        "predict_proba": lambda: case.model.predict_proba(case.X_test),
    }
    print(f"\n{rows:,} rows, 2 sensitive features and their intersection; median of {repeats}, CPU time in brackets")
    for name, call in timed.items():
        call()
        wall, cpu = [], []
        for _ in range(repeats):
            start, busy = time.perf_counter(), time.process_time()
            call()
            wall.append(time.perf_counter() - start)
            cpu.append(time.process_time() - busy)
        print(f"{name:<28} {np.median(wall) * 1e3:7.0f} ms ({np.median(cpu) * 1e3:.0f} ms)", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=24, help="tables per family (default: %(default)s)")
    parser.add_argument("--kinds", nargs="+", default=["logistic", "forest", "boosting"])
    parser.add_argument("--rows", type=int, default=30_000)
    parser.add_argument("--repeats", type=int, default=15)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    shipped()
    for kind in options.kinds:
        seeds = range(options.seeds)
        found = list(cures(seeds, kind))
        report(f"{kind}: cures", [side.verdict for side, _ in found], "fairer")
        report(f"{kind}: levelling down", [side.verdict for side in levellings(seeds, kind)], "fairer")
        report(f"{kind}: 1% at random", [s.verdict for s in at_random(range(10), kind, 5)], "no_clear_change")
    cost(options.rows, options.repeats)


if __name__ == "__main__":
    main()
