"""What does the main path show on UCI Adult, and does it agree with fairlearn and with refits?

Takes the table as a Parquet file with a `split` column (train, test). Prints provenance for a converged, a default and a swapped
training table; the largest difference to fairlearn; the removal of the 1% most harmful records to equal opportunity between the
sexes against random removals; the certified model against training again; influence against leave-one-out.
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import sklearn.metrics as skm
from fairlearn import metrics as flm
from scipy.stats import spearmanr
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import core
from core.attribution.smooth import SmoothMetric, predictors
from core.unlearning.linear.objective import coefficients
from core.unlearning.refit import fit_again

GAP = "equal_opportunity_difference"
TIGHT = {"solver": "newton-cholesky", "tol": 1e-12}
QUICK: dict[str, Any] = {"metric": [GAP], "sensitive_feature": ["sex"], "n_resamples": 10}
FAIRLEARN = {
    "selection_rate": flm.selection_rate,
    "true_positive_rate": flm.true_positive_rate,
    "false_positive_rate": flm.false_positive_rate,
    "accuracy": skm.accuracy_score,
    "precision": skm.precision_score,
    "balanced_accuracy": skm.balanced_accuracy_score,
}


def fit(table: pd.DataFrame, **options: Any) -> Any:
    features = [name for name in table.columns if name != "income"]
    numbers = [name for name in features if pd.api.types.is_numeric_dtype(table[name])]
    words = [name for name in features if name not in numbers]
    columns = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), numbers),
        (make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")), words),
    )
    return make_pipeline(columns, LogisticRegression(**options)).fit(table[features], table["income"])


def show_provenance(case: core.Case, default: core.Case) -> None:
    print("\nprovenance")
    print(f"  newton-cholesky, tol=1e-12: {core.check_provenance(case)}")
    print(f"  default lbfgs:              {core.check_provenance(default)}")
    print(f"  default lbfgs, converged:   {core.check_provenance(core.converge(default).case)}")
    draw = np.random.default_rng(0)
    swapped = case.train.copy()
    rows, others = draw.choice(len(swapped), 20, replace=False), draw.choice(len(swapped), 20, replace=False)
    swapped.iloc[rows] = case.train.iloc[others].to_numpy()
    swapped = swapped.astype(case.train.dtypes)
    print(
        f"  20 rows swapped:            {core.check_provenance(core.Case(case.model, swapped, case.test, case.roles))}"
    )


def show_fairlearn(case: core.Case) -> None:
    report = core.audit(case, metric=list(FAIRLEARN), on="test", n_resamples=50)
    label, decision = case.favorable(case.y("test")).astype(int), case.favorable(case.decisions("test")).astype(int)
    worst, undefined = 0.0, []
    for feature in case.roles.sensitive_features:
        frame = flm.MetricFrame(
            metrics=FAIRLEARN,
            y_true=label,
            y_pred=decision,
            sensitive_features=case.test[feature].fillna("(missing)").to_numpy(),
        )
        ours = report.by_group.loc[feature]
        for metric in FAIRLEARN:
            difference = (ours[metric].astype(float) - frame.by_group[metric].reindex(ours.index).astype(float)).abs()
            undefined += [f"{metric} of {group}" for group in difference.index[ours[metric].isna()]]
            worst = max(worst, float(difference.max()))
    print(
        f"\nfairlearn: largest difference of {len(FAIRLEARN)} rates by sex and race {worst:.1e}; undefined here: {undefined or 'none'}"
    )


def show_removal(case: core.Case, draws: int) -> None:
    k = round(0.01 * case.n_retained)
    start = time.perf_counter()
    worst = core.harmful(core.influence(case, GAP))[:k]
    found = time.perf_counter() - start
    predicted = core.preview(case, worst, metric=[GAP], sensitive_feature=["sex"])["change"].iloc[0]
    result = core.unlearn(case, worst)
    shift = core.compare(case, result.case, metric=[GAP, "accuracy"], sensitive_feature=["sex"])
    draw = np.random.default_rng(0)
    random = [
        core.compare(case, core.unlearn(case, draw.choice(case.record_ids, k, replace=False)).case, **QUICK)[
            "change"
        ].iloc[0]
        for _ in range(draws)
    ]
    print(
        f"\nremoving the {k} most harmful records (found in {1e3 * found:.0f} ms, removed in {1e3 * result.seconds:.0f} ms)"
    )
    print(shift[["before", "after", "change", "low", "high", "p_value"]].round(4).to_string())
    print(
        f"  predicted change {predicted:.4f}; random removals fall by at most {-min(random):.4f}, 95th percentile {-np.quantile(random, 0.05):.4f}"
    )
    again, _ = fit_again(case, result.case.retained)
    relative = np.linalg.norm(coefficients(result.case.model) - coefficients(again)) / np.linalg.norm(
        coefficients(again)
    )
    print(
        f"  relative distance to clone(pipeline).fit(retained): {relative:.1e}, certified to the optimum: {result.relative_bound:.1e}"
    )


def show_influence(case: core.Case, records: int, groups: int) -> None:
    draw = np.random.default_rng(1)
    effects = core.influence(case, GAP)
    smooth = SmoothMetric.of(case, GAP, "sex", "explore")
    base, table = smooth.value(predictors(case.scores("explore"))), case.X_test.iloc[case.rows("explore")]
    true = []
    positions = draw.choice(len(effects), records, replace=False)
    for position in positions:
        model, _ = fit_again(case, np.arange(len(effects)) != position)
        true.append(smooth.value(predictors(model.predict_proba(table)[:, case.pos_column])) - base)
    print(
        f"\ninfluence: Spearman with {records} leave-one-out refits {spearmanr(effects.iloc[positions], true)[0]:.4f} (smooth metric)"
    )
    pairs = []
    for _ in range(groups):
        cell = (case.groups("sex", "train").codes == draw.integers(2)) & (case.y_train == draw.integers(2))
        ids = draw.choice(case.record_ids[cell], draw.integers(len(effects) // 200, len(effects) // 100), replace=False)
        pairs.append(
            [
                core.preview(case, ids, **QUICK)["change"].iloc[0],
                core.compare(case, core.unlearn(case, ids).case, **QUICK)["change"].iloc[0],
            ]
        )
    print(f"  correlation over {groups} groups of 0.5 to 1% (real metric) {np.corrcoef(np.array(pairs).T)[0, 1]:.4f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="adult.parquet")
    parser.add_argument("--draws", type=int, default=100, help="random removals")
    parser.add_argument("--records", type=int, default=200, help="leave-one-out refits")
    parser.add_argument("--groups", type=int, default=100, help="random groups")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    table = pd.read_parquet(options.data)
    train, test = (
        table[table["split"] == name].drop(columns="split").reset_index(drop=True) for name in ("train", "test")
    )
    roles = core.Roles("income", ">50K", ">50K", ["sex", "race"])
    case = core.prepare(core.Case(fit(train, **TIGHT), train, test, roles))
    show_provenance(case, core.Case(fit(train), train, test, roles))
    show_fairlearn(case)
    show_removal(case, options.draws)
    show_influence(case, options.records, options.groups)


if __name__ == "__main__":
    main()
