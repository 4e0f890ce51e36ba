"""Influence of training records: the calls that choose a family's attributor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd

from core.attribution.base import Attributor
from core.attribution.decisions import QUANTITIES
from core.case.arguments import check_choice, check_flag
from core.case.case import Case, check_case
from core.case.scored import SPLITS
from core.case.scoring import final_estimator
from core.errors import InputError, InputTypeError, NotSupportedError
from core.families.registry import family_of, lacking
from core.former import formerly
from core.metrics.audit import SensitiveFeatures
from core.metrics.catalog import metric_of
from core.metrics.compare import COMPARED_RATES, compare, compare_groups
from core.words import where_said


@formerly("sensitive_feature", "on")
def influence(
    case: Case,
    metric: str = "equal_opportunity_difference",
    *,
    sensitive_feature: str | Sequence[str] | None = None,
    on: str = "explore",
    where: str | None = None,
    rescore: int = 0,
) -> pd.Series[float]:
    """Predict what removing each training record would do to a metric.

    Parameters
    ----------
    case : Case
    metric : str
        Any metric of the catalog.
    sensitive_feature : str or tuple of str, optional
        Whose groups are compared; None is the first, a tuple an intersection.
    on : {"explore", "test"}
        Rows the metric is taken on. "confirm" is refused: searching there would spoil it.
    where : str, optional
        A condition on these rows, as "month >= '2025-07' and region = 'north'"; only those it holds for are looked at. As for `Case.only`.
    rescore : int
        So many of the most harmful records are really removed, each alone, and have the change that made in place of the predicted
        one; for families whose influence is a rough guide to that, such as forests. Costs a removal for each, about half a fit of a
        forest where the preprocessing without the record changes so that the trees have to be built again (docs/METHODS.md).

    Returns
    -------
    Series
        Indexed by the ids of the retained records: the signed change of the metric if that record is removed. ``attrs["rescored"]``
        has the ids of those that were.

    Raises
    ------
    InputError
        If `on` is "confirm", the metric is undefined on these rows, or records cannot be re-scored.
    NotSupportedError
        If no attributor serves the model.

    Notes
    -----
    A metric on decisions is a step; the change is that of its smooth stand-in. One record rarely moves the metric itself.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.linear_model import LogisticRegression
    >>> from core import Case, Roles, influence
    >>> table = pd.DataFrame({"income": [1.0, 2.0, 3.0, 4.0, 5.0] * 8, "sex": ["f", "m"] * 20, "granted": [0, 1, 0, 1, 1] * 8})
    >>> model = LogisticRegression().fit(table[["income"]], table["granted"])
    >>> case = Case(model, train=table, test=table, roles=Roles("granted", 1, 1, ["sex"]))
    >>> influence(case, "log_loss").shape
    (40,)
    """
    check_case(case)
    not_on_confirm(on)
    case = case.only(where)
    metric_of(metric)
    feature = case.sensitive_feature(sensitive_feature)
    _check_rescore(case, rescore)
    with attributor_of(case) as attributor:
        effects = attributor.influence(case, metric, feature, on)[case.retained]
    if not np.isfinite(effects).all():
        raise InputError(
            f"The metric must be defined on the {on} rows{where_said(case.where)}. {metric!r} of {feature!r} is not; choose another metric or feature."
        )
    found = pd.Series(effects, index=case.retained_ids, name=metric)
    return found if rescore == 0 else _rescored(case, found, feature, on, rescore)


def _check_rescore(case: Case, most: object) -> None:
    whole = isinstance(most, (int, np.integer)) and not isinstance(most, bool)
    if not whole or not 0 <= most <= case.n_retained:  # type: ignore[operator]
        raise InputError(f"The records to re-score must be a whole number from 0 to {case.n_retained:,}. Got {most!r}.")


def _rescored(
    case: Case, effects: pd.Series[float], feature: str | tuple[str, ...], on: str, most: int
) -> pd.Series[float]:
    """Return influence, that of the most harmful records replaced by their removal's own.

    Each of them is removed alone for that.
    """
    ids = harmful(effects)[:most]
    with attributor_of(case) as attributor:
        changes = attributor.alone(case, str(effects.name), feature, on, case.positions(ids))
    if changes is None:
        raise InputError(
            f"Records are re-scored, by removing each alone, where influence is a rough guide to that. For a "
            f"{type(final_estimator(case.model)).__name__} it is as near as it gets; leave out `rescore`, and see with core.preview what "
            "removing some of its records together does."
        )
    done = ~np.isnan(changes)
    if not done.any():
        raise InputError(
            f"A record is re-scored by removing it alone from the model. None of these {most:,} can be: without it the preprocessing gives new "
            "columns, or draws without a seed, so that the model is trained again, or a class is gone; leave out `rescore`."
        )
    found = effects.copy()
    found[ids[done]] = changes[done]
    found.attrs["rescored"] = tuple(ids[done])
    return found


def harmful(effects: pd.Series[float]) -> pd.Index[Any]:
    """Return record ids ordered by harm.

    Those whose removal is predicted to improve the metric most come first.

    Parameters
    ----------
    effects : Series
        What `influence` or `influence_on_decisions` returned; its name is the metric, whose better direction the catalog knows,
        or the quantity.

    Examples
    --------
    >>> import pandas as pd
    >>> harmful(pd.Series([0.1, -0.3, 0.2], index=["a", "b", "c"], name="equal_opportunity_difference")).tolist()
    ['b', 'a', 'c']
    """
    if not isinstance(effects, pd.Series):
        raise InputTypeError(
            f"The effects must be the Series that core.influence returns. Got {type(effects).__name__} instead."
        )
    if not isinstance(effects.name, str):
        raise InputError(
            f"The effects must be named after their metric, as core.influence names them. Got the name {effects.name!r}; "
            "set it with effects.rename('equal_opportunity_difference')."
        )
    if not pd.api.types.is_numeric_dtype(effects):
        raise InputTypeError(f"The effects must be numbers. Got {effects.dtype} instead.")
    name = effects.name
    lower = QUANTITIES.get(name) == "lower" if name in QUANTITIES else metric_of(name).better == "lower"
    order = np.argsort(effects.to_numpy() if lower else -effects.to_numpy(), kind="stable")
    return effects.index[order]


@formerly("metric", renamed={"features": "sensitive_feature"}, synonyms={"metrics": "metric"}, several=True)
def preview(
    case: Case,
    forget: Iterable[Any],
    *,
    metric: str | Iterable[str] | None = None,
    sensitive_feature: SensitiveFeatures = None,
    on: str = "explore",
    n_resamples: int = 2000,
    by_group: bool = False,
) -> pd.DataFrame:
    """Predict what removing these records together would do, without doing it.

    Parameters
    ----------
    case : Case
    forget : iterable
        Record ids.
    metric, sensitive_feature, on, n_resamples
        As for `compare`; "confirm" is refused.
    by_group : bool
        Whether to give every group's own rates instead, indexed by (metric, sensitive_feature, group): by default selection rate, true
        positive rate and accuracy; of a gap, its rates.

    Returns
    -------
    DataFrame
        What `compare` gives, with ``after`` predicted. ``attrs["notes"]`` holds what to know before removing them.

    Raises
    ------
    InputError
        If an id is unknown, repeated or removed already, or a whole class would go.
    """
    check_case(case)
    not_on_confirm(on)
    check_flag("by_group", by_group)
    positions = case.positions(forget)
    scores = case.scores(on)
    notes: tuple[str, ...] = ()
    if len(positions):
        with attributor_of(case) as attributor:
            scores, notes = attributor.scores_without(case, positions, on)
    asked: dict[str, Any] = {"sensitive_feature": sensitive_feature, "scores": scores, "n_resamples": n_resamples}
    if by_group:
        table = compare_groups(case, case, metric=COMPARED_RATES if metric is None else metric, on=on, **asked)
    else:
        table = compare(case, case, metric=metric, on=on, **asked)
    table.attrs["notes"] = notes
    return table


@contextmanager
def attributor_of(case: Case) -> Iterator[Attributor]:
    """Give the attributor that serves a case's model.

    Raises
    ------
    NotSupportedError
        If none does, or if it turns out not to; the sentence says why.
    """
    not_at_random(case)
    try:
        yield _serving(case)
    except NotSupportedError as error:
        raise NotSupportedError(
            f"No attribution method fits this model: {error}. Records can still be removed."
        ) from error


def why_no_attribution(case: Case) -> str:
    """Return why no attributor serves a case; empty where one does."""
    try:
        with attributor_of(case):
            return ""
    except NotSupportedError as error:
        return str(error)


def _serving(case: Case) -> Attributor:
    """Return the attributor that serves a case; raise with why the one for its model does not."""
    family = family_of(case.model)
    if family is None or family.attributor is None:
        raise NotSupportedError(lacking(case.model, "influence is", "attributor"))
    reason = family.attributor.fits(case)
    if reason is not None:
        raise NotSupportedError(reason)
    return family.attributor


def not_at_random(case: Case) -> None:
    """Raise if decisions are drawn at random, by thresholds that no single score stands for."""
    check_case(case)
    if case.randomised:
        raise NotSupportedError(
            f"What records do can be searched for where decisions are certain. A {type(case.model).__name__} draws its own at random, by "
            "thresholds that every removal chooses anew; make the case from the estimator inside it (its estimator_), and remove here "
            "what that finds, to see what the thresholds leave of it."
        )


def not_on_confirm(on: str) -> None:
    """Raise if a search would look at the confirm rows, or at none there are."""
    check_choice("on", on, SPLITS)
    if on == "confirm":
        raise InputError("Searches must not look at the confirm rows. Got on='confirm'; use on='explore'.")
