"""Effects of removing groups of records.

Predicted scores of one, predicted changes of a metric for many.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from core.actions.influence import attributor_of, not_on_confirm
from core.attribution.measured import Measured
from core.case.arguments import check_flag, check_items, check_number
from core.case.case import Case, check_case
from core.case.naming import Named
from core.errors import InputError
from core.former import formerly, warn
from core.metrics.catalog import metric_of
from core.typing import Floats, Positions, Progress

REMOVING = "Removing the groups from trees"
ENOUGH = 0.9
"""Expected correlation with real removal that is enough where nobody says otherwise."""


@formerly("metric", "sensitive_feature", "on")
def group_changes(
    case: Case,
    groups: Iterable[Iterable[Any]],
    *,
    metric: str = "equal_opportunity_difference",
    sensitive_feature: str | Sequence[str] | None = None,
    on: str = "explore",
    closely: bool = False,
) -> Floats:
    """Predict what removing each of many groups of records would do to a metric, all at once.

    Parameters
    ----------
    case : Case
        Prepared once for all groups where `core.prepare` was called.
    groups : list of lists of ids
        Record ids of each group. Removed records are left out.
    metric, sensitive_feature, on
        As for `influence`.
    closely : bool
        Whether to spend more on each group, as `measured_changes` does: for the best of many.

    Returns
    -------
    ndarray of float, shape (n_groups,)
        The signed change; NaN for a group that cannot go, being the last of a class, or without which the metric is undefined.

    Raises
    ------
    InputError
        If `on` is "confirm", or an id is not that of a training record.
    NotSupportedError
        If no attributor serves the model.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.linear_model import LogisticRegression
    >>> from core import Case, Roles
    >>> table = pd.DataFrame({"income": [1.0, 2.0, 3.0, 4.0, 5.0] * 8, "sex": ["f", "m"] * 20, "granted": [0, 1, 0, 1, 1] * 8})
    >>> model = LogisticRegression().fit(table[["income"]], table["granted"])
    >>> case = Case(model, train=table, test=table, roles=Roles("granted", 1, 1, ["sex"]))
    >>> rich, women = table["income"] > 4, table["sex"] == "f"
    >>> group_changes(case, [case.record_ids[rich], case.record_ids[~rich & women]], metric="selection_rate").shape
    (2,)
    """
    check_flag("closely", closely)
    if closely:
        return measured_changes(case, groups, metric=metric, sensitive_feature=sensitive_feature, on=on).changes
    feature, positions = _asked(case, groups, metric, sensitive_feature, on)
    with attributor_of(case) as attributor:
        return attributor.group_changes(case, metric, feature, on, positions)


@formerly("metric", "sensitive_feature", "on")
def measured_changes(
    case: Case,
    groups: Iterable[Iterable[Any]],
    *,
    metric: str = "equal_opportunity_difference",
    sensitive_feature: str | Sequence[str] | None = None,
    on: str = "explore",
    target: float = ENOUGH,
    seconds: float | None = None,
    progress: Progress | None = None,
) -> Measured:
    """Find out what removing each of many groups does to a metric.

    Each is removed from as many of a forest's trees as it takes.

    Each group's share of a removal's time is the share of the trees. Other models' effects are predicted, as by `group_changes`.

    Parameters
    ----------
    case : Case
        Prepared once for all groups where `core.prepare` was called.
    groups : list of lists of ids
        Record ids of each group. Removed records are left out.
    metric, sensitive_feature, on
        As for `influence`.
    target : float
        Expected correlation over the groups, of these changes with those of real removal, that is enough; 1 asks for every tree.
    seconds : float, optional
        Begin no further trees after so long, compiling left out: what was found then depends on how busy the machine is.
    progress : callable, optional
        Called with the share of trees seen and what is being done; may raise to give up. One that takes the share alone still works.

    Returns
    -------
    Measured
        The changes, the expected correlation, and from how many trees they are. Among fewer than ten groups no correlation is
        estimated, and all trees are looked at unless the time is over. Groups without which the preprocessing gives columns that it did
        not give with them, or draws at random without a seed, are marked in `trained_again`, only predicted, and left out of the
        correlation: `unlearn` trains the forest again without them.

    Raises
    ------
    InputError
        If `on` is "confirm", an id is not that of a training record, or the target or the time is out of range.
    NotSupportedError
        If no attributor serves the model.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from core import Case, Roles
    >>> table = pd.DataFrame({"income": [1.0, 2.0, 3.0, 4.0, 5.0] * 8, "sex": ["f", "m"] * 20, "granted": [0, 1, 0, 1, 1] * 8})
    >>> model = RandomForestClassifier(5, random_state=0).fit(table[["income"]], table["granted"])
    >>> case = Case(model, train=table, test=table, roles=Roles("granted", 1, 1, ["sex"]))
    >>> found = measured_changes(case, [case.record_ids[table["income"] > 4]], metric="selection_rate")
    >>> found.n_trees, found.of_trees, found.correlation
    (5, 5, 1.0)
    """
    check_number("target", target)
    if not 0.0 < target <= 1.0:
        raise InputError(
            f"A correlation to reach must lie above 0 and be at most 1. Got target={target}; 0.9 is usual."
        )
    if seconds is not None:
        check_number("seconds", seconds)
        if not seconds > 0.0:
            raise InputError(f"The time must be more than 0 seconds. Got seconds={seconds}; None sets no limit.")
    feature, positions = _asked(case, groups, metric, sensitive_feature, on)
    with attributor_of(case) as attributor:
        found = attributor.measured(case, metric, feature, on, positions, target, seconds, _of_trees(progress))
        if found is None:
            changes = attributor.group_changes(case, metric, feature, on, positions)
            found = Measured(changes, float("nan"), 0, 0, np.zeros(len(positions), dtype=bool))
    return found


@formerly("on")
def predicted_scores(case: Case, forget: Iterable[Any], *, on: str = "explore") -> tuple[Floats, tuple[str, ...]]:
    """Predict the scores on a split without some training records.

    Parameters
    ----------
    case : Case
    forget : iterable
        Record ids.
    on : {"explore", "test"}
        "confirm" is refused.

    Returns
    -------
    scores : ndarray of float
        Of `pos_label`, for every row of the split.
    notes : tuple of str
        What to know before removing the records, a sentence each.

    Raises
    ------
    InputError
        If an id is unknown, repeated or removed already, or a whole class would go.
    NotSupportedError
        If no attributor serves the model.
    """
    check_case(case)
    not_on_confirm(on)
    positions = case.positions(forget)
    if not len(positions):
        return case.scores(on), ()
    with attributor_of(case) as attributor:
        return attributor.scores_without(case, positions, on)


def _of_trees(progress: Progress | None) -> Callable[[float], None] | None:
    """Return a callback that is called with the share of trees alone."""
    if progress is None:
        return None
    report = progress  # Of the kind it once was, it takes the share alone.
    if not _takes_two(progress):
        warn("A progress that takes the share alone will go. Write progress=lambda share, doing: ....")
        return progress  # type: ignore[return-value]
    return lambda share: report(share, REMOVING)


def _takes_two(progress: Progress) -> bool:
    try:
        inspect.signature(progress).bind(0.0, "")
    except TypeError:
        return False
    except ValueError:  # Made where no signature is kept.
        return True
    return True


def _asked(
    case: Case, groups: Iterable[Iterable[Any]], metric: str, feature: str | Sequence[str] | None, on: str
) -> tuple[str | tuple[str, ...], list[Positions]]:
    check_case(case)
    not_on_confirm(on)
    metric_of(metric)
    check_items("groups", groups, "lists of record ids")
    rows = Named(case.record_ids, "record of the training table", "case.record_ids[positions]")
    found = [np.unique(rows.positions(group)) for group in groups]
    return case.sensitive_feature(feature), [positions[case.retained[positions]] for positions in found]
