"""How long does explaining a gap by rules take, how near are predicted effects to real ones, and what would refitting every rule cost?

Rules of up to 3 conditions, 5 of them measured, on UCI German credit and Adult. Refitting every rule that was tried is read off the median
of a sample of refits. Predicted effects of the 50 best-scored rules are set beside real removals.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import core
from core.metrics.compare import compare

METRICS = ("equal_opportunity_difference", "demographic_parity_difference")
GERMAN_TARGET, ADULT_TARGET = ("credit_risk", "good"), ("income", ">50K")


def make_case(path: Path, target: str, positive: str, feature: str, family: str, trees: int, seed: int) -> core.Case:
    table = pd.read_parquet(path)
    table[target] = (table[target].astype(str).str.strip() == positive).astype(int)
    test = np.random.default_rng(seed).random(len(table)) < 0.4
    if "split" in table:
        test = table.pop("split").ne("train").to_numpy()
    numbers = [name for name in table if name != target and pd.api.types.is_numeric_dtype(table[name])]
    words = [name for name in table if name not in numbers and name != target]
    train, test_table = table[~test].reset_index(drop=True), table[test].reset_index(drop=True)
    logistic = family == "logistic"
    scaled = make_pipeline(SimpleImputer(), StandardScaler()) if logistic else "passthrough"
    encoded = make_pipeline(SimpleImputer(strategy="constant", fill_value="?"), OneHotEncoder(handle_unknown="ignore"))
    last = LogisticRegression(solver="newton-cholesky", tol=1e-10)
    forest = RandomForestClassifier(trees, min_samples_leaf=5, random_state=seed)
    columns = make_column_transformer((scaled, numbers), (encoded, words), sparse_threshold=0.0)
    model = make_pipeline(columns, last if logistic else forest).fit(train[numbers + words], train[target])
    return core.Case(model, train, test_table, core.Roles(target, 1, 1, [feature]))


def refit_seconds(case: core.Case, found: core.Explanation, sample: int) -> float:
    some = found.candidates["conditions"].iloc[np.linspace(0, len(found.candidates) - 1, sample).astype(int)]
    return float(np.median([core.unlearn(case, ids_of(case, one), method="refit").seconds for one in some]))


def ids_of(case: core.Case, conditions: tuple[object, ...]) -> pd.Index:
    return case.record_ids[np.logical_and.reduce([one.holds(case.train) for one in conditions])]


def agreement(case: core.Case, found: core.Explanation, metric: str, most: int) -> tuple[float, int]:
    some = found.candidates.dropna(subset="predicted").head(most)
    real = []
    for conditions in some["conditions"]:
        after = core.unlearn(case, ids_of(case, conditions)).case
        shift = compare(
            case, after, on="explore", metric=metric, sensitive_feature=[found.sensitive_feature], n_resamples=10
        ).iloc[0]
        real.append(shift["after"] - shift["before"])
    return float(np.corrcoef(some["predicted"], real)[0, 1]), len(some)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="with german_credit.parquet and adult.parquet")
    parser.add_argument("--data", nargs="*", default=["german", "adult"], choices=("german", "adult"))
    parser.add_argument("--family", default="logistic", choices=("logistic", "forest"))
    parser.add_argument("--metrics", nargs="*", default=list(METRICS))
    parser.add_argument("--feature", default=None, help="default: age for German credit, sex for Adult")
    parser.add_argument("--trees", type=int, default=100)
    parser.add_argument("--refits", type=int, default=5)
    parser.add_argument("--agreement", type=int, default=50, metavar="N", help="rules to compare with real removals")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    for name in options.data:
        file, (target, positive) = ("german_credit", GERMAN_TARGET) if name == "german" else ("adult", ADULT_TARGET)
        feature = options.feature or ("age" if name == "german" else "sex")
        path = options.folder / f"{file}.parquet"
        case = make_case(path, target, positive, feature, options.family, options.trees, options.seed)
        start = time.perf_counter()
        case = core.prepare(case)
        print(
            f"\n{name}, {options.family}: {case.n_retained:,} training rows; prepared in {time.perf_counter() - start:.2f} s"
        )
        core.explain_gap(case, options.metrics[0], max_predicates=1, top_k=1)
        for metric in options.metrics:
            start = time.perf_counter()
            found = core.explain_gap(case, metric)
            seconds = time.perf_counter() - start
            start = time.perf_counter()
            known = core.expected_gains(found)
            again = time.perf_counter() - start
            each = refit_seconds(case, found, options.refits)
            print(
                f"{metric} of {feature}: {found.gap:.4f} (p = {found.gap_p_value:.4f}); {seconds:.2f} s for {found.n_tried:,} rules and "
                f"{len(found)} measured, {again:.2f} s for what to expect; a refit takes {each:.2f} s, refitting every rule "
                f"{each * found.n_tried / seconds:,.0f} times as long"
            )
            if options.agreement:
                r, n = agreement(case, found, metric, options.agreement)
                expected = "" if np.isnan(found.agreement) else f", {found.agreement:.3f} expected"
                print(f"predicted and real effect of the {n} best-scored rules: correlation {r:.3f}{expected}")
            print(*known.notes, sep="\n")
            for one in known:
                assert one.responsibility > 0.0
                print(
                    f"| `{one.rule}` | {one.support:.1%} | {one.predicted:+.4f} | {one.verified:+.4f} [{one.low:+.3f}, {one.high:+.3f}] | "
                    f"{one.responsibility:.0%} | {one.expected_gain:+.4f} [{one.expected_low:+.3f}, {one.expected_high:+.3f}] | "
                    f"{'yes' if one.helps else 'no'} |"
                )


if __name__ == "__main__":
    main()
