"""Outliers: records far from all others, by two of scikit-learn's detectors.

A local outlier factor asks how much thinner the records lie around one than around its neighbours; records are ranked by it. An isolation forest asks
how few random cuts part it from the others; among the many columns that texts become, its ranks say little, so that it only marks. Both are
fitted on distinct rows: repeated ones would look like the densest place of all.

References
----------
Liu, F. T., Ting, K. M. and Zhou, Z.-H. (2008). Isolation forest. ICDM.
Breunig, M. M., Kriegel, H.-P., Ng, R. T. and Sander, J. (2000). LOF: identifying density-based local outliers. SIGMOD.
"""

from __future__ import annotations

import warnings

import numpy as np
from scipy.stats import rankdata
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor

from core.typing import Bools, Floats, Positions

NEIGHBOURS = 20
FEWEST = 50
"""Distinct records below which nothing is called an outlier."""
MOST_ROWS = 10_000
"""Distinct records that density is measured among; of more, so many drawn at random."""


def outlyingness(X: Floats, seed: int) -> tuple[Floats, Bools]:
    """Return how far rows lie from the others: ranks of local outlier factors, 0 to 1.

    And for which both detectors, by their own cut-offs, say that it is an outlier. NaN and no row at all where there are too few.

    Parameters
    ----------
    X : ndarray, shape (n_rows, n_columns)
        Distinct rows as numbers.
    seed : int
    """
    if len(X) < FEWEST or not X.shape[1]:
        return np.full(len(X), np.nan), np.zeros(len(X), dtype=bool)
    alone = -IsolationForest(random_state=seed).fit(X).decision_function(X)
    drawn = np.sort(np.random.default_rng(seed).permutation(len(X))[:MOST_ROWS])
    thin = _thinness(X, drawn)
    return np.asarray(rankdata(thin) / len(X)), (alone > 0.0) & (thin > 0.0)


def _thinness(X: Floats, among: Positions) -> Floats:
    """Return the local outlier factor of every row, less its cut-off, among some of them."""
    inside = np.zeros(len(X), dtype=bool)
    inside[among] = True
    whole = bool(inside.all())
    found = LocalOutlierFactor(NEIGHBOURS, novelty=not whole)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Duplicate values")
        found.fit(X[inside])
    thin = np.empty(len(X))
    thin[inside] = found.offset_ - found.negative_outlier_factor_
    if not whole:
        thin[~inside] = found.offset_ - found.score_samples(X[~inside])
    return thin
