"""Whether the forgotten records can still be told from rows the model never saw.

Two attacks. The loss attack takes a record for a training record where the model is sure of its label (Yeom et al. 2018). The likelihood
ratio sets that against models that did not see it (Carlini et al. 2022, offline), here refits on random halves of the retained records.
An area under the curve of 0.5 says nothing by itself, since forgotten records and new rows may differ in kind; so the unlearned model is
held against models trained again without the records, paired row by row (DeLong et al. 1988).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import norm, rankdata
from sklearn.base import clone

from core.case.case import Case
from core.case.scoring import model_rows, positive_scores
from core.shown import Shown
from core.typing import Floats, Positions, Progress
from core.unlearning.base import model_input
from core.unlearning.refit import fit_again
from core.words import count

FEWEST = 50
"""Of fewer forgotten records the attack tells nothing."""
MARGIN = 0.05
"""By so much the area under the curve may exceed that of models trained again."""
MOST_ROWS = 5_000
FEWEST_FOR_RATE = 1_000
"""Never-seen rows that a true positive rate at 1% false positives needs."""
SMALL = 1e-7
LEVEL = 0.95
SEED = 20_000
Verdict = Literal["forgotten", "remembered", "cannot_tell", "too_few"]
WORDS = {
    "forgotten": "no more than models trained again without them",
    "remembered": "more than models trained again without them",
    "cannot_tell": "these rows cannot tell whether more than models trained again without them",
    "too_few": f"fewer than {FEWEST} forgotten records are too few to tell",
}


class Area(NamedTuple):
    """An area under the ROC curve with its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, repr=False)
class Membership(Shown):
    """A membership attack on forgotten records: before, after, and on models trained again.

    Parameters
    ----------
    attack : {"loss", "likelihood_ratio"}
    before, after, null : Area
        Areas under the curve: of the model before, of the unlearned one, and of the mean of the models trained again.
    excess, low, high : float
        `after` less `null`, paired row by row, with its 95% interval.
    margin : float
        The excess that is allowed.
    n_forgotten, n_unseen : int
        Forgotten records, and test rows no model was trained on.
    n_null, n_reference : int
        Models trained again, and reference models of the likelihood ratio.
    rate_before, rate_after, rate_null : float
        True positive rates at 1% false positives; NaN with fewer than 1,000 never-seen rows.
    """

    attack: Literal["loss", "likelihood_ratio"]
    before: Area
    after: Area
    null: Area
    excess: float
    low: float
    high: float
    margin: float
    n_forgotten: int
    n_unseen: int
    n_null: int
    n_reference: int
    rate_before: float = float("nan")
    rate_after: float = float("nan")
    rate_null: float = float("nan")

    @property
    def verdict(self) -> Verdict:
        """Whether the records are remembered.

        By a non-inferiority test against the models trained again.
        """
        if self.n_forgotten < FEWEST:
            return "too_few"
        if self.high <= self.margin:
            return "forgotten"
        return "remembered" if self.low > 0 and self.excess > self.margin else "cannot_tell"

    @property
    def sentence(self) -> str:
        """The figures in words."""
        if self.verdict == "too_few":
            return f"{count(self.n_forgotten)} forgotten: {WORDS['too_few']}."
        return (
            f"Told from {count(self.n_unseen, 'row')} never seen with an area under the curve of {self.before.value:.3f} before, {self.after.value:.3f} "
            f"after and {self.null.value:.3f} by models trained again ({self.n_null}): {WORDS[self.verdict]} (excess {self.excess:+.3f}, 95% "
            f"{self.low:+.3f} to {self.high:+.3f}, {self.margin:g} allowed)."
        )

    def lines(self) -> list[str]:
        """Say what the attack can tell."""
        return [
            f"Membership, {self.attack.replace('_', ' ')} attack on {count(self.n_forgotten, 'forgotten record')}",
            self.sentence,
        ]

    def to_frame(self) -> pd.DataFrame:
        """Return the areas under the curve, a row for each model."""
        areas = {"before": self.before, "after": self.after, "trained again": self.null}
        rates = (self.rate_before, self.rate_after, self.rate_null)
        table = pd.DataFrame([area._asdict() for area in areas.values()], index=pd.Index(areas, name="model"))
        return table.assign(rate_at_1_percent=rates)


def areas_of(inside: Floats, outside: Floats) -> tuple[float, Floats, Floats]:
    """Return the area under the curve of a score, and its placements.

    Parameters
    ----------
    inside : ndarray, shape (m,)
        Scores of members: larger is to mean member.
    outside : ndarray, shape (n,)

    Returns
    -------
    area : float
        Ties count half.
    of_inside : ndarray, shape (m,)
        Share of outsiders below each member; means `area`.
    of_outside : ndarray, shape (n,)
        Share of members above each outsider; means `area`.

    Examples
    --------
    >>> area, _, _ = areas_of(np.array([0.2, 0.9]), np.array([0.1, 0.2]))
    >>> float(area)
    0.875
    """
    m, n = len(inside), len(outside)
    ranks = rankdata(np.concatenate([inside, outside]))
    of_inside = (ranks[:m] - rankdata(inside)) / n
    of_outside = 1.0 - (ranks[m:] - rankdata(outside)) / m
    return float(of_inside.mean()), of_inside, of_outside


def _spread(of_inside: Floats, of_outside: Floats) -> float:
    """Return DeLong's standard error of a mean of placements."""
    parts = [part.var(ddof=1) / len(part) if len(part) > 1 else np.inf for part in (of_inside, of_outside)]
    return float(np.sqrt(sum(parts)))


def _area(placed: tuple[float, Floats, Floats]) -> Area:
    value, of_inside, of_outside = placed
    half = float(norm.ppf(0.5 + LEVEL / 2)) * _spread(of_inside, of_outside)
    return Area(value, max(0.0, value - half), min(1.0, value + half))


def confidence(case: Case, model: Any, rows: Any, positive: Any) -> Floats:
    """Return how sure a model is of the labels of rows.

    The log odds of the label, or the signed score where the model gives no probabilities.

    Parameters
    ----------
    case : Case
    model : estimator
        Fitted on the case's columns.
    rows : DataFrame or ndarray
        As the model takes them.
    positive : ndarray of bool
        Whether the label is pos_label.
    """
    score = positive_scores(model, rows, case.pos_column)
    if case.score_kind == "probability":
        score = np.clip(score, SMALL, 1.0 - SMALL)
        score = np.log(score) - np.log1p(-score)
    return np.where(positive, score, -score)


@dataclass(frozen=True)
class Attacked:
    """The rows of an attack: the forgotten records and rows never seen, with their labels."""

    case: Case
    forgotten: Any
    unseen: Any
    forgotten_positive: Any
    unseen_positive: Any

    @classmethod
    def of(cls, before: Case, after: Case) -> Attacked:
        """Return the rows of an attack on the records that `after` no longer knows.

        At most 5,000 of each kind, evenly spread.
        """
        gone = _some(np.flatnonzero(before.retained & ~after.retained))
        unseen = _some(after.rows("test"))
        return cls(
            after,
            model_input(before, gone),
            model_rows(after.model, after.X_test.iloc[unseen]),
            np.asarray(before.train_labels[gone] == before.roles.pos_label),
            after.y("test")[unseen],
        )

    def scores(self, model: Any) -> Floats:
        """Return a model's scores of pos_label for the forgotten records."""
        return positive_scores(model, self.forgotten, self.case.pos_column)

    def sure(self, model: Any) -> tuple[Floats, Floats]:
        """Return how sure a model is of the labels, of forgotten records and of rows never seen."""
        return (
            confidence(self.case, model, self.forgotten, self.forgotten_positive),
            confidence(self.case, model, self.unseen, self.unseen_positive),
        )


def _some(rows: Positions) -> Positions:
    if len(rows) <= MOST_ROWS:
        return rows
    return rows[np.linspace(0, len(rows) - 1, MOST_ROWS).astype(np.intp)]


class AttackModels(NamedTuple):
    """The models of an attack: trained again on all retained records, and on halves of them."""

    null: list[Any]
    reference: list[Any]


def trained_models(after: Case, again: Any, n_null: int, n_reference: int, progress: Progress | None) -> AttackModels:
    """Train the models that an attack is held against.

    Parameters
    ----------
    after : Case
        The unlearned case.
    again : estimator
        The model trained again with the recorded seeds; the null for learners that draw nothing.
    n_null : int
        Trainings with other seeds, for learners that draw: the same draws would give `again` by construction.
    n_reference : int
        Trainings on random halves of the retained records.
    progress : callable, optional
    """
    seeds = [name for name in again.get_params() if name.rpartition("__")[2] == "random_state"]
    whole = n_null if seeds else 0
    draw = np.random.default_rng(SEED)
    null, reference = [], []
    for done in range(whole + n_reference):
        if progress is not None:
            progress(
                done / max(whole + n_reference, 1),
                f"Training model {done + 1} of {whole + n_reference} to compare with",
            )
        model = clone(again).set_params(**dict.fromkeys(seeds, SEED + done)) if seeds else clone(again)
        if done < whole:
            null.append(fit_again(after, after.retained, model)[0])
        else:
            half = after.retained & (draw.random(len(after.retained)) < 0.5)
            reference.append(fit_again(after, half, model)[0])
    return AttackModels(null or [again], reference)


def attack(
    kind: Literal["loss", "likelihood_ratio"],
    rows: Attacked,
    before: Any,
    after: Any,
    models: AttackModels,
    margin: float = MARGIN,
) -> Membership:
    """Attack the forgotten records with models that were trained for it.

    Parameters
    ----------
    kind : {"loss", "likelihood_ratio"}
    rows : Attacked
    before, after : estimator
    models : AttackModels
    margin : float
        The excess that is allowed.
    """
    base = _expected(rows, models.reference) if kind == "likelihood_ratio" else (0.0, 0.0)

    def placed(model: Any) -> tuple[float, Floats, Floats]:
        inside, outside = rows.sure(model)
        return areas_of(inside - base[0], outside - base[1])

    first, now, again = placed(before), placed(after), [placed(model) for model in models.null]
    mean = _mean(again)
    excess = now[0] - mean[0]
    error = np.hypot(_spread(now[1] - mean[1], now[2] - mean[2]), _between([one[0] for one in again]))
    half = float(norm.ppf(0.5 + LEVEL / 2)) * float(error)
    rates = [float("nan")] * 3
    if len(first[2]) >= FEWEST_FOR_RATE:
        rates = [_rate(one[1]) for one in (first, now, mean)]
    return Membership(
        kind,
        _area(first),
        _area(now),
        _area(mean),
        excess,
        excess - half,
        excess + half,
        margin,
        len(now[1]),
        len(now[2]),
        len(again),
        len(models.reference),
        *rates,
    )


def _expected(rows: Attacked, reference: Sequence[Any]) -> tuple[Any, Any]:
    """Return how sure the reference models are on average of the rows of an attack.

    They saw neither the forgotten records nor the other rows.
    """
    sure = [rows.sure(model) for model in reference]
    return tuple(np.mean([one[side] for one in sure], axis=0) for side in (0, 1))


def _mean(placed: Sequence[tuple[float, Floats, Floats]]) -> tuple[float, Floats, Floats]:
    return (
        float(np.mean([one[0] for one in placed])),
        np.mean([one[1] for one in placed], axis=0),
        np.mean([one[2] for one in placed], axis=0),
    )


def _between(areas: Sequence[float]) -> float:
    """Return the standard error of a mean of areas against the area of one more training.

    Areas vary from training to training: those of the mean do, and so does the one beside it.
    """
    return float(np.std(areas, ddof=1) * np.sqrt(1.0 + 1.0 / len(areas))) if len(areas) > 1 else 0.0


def _rate(of_inside: Floats) -> float:
    """Return the share of members that lie above all but 1% of the outsiders."""
    return float(np.mean(of_inside >= 0.99))
