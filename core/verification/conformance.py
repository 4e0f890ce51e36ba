"""Conformance: what every unlearner must hold, checked against training again.

Anyone may run it on an unlearner of their own. Every check trains again at least once, so the case should be small.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import joblib
import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter

from core.case.case import Case
from core.case.scoring import positive_scores
from core.errors import InputError, RedressError
from core.typing import Positions
from core.unlearning.base import Guarantee, Removal, Unlearner, model_input, split_input
from core.unlearning.refit import fit_again

EXACT = 1e-9
"""Largest score difference that counts as rounding."""
TIGHT = 1e-8
"""Relative tolerance asked of certified unlearners."""


class ConformanceError(RedressError):
    """An unlearner does not hold what it claims."""


@dataclass(frozen=True)
class Check:
    """The outcome of one check.

    Parameters
    ----------
    name : str
    passed : bool
    detail : str
        The figures behind it.
    """

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True)
class Trial:
    """One unlearner on one case, with the randomness of its checks."""

    unlearner: Unlearner
    case: Case
    draw: np.random.Generator

    def remove(self, case: Case, positions: Positions) -> Removal:
        """Remove rows through the unlearner itself."""
        return self.unlearner.remove(case, positions, TIGHT)

    def some(self, share: float) -> Positions:
        """Draw retained rows, at least one, leaving every class."""
        rows = np.flatnonzero(self.case.retained)
        first = {int(np.flatnonzero(self.case.train_codes == code)[0]) for code in np.unique(self.case.train_codes)}
        free = np.array([row for row in rows if row not in first])
        return self.draw.choice(free, max(1, round(share * len(free))), replace=False)

    def apart(self, one: Case, other: Case | Any) -> float:
        """Return the largest difference of two cases' scores on all test rows.

        The second may be a model.
        """
        scores = [
            positive_scores(model, split_input(self.case, "test"), self.case.pos_column)
            for model in (one.model, other.model if isinstance(other, Case) else other)
        ]
        return float(np.abs(scores[0] - scores[1]).max())


def check_unlearner(unlearner: Unlearner, case: Case, *, seed: int = 0, raise_on_failure: bool = True) -> pd.DataFrame:
    """Check that an unlearner holds what it claims, against training again.

    Parameters
    ----------
    unlearner : Unlearner
        Yours or a registered one.
    case : Case
        One that it fits; a few hundred records are plenty.
    seed : int
        Seed of the rows removed.
    raise_on_failure : bool
        Whether to raise at the first check that fails.

    Returns
    -------
    DataFrame
        Indexed by check: ``passed`` and ``detail``.

    Raises
    ------
    ConformanceError
        Naming the check that failed, with its figures.
    InputError
        If the unlearner does not fit the case.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.linear_model import LogisticRegression
    >>> from core import Case, Roles
    >>> from core.unlearning.refit import Refit
    >>> table = pd.DataFrame({"income": [1.0, 2.0, 3.0, 4.0, 5.0] * 8, "sex": ["f", "m"] * 20, "granted": [0, 1, 0, 1, 1] * 8})
    >>> model = LogisticRegression().fit(table[["income"]], table["granted"])
    >>> case = Case(model, train=table, test=table, roles=Roles("granted", 1, 1, ["sex"]))
    >>> bool(check_unlearner(Refit(), case)["passed"].all())
    True
    """
    reason = unlearner.fits(case)
    if reason:
        raise InputError(f"The unlearner must fit the case. {unlearner.name!r} does not: {reason}.")
    trial = Trial(unlearner, case, np.random.default_rng(seed))
    outcomes = []
    for check in CHECKS:
        outcome = check(trial)
        if raise_on_failure and not outcome.passed:
            raise ConformanceError(
                f"{unlearner.name!r} must pass every check. It fails {outcome.name!r}: {outcome.detail}."
            )
        outcomes.append(outcome)
    index = pd.Index([outcome.name for outcome in outcomes], name="check")
    return pd.DataFrame(
        {"passed": [outcome.passed for outcome in outcomes], "detail": [outcome.detail for outcome in outcomes]},
        index=index,
    )


def _equals_training_again(trial: Trial) -> Check:
    worst, within = 0.0, True
    for share in (0.0, 0.02, 0.2):
        removal = trial.remove(trial.case, trial.some(share))
        distance = _distance(trial, removal)
        allowed = removal.bound if removal.guarantee is Guarantee.CERTIFIED else EXACT
        if removal.guarantee is Guarantee.APPROXIMATE:
            allowed = np.inf
        worst, within = max(worst, distance), within and distance <= (allowed or 0.0)
    return Check("equals training again, within what it declares", within, f"largest distance {worst:.2g}")


def _distance(trial: Trial, removal: Removal) -> float:
    model = trial.unlearner.retrained(trial.case, removal.case.retained)
    if model is not None:
        return trial.apart(removal.case, model)
    if removal.guarantee is Guarantee.CERTIFIED:
        oracle = trial.unlearner.oracle
        reached = oracle.parameters(removal.case.model)
        return float(np.linalg.norm(reached - oracle.optimum(trial.case, removal.case.retained)))
    model, _ = fit_again(trial.case, removal.case.retained)
    return trial.apart(removal.case, model)


def _declares_its_guarantee(trial: Trial) -> Check:
    removal = trial.remove(trial.case, trial.some(0.01))
    declared = trial.unlearner.guarantee
    bound = removal.guarantee is not Guarantee.CERTIFIED or (removal.bound is not None and np.isfinite(removal.bound))
    return Check(
        "returns the guarantee it declares",
        removal.guarantee is declared and bound,
        f"declared {declared.value}, returned {removal.guarantee.value}",
    )


def _in_steps_as_at_once(trial: Trial) -> Check:
    both = trial.some(0.06)
    half = len(both) // 2
    once = trial.remove(trial.case, both).case
    steps = trial.remove(trial.remove(trial.case, both[:half]).case, both[half:]).case if half else once
    apart = trial.apart(once, steps)
    return Check("A then B equals A and B together", apart <= _slack(trial), f"scores differ by {apart:.2g}")


def _in_any_order(trial: Trial) -> Check:
    rows = trial.some(0.05)
    apart = trial.apart(trial.remove(trial.case, rows).case, trial.remove(trial.case, rows[::-1].copy()).case)
    return Check("order does not matter", apart <= _slack(trial), f"scores differ by {apart:.2g}")


def _leaves_its_input(trial: Trial) -> Check:
    before = _fingerprint(trial.case)
    trial.remove(trial.case, trial.some(0.05))
    same = before == _fingerprint(trial.case)
    return Check("its input is bit-identical afterwards", same, "model, tables and mask compared")


def _removes_those_rows(trial: Trial) -> Check:
    rows = trial.some(0.05)
    gone = np.flatnonzero(trial.case.retained & ~trial.remove(trial.case, rows).case.retained)
    return Check(
        "exactly the rows asked for are gone",
        np.array_equal(gone, np.sort(rows)),
        f"{len(gone)} of {len(rows)} asked for",
    )


def _refuses_a_class(trial: Trial) -> Check:
    codes = trial.case.train_codes
    requests = [np.flatnonzero(trial.case.retained & (codes == code)) for code in np.unique(codes)]
    requests.append(np.flatnonzero(trial.case.retained))
    refused = sum(_raises(trial, rows) for rows in requests)
    return Check(
        "forgetting a whole class or everything raises",
        refused == len(requests),
        f"{refused} of {len(requests)} refused",
    )


def _weight_zero_is_removal(trial: Trial) -> Check:
    name = "weight 0 equals removal"
    if isinstance(trial.case.model, Pipeline) or trial.case.randomised:
        return Check(name, True, "asked of bare estimators only; preprocessing reads rows of weight 0 too")
    if trial.unlearner.guarantee is Guarantee.APPROXIMATE:
        return Check(name, True, "asked of exact and certified unlearners only")
    rows, oracle = trial.some(0.05), trial.unlearner.oracle
    removal = trial.remove(trial.case, rows)
    own = oracle.at_weight_0(trial.case, removal.case)
    if own is not None:
        return Check(name, *own)
    held = trial.unlearner.retrained(trial.case, removal.case.retained) is not None
    if held or getattr(trial.case.model, "bootstrap", False):
        return Check(name, True, "asked where training again draws no rows at random; weights change what is drawn")
    weight = np.ones(len(trial.case.retained)) if trial.case.train_weight is None else trial.case.train_weight.copy()
    weight[rows] = 0.0
    kept = trial.case.retained
    model, close = oracle.untrained(trial.case.model), max(_slack(trial), 1e-6)
    if not has_fit_parameter(model, "sample_weight"):
        return Check(name, True, "asked where models are fitted with weights")
    model.fit(model_input(trial.case, kept), trial.case.train_labels[kept], sample_weight=weight[kept])
    apart = trial.apart(removal.case, model)
    if apart > close:
        without, _ = fit_again(trial.case, removal.case.retained, model)
        anyway = trial.apart(removal.case.replace(without, removal.case.retained), model)
        if anyway > close:
            return Check(
                name,
                True,
                f"asked where the library itself takes weight 0 for absence; its own scores differ by {anyway:.2g}",
            )
    return Check(name, apart <= close, f"scores differ by {apart:.2g}")


def _raises(trial: Trial, rows: Positions) -> bool:
    try:
        trial.remove(trial.case, rows)
    except InputError:
        return True
    return False


def _slack(trial: Trial) -> float:
    return 1e-6 if trial.unlearner.guarantee is Guarantee.CERTIFIED else EXACT


def _fingerprint(case: Case) -> tuple[str, ...]:
    return joblib.hash(case.model), joblib.hash(case.retained), joblib.hash(case.train), joblib.hash(case.test)


CHECKS: tuple[Callable[[Trial], Check], ...] = (
    _equals_training_again,
    _declares_its_guarantee,
    _in_steps_as_at_once,
    _in_any_order,
    _leaves_its_input,
    _removes_those_rows,
    _refuses_a_class,
    _weight_zero_is_removal,
)
