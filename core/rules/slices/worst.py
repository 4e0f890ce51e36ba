"""The slices of the test rows in which a model does worst."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from core.actions.influence import not_on_confirm
from core.case.case import Case, check_case
from core.errors import InputError, NotSupportedError
from core.former import formerly
from core.metrics.audit import sample_of
from core.metrics.catalog import Metric, metric_of
from core.metrics.rates import RATES, terms_of
from core.metrics.samples import Sample, occupied
from core.rules.asked import Asked
from core.rules.slices.counting import count_slices
from core.rules.slices.outcomes import GapOutcomes, Outcomes, ShareOutcomes
from core.rules.slices.result import WorstSlices
from core.rules.slices.search import SliceSearch
from core.typing import Feature, Positions, Progress
from core.words import where_said


@formerly()
def worst_slices(
    case: Case,
    metric: str = "zero_one_loss",
    *,
    sensitive_feature: str | Sequence[str] | None = None,
    on: str = "explore",
    where: str | None = None,
    max_predicates: int = 3,
    min_support: float = 0.01,
    top_k: int = 10,
    columns: Iterable[str] | None = None,
    bins: int | Mapping[str, Sequence[float]] = 5,
    progress: Progress | None = None,
) -> WorstSlices:
    """Find the slices of the test rows in which an error, a rate or a gap is worst.

    Every slice of up to three conditions with enough rows is tried, and all are corrected for. O(n_conditions^3 n_rows / 64): seconds for 20
    columns and 20,000 rows.

    Parameters
    ----------
    case : Case
    metric : str
        A share of rows, as "zero_one_loss", "true_positive_rate" or "precision", or a difference of one between groups.
    sensitive_feature : str or tuple of str, optional
        Whose gap, where the metric is one; None is the first. Its columns make no conditions then.
    on : {"explore", "test"}
        The rows searched; "confirm" is refused. What is found can be asked of the rows kept aside once, by `where=`.
    where : str, optional
        A condition on these rows; slices are of those it holds for.
    max_predicates : int
        Most conditions of a slice, 1 to 3.
    min_support : float
        Smallest share of the rows that a slice may have, and at least 20 rows.
    top_k : int
        How many to list.
    columns : iterable of str, optional
        Columns of the test table to make conditions of; None is every one that is not an id, the target or the weight.
    bins : int or mapping of str to sequence of float
        Quantile bins of a numeric column; or its inner edges, by column.
    progress : callable, optional
        Called with the share done and what is being done; may raise to cancel.

    Returns
    -------
    WorstSlices
        One slice for every cause, each with the text that `where=` takes; `tree` parts all rows by one column after another.

    Raises
    ------
    InputError
        If `on` is "confirm", the metric is neither of these or has no better end, or no slice has enough rows.
    NotSupportedError
        If decisions are drawn at random.

    Notes
    -----
    Shares are tested by Fisher's exact test, one-sided, of the slice against the other rows. See docs/METHODS.md for gaps, and for the
    correction: Benjamini and Hochberg's over every slice tried.

    Examples
    --------
    >>> import core
    >>> case = core.load_case("trap")
    >>> found = worst_slices(case, "zero_one_loss", max_predicates=2, top_k=1)
    >>> found[0].n == core.audit(case, "zero_one_loss", on="explore", where=found[0].where).n
    True
    """
    check_case(case)
    not_on_confirm(on)
    asked = Asked(max_predicates, min_support, 1.0 - 1e-9, top_k, columns, bins, 0.0, 1.0, 0)
    if max_predicates > 3:
        raise InputError(f"Slices can have 1 to 3 conditions. Got max_predicates={max_predicates}.")
    report = progress or (lambda _share, _doing: None)
    case = case.only(where)
    found, feature = metric_of(metric), None
    if found.compares_groups:
        feature = case.sensitive_feature(sensitive_feature)
    rows, outcomes, names = _searched(case, found, feature, on)
    search = SliceSearch(case, found, asked, rows, outcomes, names, feature)
    slices, notes = count_slices(search.binned, outcomes.masks, search.fewest, max_predicates, report)
    if not len(slices):
        raise InputError(
            f"Some slice must have at least {search.fewest:,} of the {len(rows):,} rows. None has; ask for a smaller share, or give other columns."
        )
    report(1.0, "Judging slices")
    return search.result(slices, on, (*search.notes, *notes))


def _searched(
    case: Case, metric: Metric, feature: Feature | None, on: str
) -> tuple[Positions, Outcomes, tuple[str, ...]]:
    """Return the test rows that the metric is of, their outcomes, and the names of groups."""
    if case.randomised:
        raise NotSupportedError("Slices need decisions that are certain. A ThresholdOptimizer draws its own at random.")
    rate = metric.rate
    known = rate in RATES and RATES[rate].proportion and len(metric.rates) == 1
    if not known or metric.kind not in ("rate", "detection", "difference") or metric.better == "neither":
        raise InputError(
            f"A metric to search slices by must be a share of rows that is better high or low, or a difference of one between groups. "
            f"Got {metric.name!r}; zero_one_loss, true_positive_rate and equal_opportunity_difference are such."
        )
    sample: Sample = sample_of(case, on)
    ((top, bottom),) = terms_of(rate, pos_is_favorable=sample.pos_is_favorable)
    cell = sample.label.astype(np.intp) * 2 + np.asarray(sample.decision).astype(np.intp)
    of = np.flatnonzero(bottom.ravel()[cell] > 0)
    if not len(of):
        raise InputError(
            f"There must be rows that {metric.name!r} is of. None of the {on} rows{where_said(case.where)} is."
        )
    hit = top.ravel()[cell[of]] > 0
    rows = case.rows(on)[of]
    if feature is None:
        return rows, ShareOutcomes(hit, 1.0 if metric.better == "lower" else -1.0), ()
    groups = case.groups(feature, on)
    names, codes = occupied(groups)
    return rows, GapOutcomes(hit, codes[of].astype(np.intp), len(names)), tuple(names)
