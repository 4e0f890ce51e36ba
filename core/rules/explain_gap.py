"""Which describable groups of training records cause a gap: rules, searched, scored, confirmed and tested.

References
----------
Pradhan, R., Zhu, J., Glavic, B. and Salimi, B. (2022). Interpretable data-based explanations for fairness debugging. SIGMOD.
Surve, T. and Pradhan, R. (2025). Explaining fairness violations using machine unlearning. EDBT.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from core.actions.influence import not_at_random, not_on_confirm
from core.case.arguments import check_number
from core.case.case import Case
from core.errors import InputError, InputTypeError
from core.metrics.catalog import metric_of
from core.rules.binning import bin_columns
from core.rules.explaining import Explaining, StoppedError
from core.rules.explanation import Explanation
from core.typing import Progress

LEAST = 0.05
"""Share of the gap that removing a rule's records has to close for it to be shown."""
QUANTILES = 5
"""Bins of a numeric column without edges of its own."""


def explain_gap(
    case: Case,
    metric: str = "equal_opportunity_difference",
    sensitive_feature: str | Sequence[str] | None = None,
    max_predicates: int = 3,
    min_support: float = 0.005,
    max_support: float = 0.2,
    top_k: int = 5,
    *,
    on: str = "explore",
    columns: Iterable[str] | None = None,
    bins: int | Mapping[str, Sequence[float]] = QUANTILES,
    q: float = 0.05,
    min_responsibility: float = LEAST,
    seconds: float = 60.0,
    seed: int = 0,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Explanation:
    """Find rules on the raw columns whose records cause a gap, and confirm each by really removing them.

    Costs one pass over the retained records per column for every rule that is made longer, then one predicted group effect
    for each of up to 170 rules (at 3 conditions), and one removal for each rule returned. In forests the 50 best rules are also
    removed from some of the trees.

    Parameters
    ----------
    case : Case
    metric : str
        A metric of the catalog that compares groups.
    sensitive_feature : str or tuple of str, optional
        Whose groups are compared; None is the first, a tuple an intersection.
    max_predicates : int
        Most conditions of a rule.
    min_support, max_support : float
        Fewest and most of the retained records that a rule may describe, as shares.
    top_k : int
        How many rules to confirm.
    on : {"explore", "test"}
        Rows the gap is taken on; half of them choose rules, the other half test them. "confirm" is refused.
    columns : iterable of str, optional
        Columns rules may name. None: every column of the training table that is not the target, an id, the weight or excluded.
    bins : int or mapping of str to sequence of float
        Quantile bins of numeric columns, or inner edges by column (others then get 5). Edges in the roles are kept.
    q : float
        False discovery rate over all rules tried.
    min_responsibility : float
        Rules are shown whose real removal closes at least this share of the gap; how many fell short is in `n_left_out`. A share and
        not an interval that excludes 0: with few test rows that would hide rules that do much, with many show rules that do nothing.
    seconds : float
        For models without influence: how long rules may be confirmed by refitting. At least one is. For forests: two thirds may go
        into removing the 50 best-scored rules' records from trees, to predict better. Other models take no notice of it.
    seed : int
        Of the division into halves and of intervals.
    progress : callable, optional
        Called with the share done and what is being done; may raise to give up everything.
    cancelled : callable, optional
        Asked now and then; once it returns True the search ends with what it has, `complete` False. Rules that are scored by then
        are in `candidates`, and the best is still confirmed unless that takes refitting.

    Returns
    -------
    Explanation
        A sequence of up to `top_k` `Subset`, by verified effect. Each narrows the gap, by `min_responsibility` of it or more.

    Raises
    ------
    InputError
        If there is no gap, it is undefined, no rule meets the support bounds, or `on` is "confirm".

    Notes
    -----
    The search keeps the 5,000 rules of largest summed influence and misses none, unless a note says that it was limited. Of rules that
    describe much the same records one is kept; a logistic regression's are told apart by their records' labels. See docs/METHODS.md.

    Examples
    --------
    >>> import core, numpy as np, pandas as pd
    >>> from sklearn.linear_model import LogisticRegression
    >>> draw = np.random.default_rng(0)
    >>> table = pd.DataFrame({"income": draw.normal(size=4000), "sex": draw.integers(0, 2, 4000), "branch": draw.integers(0, 5, 4000)})
    >>> table["granted"] = (table.income + draw.logistic(size=4000) / 3 > 0).astype(int)
    >>> train = table[:2000].copy()
    >>> train.loc[(train.branch == 3) & (train.sex == 0), "granted"] = 0
    >>> model = LogisticRegression().fit(train[["income", "sex"]], train.granted)
    >>> case = core.Case(model, train, table[2000:], core.Roles("granted", 1, 1, ["sex"]))
    >>> core.explain_gap(case, max_predicates=2, top_k=1)[0].rule
    'sex = 0 and branch = 3'
    """
    not_on_confirm(on)
    not_at_random(case)
    feature = case.sensitive_feature(sensitive_feature)
    _check_arguments(metric, max_predicates, (min_support, max_support), top_k, q)
    _check_confirming(seconds, min_responsibility)
    n = case.n_retained
    counts = max(1, int(np.ceil(min_support * n - 1e-9))), int(max_support * n + 1e-9)
    if isinstance(columns, str):
        raise InputTypeError(f"Columns must be given as a list. Got the string {columns!r}; write [{columns!r}].")
    if isinstance(bins, bool) or not isinstance(bins, int | Mapping):
        raise InputTypeError(f"`bins` must be a number of bins, or map columns to edges. Got {bins!r}; 5 is usual.")
    n_bins, edges = (bins, None) if isinstance(bins, int) else (QUANTILES, bins)
    work = Explaining(case, metric, feature, on, q, min_responsibility, seed, progress, cancelled)
    try:
        work.trace()
        work.search(bin_columns(case, n_bins, counts[0], edges, columns), counts, max_predicates)
        work.score()
        work.look(seconds)
        work.confirm(top_k, seconds)
    except StoppedError:
        work.stop()
    return work.explanation()


def _check_arguments(metric: str, max_predicates: int, support: tuple[float, float], top_k: int, q: float) -> None:
    if not metric_of(metric).compares_groups:
        raise InputError(f"A metric to explain must compare groups, as a difference or ratio does. Got {metric!r}.")
    for name, value in (("max_predicates", max_predicates), ("top_k", top_k)):
        if not isinstance(value, (int, np.integer)) or isinstance(value, bool):
            raise InputTypeError(f"`{name}` must be a whole number. Got {value!r}.")
    for name, share in (("min_support", support[0]), ("max_support", support[1]), ("q", q)):
        check_number(name, share)
    if not 1 <= max_predicates <= 5:
        raise InputError(f"Rules can have 1 to 5 conditions. Got max_predicates={max_predicates}.")
    if not 0.0 < support[0] <= support[1] < 1.0:
        raise InputError(
            f"Support bounds must be shares with 0 < min_support <= max_support < 1. Got {support[0]} and {support[1]}."
        )
    if top_k < 1 or not 0.0 < q < 1.0:
        raise InputError(f"top_k must be at least 1 and q lie strictly between 0 and 1. Got {top_k} and {q}.")


def _check_confirming(seconds: float, min_responsibility: float) -> None:
    check_number("seconds", seconds)
    check_number("min_responsibility", min_responsibility)
    if not seconds > 0.0:
        raise InputError(f"The time must be more than 0 seconds. Got seconds={seconds!r}; 60 is usual.")
    if not 0.0 <= min_responsibility < 1.0:
        raise InputError(
            f"`min_responsibility` must be a share of the gap from 0 to below 1. Got {min_responsibility!r}; {LEAST} is usual."
        )
