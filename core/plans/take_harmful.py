"""How many of the most harmful records to take.

Along a ranking, the shortest prefix that has most of what the ranking can gain.

A ranking adds up single records; removed together they do more or less than the sum, and past some size the gap opens again the other
way. So prefixes of the ranking are re-scored as groups on a geometric grid of sizes, and the shortest with 80% of the best gain is
taken, never one past which the groups have changed places. What the prefix does is then measured by really removing it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from core.actions.influence import not_on_confirm
from core.actions.unlearn import prepare, unlearn
from core.attribution.expected import ExpectedGain, expected_gain, short_now
from core.case.case import Case, check_case
from core.errors import whole_number
from core.former import formerly
from core.metrics.audit import audit_arrays, overall_interval, sample_of
from core.metrics.catalog import metric_of
from core.metrics.samples import feature_name
from core.plans.prefix import N_SIZES, PrefixStep, along, found_on, ranked, shortest, value_at
from core.shown import Shown
from core.typing import Feature, Floats, Progress, part_of
from core.words import where_said

if TYPE_CHECKING:
    from core.figures.look import Figure

MOST = 0.2
"""Largest share of the training records looked at, where nobody says otherwise."""
N_RESAMPLES = 500
HALVINGS = 6
"""How often a prefix is halved that, really removed, leaves a larger gap than there was."""


@dataclass(frozen=True, eq=False, repr=False)
class HarmfulRecords(Shown):
    """The first records of a ranking that are worth removing together.

    Parameters
    ----------
    metric : str
    sensitive_feature : str or tuple of str
    forget : Index
        Ids to remove, most harmful first; empty where no prefix of the ranking helps.
    curve : DataFrame
        A row for each size looked at, none removed first: ``n_removed``; ``gap``, the metric; ``worst_group`` and its ``worst_rate``;
        ``utility``, accuracy; each figure with its interval in ``_low`` and ``_high``. Predicted by the effect of the whole group.
    before, after : float
        The metric before, and measured after really removing `forget`.
    on : str
        The rows searched.
    n_rows : int
        How many they are.
    ranking : Index
        All ids along the ranking that were looked at.
    expected : ExpectedGain or None
        The gain to expect of such a search on rows that were not searched; None until `with_expected` was asked for it.
    case : Case
        The case that was searched, with the rows it was searched on.
    scores : tuple of ndarray
        Of pos_label, predicted for the rows searched at each row of the curve.
    """

    metric: str
    sensitive_feature: Feature
    forget: pd.Index[Any]
    curve: pd.DataFrame
    before: float
    after: float
    on: str
    n_rows: int
    ranking: pd.Index[Any]
    case: Case = field(repr=False)
    expected: ExpectedGain | None = None
    scores: tuple[Floats, ...] = field(default=(), repr=False)

    def with_expected(self, progress: Progress | None = None) -> HarmfulRecords:
        """Return the same records with the gain to expect on other rows.

        Ten searches on halves of the rows.

        Parameters
        ----------
        progress : callable, optional
            Called with the share done and what is being done; may raise to cancel.
        """
        most = len(self.ranking)
        gain = expected_gain(
            self.case,
            self.metric,
            self.sensitive_feature,
            lambda half: found_on(half, self.metric, self.sensitive_feature, self.on, most),
            lambda ids: unlearn(self.case, ids).case.scores(self.on),
            on=self.on,
            progress=progress,
        )
        return replace(self, expected=gain)

    def to_frame(self) -> pd.DataFrame:
        """Return the curve."""
        return self.curve.copy()

    def lines(self) -> list[str]:
        """Say how many records, what removing them did, and what to expect on other rows.

        What it did is of the rows searched.
        """
        heading = (
            f"HarmfulRecords: {len(self.forget):,} of {len(self.ranking):,} ranked; {self.metric} of {feature_name(self.sensitive_feature)} "
            f"{self.before:.3f} -> {self.after:.3f}, measured on the {self.n_rows:,} {self.on} rows searched{where_said(self.case.where)}"
        )
        return [heading] if self.expected is None else [heading, self.expected.sentence]

    def plot(self) -> Figure:
        """Draw the metric along the ranking, predicted and measured.

        Below it stand the worst-off group's rate and accuracy.

        Returns
        -------
        plotly.graph_objects.Figure
        """
        from core.figures import ranking

        metric, positive = metric_of(self.metric), self.case.favorable_is_positive
        return ranking.first_records(
            self.curve,
            len(self.forget),
            self.before,
            self.after,
            metric.heading(pos_is_favorable=positive),
            f"{self.n_rows:,} {self.on} rows searched{where_said(self.case.where)}",
            rate=metric_of(metric.rates[0]).heading(pos_is_favorable=positive) if metric.compares_groups else "",
        )


@formerly()
def take_harmful(
    case: Case,
    metric: str = "equal_opportunity_difference",
    *,
    sensitive_feature: str | Sequence[str] | None = None,
    max_records: int | None = None,
    on: str = "explore",
    where: str | None = None,
    expected: bool = True,
    n_sizes: int = N_SIZES,
    progress: Progress | None = None,
) -> HarmfulRecords:
    """Choose how many of the most harmful records to remove together.

    Parameters
    ----------
    case : Case
    metric : str
        With a better end; of the catalog.
    sensitive_feature : str or tuple of str, optional
        Whose groups are compared; None is the first, a tuple an intersection.
    max_records : int, optional
        Most records to take; None is a fifth of the retained ones.
    on : {"explore", "test"}
        Rows to search on; "confirm" is refused.
    where : str, optional
        A condition on these rows, as "month >= '2025-07' and region = 'north'"; only those it holds for are looked at. As for `Case.only`.
    expected : bool
        Whether to find the gain to expect on other rows at once: ten further searches. `HarmfulRecords.with_expected` does it later.
    n_sizes : int
        Sizes looked at along the ranking.
    progress : callable, optional
        Called with the share done and what is being done; may raise to cancel.

    Returns
    -------
    HarmfulRecords
        ``.forget``, ``.curve`` and ``.expected``.

    Raises
    ------
    InputError
        If `on` is "confirm", the metric has no better end or is undefined, or `max_records` is no whole number of at least 1.
    NotSupportedError
        If nothing predicts what records do in such a model.

    Notes
    -----
    `forget` never leaves the metric farther from its best value on the searched rows than it was. What it does on other rows is `expected`, or what
    the confirm rows say.

    Examples
    --------
    >>> import core
    >>> case = core.load_case("sample_data/credit")
    >>> best = core.take_harmful(case, "equal_opportunity_difference", expected=False)
    >>> best.after < best.before, 0 < len(best.forget) < len(best.ranking)
    (True, True)
    """
    check_case(case)
    not_on_confirm(on)
    case = case.only(where)
    feature = case.sensitive_feature(sensitive_feature)
    n_sizes = whole_number("n_sizes", n_sizes)
    most = max(1, int(MOST * case.n_retained)) if max_records is None else whole_number("max_records", max_records)
    short_now(case, metric, feature, on)
    case = prepare(case, progress=part_of(progress, 0.0, 0.2 if expected else 0.4))
    ranking = ranked(case, metric, feature, on, most)
    steps = along(case, metric, feature, on, ranking, n_sizes, part_of(progress, 0.2 if expected else 0.4, 0.4))
    chosen = shortest(case, metric, feature, on, ranking, steps)
    forget, after = _measured(case, metric, feature, on, ranking[: chosen.size])
    found = HarmfulRecords(
        metric,
        feature,
        forget,
        pd.DataFrame([_row(case, metric, feature, on, step) for step in chosen.steps]),
        float(chosen.steps[0].value),
        after,
        on,
        len(case.rows(on)),
        ranking,
        case,
        scores=tuple(step.scores for step in chosen.steps),
    )
    return found.with_expected(part_of(progress, 0.4, 1.0)) if expected else found


def _measured(case: Case, metric: str, feature: Feature, on: str, ids: pd.Index[Any]) -> tuple[pd.Index[Any], float]:
    """Return the records and the metric measured without them.

    Fewer where all of them leave it farther from its best value.
    """
    short, before = metric_of(metric).short_of_best, value_at(case, metric, feature, on, case.scores(on))
    for _ in range(HALVINGS):
        if not len(ids):
            break
        value = value_at(case, metric, feature, on, unlearn(case, ids).case.scores(on))
        if short(value) <= short(before):
            return ids, value
        ids = ids[: len(ids) // 2]
    return ids[:0], before


def _row(case: Case, metric: str, feature: Feature, on: str, step: PrefixStep) -> dict[str, Any]:
    """Return a row of the curve: the metric, the worst-off group and accuracy, with intervals."""
    found, sample = metric_of(metric), sample_of(case, on, step.scores)
    report = audit_arrays(sample, [case.groups(feature, on)], [found], n_resamples=N_RESAMPLES, on=on)
    row: dict[str, Any] = {"n_removed": step.size, "gap": step.value}
    if found.compares_groups:
        gap = report.gaps.iloc[0]
        worst = str(gap["worst_group"])
        rate = report.by_group.xs(worst, level="group").iloc[0]
        name = found.rates[0]
        row |= {"gap_low": gap["low"], "gap_high": gap["high"], "worst_group": worst, "worst_rate": rate[name]}
        row |= {f"worst_rate_{end}": rate[f"{name}_{end}"] for end in ("low", "high")}
    else:
        low, high = overall_interval(sample, found.rate, n_resamples=N_RESAMPLES)
        row |= {
            "gap_low": low,
            "gap_high": high,
            "worst_group": "",
            "worst_rate": np.nan,
            "worst_rate_low": np.nan,
            "worst_rate_high": np.nan,
        }
    low, high = overall_interval(sample, "accuracy", n_resamples=N_RESAMPLES)
    return row | {"utility": float(np.mean(sample.label == sample.decision)), "utility_low": low, "utility_high": high}
