"""The calls that run fairlearn's mitigators on a case."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd
from sklearn.exceptions import ConvergenceWarning

from core.case.arguments import check_items, check_number
from core.case.case import Case, check_case
from core.case.roles import AtRate
from core.errors import InputError, InputTypeError, NotSupportedError, nearest, said, whole_number
from core.former import formerly
from core.metrics.audit import N_RESAMPLES, audit_arrays, overall_interval, sample_of, usable
from core.metrics.catalog import Metric, metric_of
from core.metrics.compare import ALL_RECORDS, compare_samples
from core.metrics.samples import Sample, feature_name
from core.mitigation.base import METHODS, FittedModels, Mitigation, Mitigator, Task
from core.mitigation.correlation import Correlation
from core.mitigation.reductions import Gradient, Grid
from core.mitigation.thresholds import Thresholds
from core.typing import Progress

MITIGATORS: dict[str, Mitigator] = {one.name: one for one in (Thresholds(), Gradient(), Grid(), Correlation())}

SETTINGS = ("utility", "bound", "max_iter", "grid_size", "grid_limit", "seconds", "max_models", "n_resamples")
"""What `mitigations` hands on to `mitigate`."""
SECONDS = 60.0
"""For which reductions train models, where nobody says otherwise."""
PARTS = {"": "after", "_before": "before", "_change": "change", "_low": "low", "_high": "high"}
COLUMNS = [f"{what}{part}" for what in ("fairness", "utility") for part in (*PARTS, "_value_low", "_value_high")] + [
    "reversed",
    "frontier",
    "chosen",
]


@formerly("metric", "sensitive_feature")
def mitigate(
    case: Case,
    method: str,
    *,
    metric: str = "equal_opportunity_difference",
    sensitive_feature: str | Sequence[str] | None = None,
    utility: str = "accuracy",
    on: str = "explore",
    bound: float = 0.01,
    max_iter: int = 50,
    grid_size: int | None = None,
    grid_limit: float = 0.5,
    seconds: float | None = SECONDS,
    max_models: int | None = None,
    n_resamples: int = N_RESAMPLES,
    progress: Progress | None = None,
) -> Mitigation:
    """Run one of fairlearn's mitigators on a case; measure fairness and utility.

    It is trained on the case's retained training rows and their groups; the cost is that of the fits, of which the reductions
    take dozens.

    Parameters
    ----------
    case : Case
    method : {"threshold_optimizer", "exponentiated_gradient", "grid_search", "correlation_remover"}
    metric : str
        A metric of the catalog that compares groups; the constraint is the one that matches it.
    sensitive_feature : str or tuple of str, optional
        Whose groups; None is the first, a tuple an intersection.
    utility : str
        A rate of the catalog over all records.
    on : {"explore", "confirm", "test"}
        Rows to measure on.
    bound : float
        Reductions: largest difference of a group's rate from the average.
    max_iter : int
        ExponentiatedGradient: most rounds.
    grid_size : int, optional
        GridSearch: how many models; None is by the number of groups.
    grid_limit : float
        GridSearch: largest multiplier. fairlearn's own 2 reaches models that favour the other group by far.
    seconds, max_models : float and int, or None
        Reductions: for how long they may train models, and how many; None sets no limit. Once that is spent they go on with the models they
        have kept, ExponentiatedGradient to the best mixture of these; the result says so and is not `complete`. What is reached in a given time
        depends on the machine.
    n_resamples : int
        Resamples behind the intervals.
    progress : callable, optional
        Called with the share done and what is being done before each fit; may raise to cancel.

    Returns
    -------
    Mitigation
        Where the mitigator does not serve the case: without points, and with the reason.

    Raises
    ------
    InputError
        If a name does not exist, the metric does not compare groups, or the utility does.

    Notes
    -----
    Randomised mitigators count by expected decisions. A changed threshold or alert capacity of the case holds for
    CorrelationRemover only; the others make decisions of their own.

    Examples
    --------
    >>> import core, numpy as np, pandas as pd
    >>> from sklearn.linear_model import LogisticRegression
    >>> rng = np.random.default_rng(0)
    >>> table = pd.DataFrame({"income": rng.normal(size=400), "sex": ["f", "m"] * 200})
    >>> table["income"] += 0.8 * (table.sex == "m")
    >>> table["granted"] = (table.income + rng.normal(size=400) > 0).astype(int)
    >>> case = core.Case(LogisticRegression().fit(table[["income"]], table.granted), table, table,
    ...                  core.Roles("granted", 1, 1, ["sex"]), confirm=False)
    >>> found = mitigate(case, "threshold_optimizer", metric="demographic_parity_difference")
    >>> found.constraint, bool(found.points.loc[0, "fairness"] < 0.02)
    ('demographic_parity', True)
    """
    check_case(case)
    mitigator = _mitigator(method)
    _check_settings(bound, max_iter, grid_size, grid_limit, seconds, max_models)
    measured = _measured(case, metric, utility, on)
    grid = grid_size, grid_limit
    task = Task(
        case, *measured, case.sensitive_feature(sensitive_feature), on, bound, max_iter, *grid, seconds, max_models
    )
    reason = _refusal(mitigator, task)
    if reason is not None:
        return _result(mitigator, task, reason=f"{reason}.")
    start = time.perf_counter()
    try:
        outcome, notes = _run(mitigator, task, progress or _silent)
    except NotSupportedError as error:
        return _result(mitigator, task, reason=f"{error}.")
    except ValueError as error:
        return _result(mitigator, task, reason=f"it says: {said(error)}.")
    took = time.perf_counter() - start
    return _result(
        mitigator,
        task,
        points=_points(task, outcome, n_resamples),
        decisions=tuple(outcome.decisions),
        models=tuple(outcome.models),
        seconds=took,
        notes=(*outcome.notes, *notes),
        complete=outcome.complete,
    )


@formerly("metric", "sensitive_feature")
def mitigations(
    case: Case,
    *,
    metric: str = "equal_opportunity_difference",
    sensitive_feature: str | Sequence[str] | None = None,
    on: str = "explore",
    methods: Iterable[str] = METHODS,
    progress: Progress | None = None,
    **settings: Any,
) -> list[Mitigation]:
    """Run several of fairlearn's mitigators on a case, one after the other.

    Parameters
    ----------
    case, metric, sensitive_feature, on, progress
        As for `mitigate`.
    methods : iterable of str
        Default: all four.
    **settings
        What else `mitigate` takes.

    Returns
    -------
    list of Mitigation
        In the order of `methods`; one that does not serve the case has a reason in the place of points.
    """
    check_case(case)
    wrong = [name for name in settings if name not in SETTINGS]
    if wrong:
        raise InputTypeError(
            f"A setting of mitigators must be one of {', '.join(SETTINGS)}. Got {wrong[0]!r}.{nearest(wrong[0], SETTINGS)}"
        )
    if not isinstance(methods, str):
        check_items("methods", methods, "names of mitigators")
    names = [methods] if isinstance(methods, str) else list(methods)
    for name in names:
        _mitigator(name)
    return [
        mitigate(
            case,
            name,
            metric=metric,
            sensitive_feature=sensitive_feature,
            on=on,
            progress=_part(progress, index, len(names), name),
            **settings,
        )
        for index, name in enumerate(names)
    ]


def _check_settings(
    bound: float,
    max_iter: int,
    grid_size: int | None,
    grid_limit: float,
    seconds: float | None,
    max_models: int | None,
) -> None:
    for name, number in (("bound", bound), ("grid_limit", grid_limit)):
        check_number(name, number)
    whole_number("max_iter", max_iter)
    if grid_size is not None:
        whole_number("grid_size", grid_size)
    if seconds is not None:
        check_number("seconds", seconds)
        if not seconds > 0.0:
            raise InputError(f"The time must be more than 0 seconds. Got seconds={seconds!r}; None sets no limit.")
    if max_models is not None:
        whole_number("max_models", max_models)
    if not 0.0 < bound < 1.0 or max_iter < 1 or (grid_size is not None and grid_size < 2) or not grid_limit > 0.0:
        raise InputError(
            "bound must lie between 0 and 1, max_iter be at least 1, grid_size at least 2 and grid_limit above 0. "
            f"Got {bound!r}, {max_iter!r}, {grid_size!r} and {grid_limit!r}; 0.01, 50, None and 0.5 are usual."
        )


def _part(progress: Progress | None, index: int, n_parts: int, name: str) -> Progress:
    def report(share: float, what: str) -> None:
        if progress is not None:
            progress((index + share) / n_parts, f"{name}: {what}")

    return report


def _silent(share: float, what: str) -> None:
    """Report nothing."""


def _mitigator(method: str) -> Mitigator:
    if not isinstance(method, str) or method not in MITIGATORS:
        raise InputError(
            f"The mitigator must be one of {', '.join(METHODS)}. Got {method!r}.{nearest(method, METHODS)}"
        )
    return MITIGATORS[method]


def _measured(case: Case, metric: str, utility: str, on: str) -> tuple[Metric, Metric]:
    first, second = metric_of(metric), metric_of(utility)
    if not first.compares_groups:
        raise InputError(
            f"A mitigator's metric must compare groups. Got {metric!r}; take a gap such as 'equal_opportunity_difference'."
        )
    if second.compares_groups or second.name == "count":
        raise InputError(f"The utility must be a rate over all records. Got {utility!r}; 'accuracy' is usual.")
    case.rows(on)
    usable((first, second), probability=case.score_kind == "probability", asked=True)
    return first, second


def _refusal(mitigator: Mitigator, task: Task) -> str | None:
    if task.case.randomised:
        return "the model has thresholds of each group already; make the case from the estimator inside it"
    scored = [metric.name for metric in (task.metric, task.utility) if metric.uses == "scores"]
    if scored and not mitigator.scores:
        return f"{scored[0]} needs scores, and all it gives is decisions"
    if mitigator.constraint(task) is None:
        return f"none of its constraints matches {task.metric.name}"
    return mitigator.refusal(task)


def _run(mitigator: Mitigator, task: Task, progress: Progress) -> tuple[FittedModels, list[str]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        outcome = mitigator.run(task, progress)
    progress(1.0, "Done")
    notes = []
    if any(issubclass(item.category, ConvergenceWarning) for item in caught):
        notes.append("The solver stopped before its tolerance was met in at least one fit.")
    if task.case.threshold is not None and outcome.scores is None:
        own = (
            f"alert capacity of {task.case.threshold.rate:.1%}"
            if isinstance(task.case.threshold, AtRate)
            else "threshold"
        )
        notes.append(f"The case's own {own} is not kept: it makes its own decisions.")
    return outcome, notes


def _points(task: Task, outcome: FittedModels, n_resamples: int) -> pd.DataFrame:
    case, before = task.case, sample_of(task.case, task.on)
    groups = [case.groups(task.feature, task.on)]
    fairness, utility = (task.metric.name, feature_name(task.feature)), (task.utility.name, ALL_RECORDS)
    rows = []
    for index, decision in enumerate(outcome.decisions):
        after = (
            Sample(before.label, decision, None, before.probability, before.pos_is_favorable)
            if outcome.scores is None
            else sample_of(case, task.on, outcome.scores)
        )
        shift = compare_samples(before, after, groups, [task.metric, task.utility], n_resamples=n_resamples)
        gap = audit_arrays(after, groups, [task.metric], n_resamples=n_resamples, on=task.on).gaps.loc[[fairness]]
        of_gap = float(gap["low"].iloc[0]), float(gap["high"].iloc[0])
        ends = of_gap, overall_interval(after, task.utility.name, n_resamples=n_resamples)
        values = [
            value
            for side, own in zip((fairness, utility), ends, strict=True)
            for value in (*(float(shift[part][side]) for part in PARTS.values()), *own)
        ]
        turned = bool(shift.loc[fairness, "reversed"])
        rows.append([*values, turned, outcome.frontier[index], index == outcome.chosen])
    return pd.DataFrame(rows, columns=COLUMNS).rename_axis("point")


def _result(mitigator: Mitigator, task: Task, **found: Any) -> Mitigation:
    points = found.pop("points", pd.DataFrame(columns=COLUMNS).rename_axis("point"))
    names = task.metric.name, feature_name(task.feature), task.utility.name, task.on
    return Mitigation(mitigator.name, mitigator.constraint(task) or "", *names, points, **found)
