"""Removing records: the calls that choose a family's unlearner."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from core.actions.through_thresholds import Through
from core.case.arguments import check_choice, check_number
from core.case.case import Case, check_case
from core.case.group_thresholds import scorer
from core.case.scoring import final_estimator
from core.errors import InputError, LimitError, NotSupportedError, nearest
from core.families.registry import FAMILIES, own_unlearner
from core.former import formerly
from core.typing import Progress
from core.unlearning.base import Option, Removal, Unlearner, UnlearnResult
from core.unlearning.once_case import OnceCase
from core.unlearning.refit import Refit
from core.words import with_article

REFIT = Refit()
"""Serves every case, and comes last."""

DEFAULT_TOLERANCE = 1e-6


@formerly()
def unlearners_for(case: Case) -> list[Option]:
    """Return every unlearner and whether it fits the case.

    Those that do come first, in the order "auto" tries them.

    Training again comes last of them, but for approximate methods where it costs hardly more: these give way to it.

    Parameters
    ----------
    case : Case

    Returns
    -------
    list of Option
        `.name`, `.guarantee`, `.way`, `.fits`, `.reason` why one does not fit, and `.note` why one that does gives way.
    """
    check_case(case)
    options = [_option(one, case) for one in unlearners_of(case)]
    return sorted(options, key=lambda option: (not option.fits, bool(option.note)))


def _option(unlearner: Unlearner, case: Case) -> Option:
    foreign = _of_another_family(unlearner, case)
    reason = foreign or unlearner.fits(case)
    return Option(
        unlearner.name,
        unlearner.guarantee,
        reason is None,
        reason or "",
        note="" if reason else unlearner.gives_way(case) or "",
        way=unlearner.way,
        same_draws=unlearner.same_draws,
        of_family=foreign is None,
    )


def unlearners_of(case: Case) -> tuple[Unlearner, ...]:
    """Return the unlearners that a case may choose from, strongest and quickest first."""
    own = [family.unlearner for family in FAMILIES if family.unlearner is not None]
    return (*(map(Through, own) if case.randomised else own), REFIT)


@formerly("method", "progress")
def prepare(case: Case, *, method: str = "auto", progress: Progress | None = None) -> Case:
    """Prepare a case for quick removals now; the first removal does so otherwise.

    Parameters
    ----------
    case : Case
    method : str
        A name from `unlearners_for`, or "auto".
    progress : callable, optional
        Called with the share done and what is being done; may raise to cancel.

    Returns
    -------
    Case
        The one handed in, which keeps what was prepared until `case.release()`.
    """
    check_case(case)
    case.check_unchanged()
    for unlearner in _candidates(case, method):
        try:
            unlearner.prepare(case, progress)
            return case
        except (NotSupportedError, LimitError) as error:
            if method != "auto":
                raise _refusal(method, error) from error
    return case


@formerly("by", "method")
def unlearn(
    case: Case,
    forget: Iterable[Any],
    *,
    by: str = "record",
    method: str = "auto",
    tolerance: float = DEFAULT_TOLERANCE,
    progress: Progress | None = None,
) -> UnlearnResult:
    """Remove training records from the model; the case handed in is untouched.

    Parameters
    ----------
    case : Case
    forget : iterable
        Ids of records, or of subjects.
    by : {"record", "subject"}
        What the ids name.
    method : str
        A name from `unlearners_for`; "auto" takes the first that fits and serves this removal.
    tolerance : float
        Certified methods: relative distance to the retrained optimum to reach. Smaller costs passes over the data. Where rounding allows
        less, up to 0.001, the result says so (`within_tolerance`); beyond that the method does not serve.
    progress : callable, optional
        Called with the share done and what is being done while the case is prepared; may raise to cancel.

    Returns
    -------
    UnlearnResult

    Raises
    ------
    InputError
        If an id is unknown, repeated or removed already, or a whole class would go.
    NotSupportedError
        If the method asked for does not fit the case.

    Notes
    -----
    The first removal from a case prepares it, unless `prepare` did; `seconds_prepare` is the part of `seconds` that took.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.linear_model import LogisticRegression
    >>> from core import Case, Roles, unlearn
    >>> table = pd.DataFrame({"income": [1.0, 2.0, 3.0, 4.0] * 5, "sex": ["f", "m"] * 10, "granted": [0, 1, 0, 1] * 5})
    >>> model = LogisticRegression().fit(table[["income"]], table["granted"])
    >>> case = Case(model, train=table, test=table, roles=Roles("granted", 1, 1, ["sex"]))
    >>> result = unlearn(case, [3, 7])
    >>> result.case.n_retained, result.method, result.guarantee.value
    (18, 'newton', 'certified')
    >>> result
    2 records of 20 removed: newton, ...
      certified: lies within a proven distance of training again to the optimum on the retained records, ...
    >>> result.plot(on="test").layout.meta["title"]
    'With 2 records removed the gap went from ... to ..., accuracy from ... to ...'
    """
    start = time.perf_counter()
    check_case(case)
    case.check_unchanged()
    check_tolerance(tolerance)
    positions = _positions(case, forget, by)
    if len(positions) == 0:
        return unchanged(case, method, "No record was named, so the model is the one handed in.")
    result = first_that_serves(case, method, lambda one: one.remove(case, positions, tolerance), start, progress)
    return replace(result, n_forgotten=len(positions), tolerance=tolerance)


def check_tolerance(tolerance: float) -> None:
    """Raise unless it is a share."""
    check_number("tolerance", tolerance)
    if not 0.0 < tolerance < 1.0:
        raise InputError(f"The tolerance must lie strictly between 0 and 1. Got {tolerance!r}; 1e-6 is usual.")


def unchanged(case: Case, method: str, note: str) -> UnlearnResult:
    """Return the result of asking for nothing."""
    chosen = _candidates(case, method)[0]
    same = case.with_threshold(case.threshold)
    return UnlearnResult(
        same, case, chosen.guarantee, None, None, chosen.name, 0.0, 0, (note,), same_draws=chosen.same_draws
    )


def first_that_serves(
    case: Case, method: str, act: Callable[[Unlearner], Removal], start: float, progress: Progress | None = None
) -> UnlearnResult:
    """Return what `act` gives with the method asked for or, with "auto", the first that serves.

    `start` is when the call began.
    """
    preparing, reasons = 0.0, list[str]()
    for unlearner in _candidates(case, method):
        try:
            preparing += _seconds_to_prepare(unlearner, case, progress)
            removal = act(unlearner)
        except (NotSupportedError, LimitError) as error:
            if method != "auto":
                raise _refusal(method, error) from error
            reasons.append(f"Not done by {unlearner.name}: {str(error).rstrip('.')}.")
            continue
        return UnlearnResult(
            case=removal.case,
            before=case,
            guarantee=removal.guarantee,
            bound=removal.bound,
            relative_bound=removal.relative_bound,
            method=unlearner.name,
            seconds=time.perf_counter() - start,
            n_forgotten=0,
            notes=tuple(dict.fromkeys((*reasons, *_why_not(case, unlearner), *removal.notes))),
            same_draws=unlearner.same_draws,
            seconds_prepare=preparing,
        )
    raise NotSupportedError(" ".join(reasons))


def _seconds_to_prepare(unlearner: Unlearner, case: Case, progress: Progress | None = None) -> float:
    """Prepare a case and return how long that took: nothing where it was prepared."""
    if unlearner.is_ready(case):
        return 0.0
    start = time.perf_counter()
    unlearner.prepare(case, progress)
    return time.perf_counter() - start


@formerly()
def converge(case: Case, *, progress: Progress | None = None) -> UnlearnResult:
    """Move a case's model to the optimum of its objective, nothing removed.

    Parameters
    ----------
    case : Case
    progress : callable, optional
        Called with the share done and what is being done; may raise to cancel.

    Returns
    -------
    UnlearnResult
        Its `case` has the new model; `bound` certifies how far from the optimum that may be, and `n_forgotten` is 0.

    Raises
    ------
    NotSupportedError
        If nothing is known of what the model minimises, or that has more than one optimum.
    """
    check_case(case)
    case.check_unchanged()
    unlearner = own_unlearner(case.model)
    start = time.perf_counter()
    try:
        if unlearner is None:
            raise NotSupportedError(
                f"nothing is known of what a {type(final_estimator(case.model)).__name__} minimises"
            )
        preparing = _seconds_to_prepare(unlearner, case, progress) if unlearner.can_converge(case) else 0.0
        moved = unlearner.converge(case, progress)
    except NotSupportedError as error:
        raise NotSupportedError(
            f"Only a model with one optimum, fitted on rows like these, can be converged: {error}."
        ) from error
    return OnceCase(
        moved.case,
        case,
        moved.guarantee,
        moved.bound,
        moved.relative_bound,
        unlearner.name,
        time.perf_counter() - start,
        0,
        moved.notes,
        seconds_prepare=preparing,
    )


def _refusal(method: str, error: NotSupportedError | LimitError) -> InputError:
    """Return the error to raise for the method asked for: a limit is a sentence of its own."""
    return LimitError(str(error)) if isinstance(error, LimitError) else _does_not_fit(method, error)


def _does_not_fit(method: str, reason: object) -> NotSupportedError:
    way_out = "" if method == REFIT.name else " Use 'refit' or 'auto'."
    return NotSupportedError(f"The method {method!r} does not fit this case: {reason}.{way_out}")


def _positions(case: Case, forget: Iterable[Any], by: str) -> np.ndarray[Any, Any]:
    check_choice("by", by, ("record", "subject"))
    return case.positions(forget) if by == "record" else case.positions_of_subjects(forget)


def _candidates(case: Case, method: str) -> list[Unlearner]:
    if isinstance(method, str) and method == "auto":
        fitting = [unlearner for unlearner in unlearners_of(case) if _why_unfit(unlearner, case) is None]
        if not fitting:
            raise NotSupportedError(f"Records cannot be removed from this model: {_why_unfit(REFIT, case)}.")
        return sorted(fitting, key=lambda unlearner: unlearner.gives_way(case) is not None)
    known = {unlearner.name: unlearner for unlearner in unlearners_of(case)}
    if not isinstance(method, str) or method not in known:
        raise InputError(
            f"The method must be 'auto' or one of {', '.join(known)}. Got {method!r}.{nearest(method, known)}"
        )
    reason = _why_unfit(known[method], case)
    if reason:
        raise _does_not_fit(method, reason)
    return [known[method]]


def _why_unfit(unlearner: Unlearner, case: Case) -> str | None:
    """Return why an unlearner does not serve a case, or None.

    It is asked itself about models of its own family only.
    """
    return _of_another_family(unlearner, case) or unlearner.fits(case)


def _of_another_family(unlearner: Unlearner, case: Case) -> str | None:
    """Return which family an unlearner is for where the model is not of it, else None."""
    family = next((one for one in FAMILIES if one.unlearner and one.unlearner.name == unlearner.name), None)
    if family is not None and not family.means(case.model):
        return f"it is for {family.name}, and the model is a {type(final_estimator(scorer(case.model))).__name__}"
    return None


def _why_not(case: Case, chosen: Unlearner) -> list[str]:
    """Return why no quicker method than the one chosen serves the case."""
    unlearner, known = own_unlearner(case.model), unlearners_of(case)
    if unlearner is None and chosen is REFIT:
        kind = type(final_estimator(scorer(case.model))).__name__
        return [f"No quicker method serves {with_article(kind)}, so it was trained again."]
    own = next((one for one in known if unlearner is not None and one.name == unlearner.name), None)
    reason = None if own is None or own.name == chosen.name else own.fits(case) or own.gives_way(case)
    return [f"Not done by {own.name}: {reason}."] if own is not None and reason else []
