"""Whether records were forgotten, and who pays for it.

Tried against training again, by an attack, and by a search of the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from core.case.case import Case
from core.errors import InputError, InputTypeError, RedressError
from core.former import check_progress
from core.metrics.compare import compare
from core.metrics.guardrails.guard import guardrails
from core.metrics.guardrails.result import Guardrails
from core.shown import Shown
from core.typing import Feature, Floats, Progress, part_of
from core.unlearning.base import Guarantee, UnlearnResult
from core.verification.membership import Attacked, Membership, attack, trained_models
from core.verification.residue import Residue, residue
from core.verification.retrain_gap import RetrainGap, retrain_gap
from core.words import count, percent, seconds

N_NULL, N_REFERENCE, N_SEEDS = 5, 8, 3
REMEMBERED = 0.5
"""A model that is left with so much of its distance to the retrained one did not forget."""
SAME = 1e-9
"""Mean differences in score below this are none."""
CLEARLY = 1.5
"""A difference that is to tell something is so many times what trainings differ by among themselves."""
Verdict = Literal["forgotten", "not_forgotten", "not_shown"]
VERDICTS = {
    "forgotten": "Forgotten, as far as these checks can tell",
    "not_forgotten": "Not forgotten",
    "not_shown": "Not shown either way",
}


@dataclass(frozen=True, repr=False)
class Proof(Shown):
    """The checks of a removal, and their results.

    Parameters
    ----------
    result : UnlearnResult
        The removal.
    retrain_gap : RetrainGap
        The distance of the unlearned model from one trained again on the retained records.
    left : float
        Of the mean distance in score between the model before and models trained again, on the forgotten records, the share that the unlearned
        model is left with: 0 where it is such a model, 1 where nothing was forgotten. For learners that draw, what trainings differ by among
        themselves is taken off both. NaN where the records make no more difference than that.
    parameter_distance : float
        Euclidean distance of the coefficients and intercepts from those of the retrained model, relative to their length; NaN for models
        without them.
    metrics : DataFrame
        Every metric of the retrained model (``before``) and of the unlearned one (``after``), as `core.compare` gives them.
    membership : tuple of Membership
        The loss attack, then the likelihood ratio; empty where the model gives no scores to attack.
    residue : Residue
    guardrails : Guardrails or None
        Who got better and worse; None where no gap is defined.
    on : str
        The rows of gap, metrics and guardrails.
    notes : tuple of str
        What could not be checked, a sentence each.
    """

    result: UnlearnResult
    retrain_gap: RetrainGap
    left: float
    parameter_distance: float
    metrics: pd.DataFrame
    membership: tuple[Membership, ...]
    residue: Residue
    guardrails: Guardrails | None
    on: str
    notes: tuple[str, ...] = ()

    @property
    def seconds_refit(self) -> float:
        """The time that training again took, in seconds."""
        return self.retrain_gap.seconds

    @property
    def seconds_unlearn(self) -> float:
        """The time that the removal took, in seconds."""
        return self.result.seconds

    @property
    def like_retrained(self) -> bool | None:
        """Whether the unlearned model is where training again ends.

        None where the records made no difference to tell it by.
        """
        return None if np.isnan(self.left) else bool(self.left <= REMEMBERED)

    @property
    def verdict(self) -> Verdict:
        """The verdict of the checks together: one that fails outweighs all others."""
        attacked = [one.verdict for one in self.membership]
        if not self.residue.clean or self.like_retrained is False or "remembered" in attacked:
            return "not_forgotten"
        return "forgotten" if self.like_retrained or "forgotten" in attacked else "not_shown"

    @property
    def sentence(self) -> str:
        """The verdict and what it rests on."""
        parts = [f"{VERDICTS[self.verdict]}."]
        if not np.isnan(self.left):
            way = max(0.0, 1.0 - self.left)
            parts.append(
                f"The model went {percent(way)} of the way to the one trained again without the {count(self.result.n_forgotten, 'record')}."
            )
        parts.append(self.retrain_gap.sentence)
        parts.append(self.residue.sentence)
        parts += [one.sentence for one in self.membership]
        return " ".join(parts)

    def lines(self) -> list[str]:
        """Say what was checked and what came of it."""
        times = f"removed in {seconds(self.seconds_unlearn)}, trained again in {seconds(self.seconds_refit)}"
        checks = [self.retrain_gap.sentence, self.residue.sentence, *(one.sentence for one in self.membership)]
        who = [] if self.guardrails is None else [self.guardrails.sentence]
        return [f"Proof: {VERDICTS[self.verdict].lower()}; {times}", *checks, *who, *self.notes]

    def to_frame(self) -> pd.DataFrame:
        """Return the checks, one a row: what was measured, and whether it holds."""
        rows = [
            ("distance left to the retrained model", self.left, self.like_retrained),
            ("mean difference in score", self.retrain_gap.mean, None),
            ("largest difference in score", self.retrain_gap.largest, None),
            ("decisions that differ", self.retrain_gap.flipped, None),
            ("distance of parameters", self.parameter_distance, None),
            ("arrays that hold forgotten records", float(len(self.residue.found)), self.residue.clean),
            *(
                (
                    f"excess of the {one.attack.replace('_', ' ')} attack",
                    one.excess,
                    {"forgotten": True, "remembered": False}.get(one.verdict),
                )
                for one in self.membership
            ),
        ]
        return pd.DataFrame(rows, columns=["check", "value", "holds"])

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain values, for evidence."""
        gap = self.retrain_gap
        return {
            "verdict": self.verdict,
            "sentence": self.sentence,
            "on": self.on,
            "left": _number(self.left),
            "parameter_distance": _number(self.parameter_distance),
            "retrain_gap": {"mean": gap.mean, "largest": gap.largest, "flipped": gap.n_flipped, "n": gap.n},
            "membership": [
                {
                    "attack": one.attack,
                    "before": one.before.value,
                    "after": one.after.value,
                    "null": one.null.value,
                    "excess": one.excess,
                    "low": one.low,
                    "high": one.high,
                    "verdict": one.verdict,
                }
                for one in self.membership
            ],
            "residue": self.residue.found.to_dict("records"),
            "guardrails": None
            if self.guardrails is None
            else {"verdict": self.guardrails.verdict, "sentence": self.guardrails.sentence},
            "seconds_unlearn": self.seconds_unlearn,
            "seconds_refit": self.seconds_refit,
            "notes": list(self.notes),
        }


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def verify(
    result: UnlearnResult,
    *,
    metric: str | None = None,
    sensitive_feature: Feature | None = None,
    on: str = "explore",
    attacks: bool = True,
    progress: Progress | None = None,
) -> Proof:
    """Check whether a removal forgot its records.

    The model is trained again on the retained records and compared: scores, decisions, parameters and every metric. Two membership attacks are
    held against models trained again; the model is searched for rows of the forgotten records; the guardrails say who pays.

    Parameters
    ----------
    result : UnlearnResult
        Of `core.unlearn`, with the case before and after.
    metric : str, optional
        The gap of the guardrails; None is "equal_opportunity_difference".
    sensitive_feature : str or tuple of str, optional
        Between whose groups; None is the first.
    on : {"explore", "confirm", "test"}
        Rows of metrics and guardrails; looking at confirm rows is counted.
    attacks : bool
        Whether to make the membership attacks: up to 13 further trainings.
    progress : callable, optional
        Called with the share done and what is being done; may raise to cancel.

    Returns
    -------
    Proof

    Raises
    ------
    InputTypeError
        If `result` is no result of a removal.
    InputError
        If nothing was removed.
    NotSupportedError
        If the model cannot be trained again.

    Notes
    -----
    A check that holds is no proof that nothing can be told of the records; one that fails is proof that something can.

    Examples
    --------
    >>> import core
    >>> case = core.load_case("credit")
    >>> result = core.unlearn(case, case.record_ids[:60])
    >>> proof = core.verify(result, attacks=False)
    >>> proof.verdict, proof.residue.clean, proof.left < 0.01
    ('forgotten', True, True)
    """
    check_progress(progress)
    if not isinstance(result, UnlearnResult):
        raise InputTypeError(f"`result` must be what core.unlearn returns. Got {type(result).__name__}.")
    before, after = result.before, result.case
    if not (before.retained & ~after.retained).any():
        raise InputError("A proof needs records that were removed. Nothing was; `result` is of another kind of change.")
    again = retrain_gap(after, n_seeds=N_SEEDS if result.same_draws else 0, on=on, progress=part_of(progress, 0.0, 0.3))
    notes: list[str] = []
    table = compare(again.refit, after, on=on)
    side = _guardrails(before, after, metric, sensitive_feature, on, notes)
    rows, draws = Attacked.of(before, after), result.same_draws or result.guarantee is Guarantee.APPROXIMATE
    models = trained_models(
        after, again.refit.model, N_NULL if draws else 0, N_REFERENCE if attacks else 0, part_of(progress, 0.3, 1.0)
    )
    pair = before.model, after.model
    attacked = (attack("loss", rows, *pair, models), attack("likelihood_ratio", rows, *pair, models)) if attacks else ()
    return Proof(
        result,
        again,
        left_of(rows, *pair, models.null),
        _parameter_distance(after.model, again.refit.model),
        table,
        attacked,
        residue(after),
        side,
        on,
        tuple(notes),
    )


def _guardrails(
    before: Case, after: Case, metric: str | None, feature: Feature | None, on: str, notes: list[str]
) -> Guardrails | None:
    try:
        return guardrails(before, after, metric=metric, sensitive_feature=feature, on=on)
    except RedressError as error:
        notes.append(f"No guardrails: {error}")
        return None


def left_of(rows: Attacked, before: Any, after: Any, null: Sequence[Any]) -> float:
    """Return the share of the way to models trained again that is left on forgotten records.

    The way begins at the model before the removal.

    Parameters
    ----------
    rows : Attacked
    before, after : estimator
    null : sequence of estimator
        Trained again without the records; of several, their distance from one another is noise.
    """
    scores = [rows.scores(model) for model in (before, after, *null)]
    first, now, again = scores[0], scores[1], scores[2:]
    noise = float(np.mean([np.abs(a - b).mean() for a, b in combinations(again, 2)])) if len(again) > 1 else 0.0
    whole, apart = (float(np.mean([np.abs(one - other).mean() for other in again])) for one in (first, now))
    if whole <= max(SAME, CLEARLY * noise):
        return float("nan")
    return max(0.0, apart - noise) / (whole - noise)


def _parameter_distance(model: Any, again: Any) -> float:
    ends = [_parameters(one) for one in (model, again)]
    if ends[0] is None or ends[1] is None or ends[0].shape != ends[1].shape:
        return float("nan")
    return float(np.linalg.norm(ends[0] - ends[1]) / max(float(np.linalg.norm(ends[1])), np.finfo(float).tiny))


def _parameters(model: Any) -> Floats | None:
    last = model.steps[-1][1] if isinstance(model, Pipeline) else model
    if not hasattr(last, "coef_") or not hasattr(last, "intercept_"):
        return None
    try:
        return np.concatenate([np.ravel(np.asarray(one, dtype=np.float64)) for one in (last.coef_, last.intercept_)])
    except (TypeError, ValueError):
        return None
