"""What does the influence of every training record on a gap cost, counted in Newton iterations of the fit?

One Newton iteration is measured as scikit-learn's newton-cholesky spends it: the time of a fit over its number of iterations, on
the preprocessed rows, and beside it one gradient, Hessian and solve written in plain numpy.
"""

from __future__ import annotations

import argparse
import warnings
from typing import Any

import numpy as np
from bench_glm_removal import COLUMNS, D, make_case, timed
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

import core

GAP = "equal_opportunity_difference"


def plain_iteration(X: np.ndarray, y: np.ndarray, w: np.ndarray) -> np.ndarray:
    p = 1.0 / (1.0 + np.exp(-(X @ w)))
    hessian = (X * (p * (1.0 - p))[:, None]).T @ X + np.eye(X.shape[1])
    return np.linalg.solve(hessian, X.T @ (p - y) + w)


def median(call: Any, repeats: int) -> float:
    return float(np.median([timed(call)[0] for _ in range(repeats)]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=[40_000, 400_000], help="numbers of training rows")
    parser.add_argument("--repeats", type=int, default=9)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    for n in options.sizes:
        case = core.prepare(make_case(n, 0))
        core.influence(case, GAP)
        X = StandardScaler().fit_transform(case.train[COLUMNS])
        y = case.y_train.astype(float)
        fit = LogisticRegression(solver="newton-cholesky", tol=1e-10).fit(X, y)
        solver = (
            median(lambda X=X, y=y: LogisticRegression(solver="newton-cholesky", tol=1e-10).fit(X, y), options.repeats)
            / fit.n_iter_[0]
        )
        plain = median(lambda X=X, y=y: plain_iteration(X, y, np.zeros(D)), options.repeats)
        ours = median(lambda case=case: core.influence(case, GAP), options.repeats)
        print(
            f"n = {n:,}, d = {D}: all influences {1e3 * ours:.1f} ms; one Newton iteration {1e3 * solver:.1f} ms in scikit-learn "
            f"({fit.n_iter_[0]} iterations), {1e3 * plain:.1f} ms in numpy; ratio {ours / solver:.2f} and {ours / plain:.2f} (aim: at most 3)"
        )


if __name__ == "__main__":
    main()
