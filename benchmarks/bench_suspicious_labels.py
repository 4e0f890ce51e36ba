"""How many of the labels ranked most suspicious were really flipped, against plainer rankings and the cost of fits?

5% of the labels of a table without other label noise (make_classification, 40 columns, 15 informative, flip_y 0) are flipped. Average
precision of each ranking; the plain ones are the model's own loss, out-of-fold loss (whose order is that of self-confidence in
confident learning), self-confidence less the mean of its class, and self-influence.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import average_precision_score

import core

D = 40
COLUMNS = [f"x{number}" for number in range(D)]


def make_case(rows: int, share: float, class_sep: float, seed: int) -> tuple[core.Case, np.ndarray]:
    X, y = make_classification(rows, D, n_informative=15, flip_y=0.0, class_sep=class_sep, random_state=seed)
    draw = np.random.default_rng(seed)
    flipped = np.zeros(rows, dtype=bool)
    flipped[draw.choice(rows, round(share * rows), replace=False)] = True
    table = pd.DataFrame(X, columns=COLUMNS).assign(y=np.where(flipped, 1 - y, y), group=draw.choice(["a", "b"], rows))
    model = HistGradientBoostingClassifier(random_state=0, early_stopping=False).fit(table[COLUMNS], table["y"])
    return core.Case(model, table, table[: rows // 10], core.Roles("y", 1, 1, ["group"], features=COLUMNS)), flipped


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=40_000)
    parser.add_argument("--share", type=float, default=0.05, help="share of labels flipped (default: %(default)s)")
    parser.add_argument(
        "--class-sep", type=float, default=1.0, help="how far the classes are apart (default: %(default)s)"
    )
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    case, flipped = make_case(options.rows, options.share, options.class_sep, options.seed)
    core.suspicious_labels(make_case(500, options.share, options.class_sep, 0)[0], n_folds=2)  # compiles the kernels
    start = time.perf_counter()
    clone(case.model).fit(case.X_train, case.train_labels)
    fit = time.perf_counter() - start
    start = time.perf_counter()
    ranked = core.suspicious_labels(case, n_folds=options.folds).sort_index()
    seconds = time.perf_counter() - start
    p = case.model.predict_proba(case.X_train)[np.arange(options.rows), case.train_codes]
    own = ranked["probability"].to_numpy()
    means = np.array([own[case.train_codes == code].mean() for code in (0, 1)])
    rankings = {
        "the model's own loss": -p,
        "out-of-fold loss (self-confidence)": ranked["loss"],
        "self-confidence less its class's mean": means[case.train_codes] - own,
        "self-influence": ranked["self_influence"],
        "suspicion (both ranks)": ranked["suspicion"],
    }
    right = float(np.mean((own > 0.5) == ~flipped))
    print(
        f"n = {options.rows:,}, d = {D}, {options.share:.0%} flipped, class_sep {options.class_sep:g}: {seconds / fit:.1f} times one fit "
        f"({fit:.1f} s), {options.folds} folds; out-of-fold models give the true label to {right:.1%}"
    )
    for name, ranking in rankings.items():
        found = np.argsort(-np.asarray(ranking), kind="stable")[: flipped.sum()]
        print(
            f"  {name:<40} average precision {average_precision_score(flipped, ranking):.3f}, "
            f"{flipped[found].mean():.1%} of the first {flipped.sum():,} flipped"
        )


if __name__ == "__main__":
    main()
