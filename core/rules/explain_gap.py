"""Which describable groups of training records cause a gap.

Rules are searched, scored and measured; then comes what to expect of them.

References
----------
Pradhan, R., Zhu, J., Glavic, B. and Salimi, B. (2022). Interpretable data-based explanations for fairness debugging. SIGMOD.
Surve, T. and Pradhan, R. (2025). Explaining fairness violations using machine unlearning. EDBT.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

import pandas as pd

from core.actions.influence import not_at_random, not_on_confirm
from core.case.case import Case, check_case
from core.former import formerly
from core.metrics.catalog import metric_of
from core.rules.asked import LEAST, QUANTILES, Asked, StoppedError, check_metric, reporting
from core.rules.conditions import rule_text
from core.rules.expecting import Stages, expected_gains
from core.rules.explanation import Explanation
from core.rules.gap import Gap, gap_to_explain
from core.rules.measuring import Removals, measure_rules, notes_on, removal_method
from core.rules.models import Models, Traced, trace_gap
from core.rules.rule import Rule
from core.rules.scoring import Scored, look_closely, score_rules
from core.rules.search import Searched, search_rules
from core.typing import Progress, part_of

COLUMNS = ("rule", "n_records", "support", "summed", "predicted", "conditions")


@formerly("sensitive_feature", "max_predicates", "min_support", "max_support", "top_k")
def explain_gap(
    case: Case,
    metric: str = "equal_opportunity_difference",
    *,
    sensitive_feature: str | Sequence[str] | None = None,
    max_predicates: int = 3,
    min_support: float = 0.005,
    max_support: float = 0.2,
    top_k: int = 5,
    on: str = "explore",
    where: str | None = None,
    columns: Iterable[str] | None = None,
    bins: int | Mapping[str, Sequence[float]] = QUANTILES,
    q: float | None = None,
    min_responsibility: float = LEAST,
    seconds: float = 60.0,
    seed: int = 0,
    expected: bool = False,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Explanation:
    """Find rules on the raw columns whose records cause a gap, and measure each.

    Measured by really removing its records.

    Costs one predicted group effect for each of up to 2,000 rules of one and two conditions (fewer on tables of over 10,000 records, the
    most promising), for some 200 longer ones, and one removal for each rule returned. In forests the 50 best rules are also removed
    from some of the trees.

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
        How many rules to measure.
    on : {"explore", "test"}
        Rows the gap is taken on. "confirm" is refused.
    where : str, optional
        A condition on these rows, as "month >= '2025-07' and region = 'north'"; only those it holds for are looked at. As for `Case.only`.
    columns : iterable of str, optional
        Columns rules may name. None: every column of the training table that is not the target, an id, the weight or excluded.
    bins : int or mapping of str to sequence of float
        Quantile bins of numeric columns, or inner edges by column (others then get 5). Edges in the roles are kept.
    q : float, optional
        Deprecated and without effect: `expected` tells rules that help from chance.
    min_responsibility : float
        Rules are shown whose real removal closes at least this share of the gap; how many fell short is in `n_left_out`.
    seconds : float
        For models without influence: how long rules may be measured by refitting. At least one is. For forests: two thirds may go
        into removing the 50 best-scored rules' records from trees, to predict better. Other models take no notice of it.
    seed : int
        Of intervals, and of the division into halves where `expected`.
    expected : bool
        Whether to find out at once what to expect on rows that were not searched, as `core.expected_gains` does later: ten more searches.
    progress : callable, optional
        Called with the share done and what is being done; may raise to give up everything.
    cancelled : callable, optional
        Asked now and then; once it returns True the search ends with what it has, `complete` False. Rules that are scored by then
        are in `candidates`, and the best is still measured unless that takes refitting.

    Returns
    -------
    Explanation
        A sequence of up to `top_k` `Subset`, one for every cause, by what they really close for the root of their number (`worth`).
        Each narrows the gap, by `min_responsibility` of it or more, on the rows searched: whether it would on others is in
        `expected`, `helps` and `this_group` once that was asked for.

    Raises
    ------
    InputError
        If there is no gap, it is undefined, no rule meets the support bounds, or `on` is "confirm".

    Notes
    -----
    Rules of three conditions and more are grown from the 20 best of two. Of rules that describe much the same records one is kept; a
    logistic regression's are told apart by their records' labels. See docs/METHODS.md.

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
    check_case(case)
    not_on_confirm(on)
    case = case.only(where)
    not_at_random(case)
    feature = case.sensitive_feature(sensitive_feature)
    check_metric(metric)
    asked = Asked(max_predicates, min_support, max_support, top_k, columns, bins, min_responsibility, seconds, seed)
    if q is not None:
        warnings.warn(
            "`q` has no effect: `expected=True`, or core.expected_gains, tells rules that help from chance.",
            DeprecationWarning,
            stacklevel=3,
        )
    gap = gap_to_explain(case, metric, feature, on, seed=seed)
    own = part_of(progress, 0.0, 0.5) if expected else progress
    found = _explained(case, gap, asked, reporting(own, cancelled))
    if expected and found.complete:
        with suppress(StoppedError):
            return expected_gains(found, progress=reporting(part_of(progress, 0.5, 1.0), cancelled))
    return found


def _explained(case: Case, gap: Gap, asked: Asked, report: Progress) -> Explanation:
    traced = trace_gap(case, gap, report)
    if traced is None:
        return _explanation(case, gap, asked)
    searched = search_rules(gap, traced, asked, report)
    if not searched.complete:
        return _explanation(case, gap, asked, traced, searched)
    scored = look_closely(gap, score_rules(traced, searched), asked.seconds, report)
    removals, complete = Removals(complete=False), scored.complete
    if complete:
        removals = measure_rules(gap, scored.models, scored.rules, asked, asked.top_k, report)
        complete = removals.complete
        with suppress(StoppedError):
            report(1.0, "Done")
    if not complete and not removals.n_tries and _quick(scored.models):
        removals = measure_rules(gap, scored.models, scored.rules, asked, 1, lambda *_: None)
    return _explanation(case, gap, asked, traced, searched, scored, removals, complete=complete)


def _quick(models: Models) -> bool:
    """Return whether the best rule is measured though the user has stopped the search."""
    return not models.by_refit and removal_method(models.case) != "refit"


def _explanation(
    case: Case,
    gap: Gap,
    asked: Asked,
    traced: Traced | None = None,
    searched: Searched | None = None,
    scored: Scored | None = None,
    removals: Removals | None = None,
    *,
    complete: bool = False,
) -> Explanation:
    """Return the explanation by the stages that were reached; the others are None."""
    removals = removals or Removals(complete=False)
    n_tried = searched.n_tried if searched else 0
    notes = [*gap.notes]
    for stage in (traced, searched, scored, removals):
        notes += stage.notes if stage else ()
    if not complete:
        notes.append("The search was stopped; what was found by then is here.")
    if removals.complete:
        notes += notes_on(removals, case, asked, n_tried, complete=complete)
    return Explanation(
        subsets=tuple(sorted(removals.subsets, key=lambda one: (one.levels_down, -one.worth))),
        metric=gap.metric,
        sensitive_feature=gap.feature,
        on=gap.on,
        gap=gap.value,
        tested=gap.tested,
        n_tried=n_tried,
        n_left_out=removals.n_left_out,
        min_responsibility=asked.min_responsibility,
        candidates=_candidates(gap, _in_order(searched, scored), case.n_retained),
        agreement=scored.agreement if scored else float("nan"),
        complete=complete,
        notes=tuple(notes),
        n_rows=len(case.rows(gap.on)),
        where=case.where,
        work=Stages(gap, traced, replace(searched, effects=searched.effects.kept())) if traced and searched else None,
    )


def _in_order(searched: Searched | None, scored: Scored | None) -> list[Rule]:
    """Return rules about different records before all others."""
    first = list(scored.rules) if scored else []
    texts = {rule_text(one.conditions) for one in first}
    return first + [one for one in (searched.rules if searched else ()) if rule_text(one.conditions) not in texts]


def _candidates(gap: Gap, rules: Sequence[Rule], n_retained: int) -> pd.DataFrame:
    sign = -1.0 if metric_of(gap.metric).better == "lower" else 1.0
    rows = [
        (
            rule_text(one.conditions),
            len(one.rows),
            len(one.rows) / n_retained,
            sign * one.gain,
            one.predicted,
            one.conditions,
        )
        for one in rules
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))
