"""KLoM: the divergence of margins between unlearned models and models trained again.

Two trainings of a learner that draws differ, so one unlearned model and one trained again tell little. Of each row the margins (log-odds
of its own label) under many unlearned models are held against those under as many models trained on the retained records alone: the
Kullback-Leibler divergence of histograms with 20 shared bins, as the literature has it, so that figures can be set beside its. Few
models leave bins empty; what two ensembles trained alike give is the floor, printed beside.

References
----------
Georgiev, K., Rinberg, R., Park, S. M. et al. (2024). Attribute-to-delete: machine unlearning via datamodel matching. arXiv:2410.23232.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import logit
from sklearn.base import clone

from core.actions.unlearn import unlearn
from core.case.arguments import check_count
from core.case.case import Case
from core.case.door import check_seed
from core.case.scoring import model_rows, positive_scores
from core.errors import InputError, InputTypeError, NotSupportedError
from core.former import check_progress
from core.shown import Shown
from core.typing import Array, Floats, Progress
from core.unlearning.base import UnlearnResult
from core.unlearning.refit import fit_again
from core.words import count

FEWEST_MODELS = 20
N_BINS, CLIP, EPSILON = 20, 100.0, 1e-5
MOST_ROWS = 500
"""Rows of each kind; of more a sample is taken."""
SAMPLE = 0.05, 0.5, 0.95


@dataclass(frozen=True, repr=False)
class MarginDivergence(Shown):
    """KLoM of a removal, by kind of row.

    Parameters
    ----------
    unlearned, not_unlearned, floor : dict of str to ndarray
        The divergence of each row, in nats, of the "forgotten" records, "retained" ones and "test" rows: from models trained again to
        unlearned ones, to the models before (nothing forgotten), and to as many others trained again.
    n_models : int
        In each ensemble.
    method : str
        Of the removal.
    """

    unlearned: dict[str, Floats]
    not_unlearned: dict[str, Floats]
    floor: dict[str, Floats]
    n_models: int
    method: str

    def to_frame(self) -> pd.DataFrame:
        """Return mean, median and 95th percentile of every kind of row and ensemble."""
        rows = {}
        for name, found in (
            ("unlearned", self.unlearned),
            ("not unlearned", self.not_unlearned),
            ("trained again", self.floor),
        ):
            for kind, values in found.items():
                rows[kind, name] = [
                    float(values.mean()),
                    *(float(np.quantile(values, share)) for share in (0.5, 0.95)),
                    len(values),
                ]
        table = pd.DataFrame.from_dict(rows, orient="index", columns=["mean", "median", "95th percentile", "rows"])
        table.index = pd.MultiIndex.from_tuples(table.index, names=["rows of", "models"])
        return table

    def lines(self) -> list[str]:
        """Say how far unlearned models are from models trained again, and what the floor is."""
        head = f"KLoM, {count(self.n_models, 'model')} in each ensemble, removal by {self.method}"
        return [
            head,
            *(
                f"{kind}: {self.unlearned[kind].mean():.2f} nats unlearned, {self.not_unlearned[kind].mean():.2f} not unlearned, "
                f"{self.floor[kind].mean():.2f} between trainings alone"
                for kind in self.unlearned
            ),
        ]


def klom(
    result: UnlearnResult, *, n_models: int = FEWEST_MODELS, seed: int = 0, progress: Progress | None = None
) -> MarginDivergence:
    """Return the divergence of margins between unlearned models and models trained again.

    Costs three trainings and one removal for each of `n_models`.

    Parameters
    ----------
    result : UnlearnResult
        The removal; the same records are removed from models trained anew with other seeds.
    n_models : int
        In each ensemble, 20 or more.
    seed : int
        The first of the seeds, and of the samples of rows.
    progress : callable, optional
        Called with the share done and what is being done; may raise to cancel.

    Returns
    -------
    MarginDivergence

    Raises
    ------
    InputError
        If nothing was removed, or `n_models` is below 20.
    NotSupportedError
        If the learner draws nothing: then every training is the same one, and `core.retrain_gap` says all.
    """
    before, ids, seeds = _checked(result, n_models, seed, progress)
    tables, column = _rows(before, result.case, seed), before.pos_column
    margins: dict[str, list[dict[str, Floats]]] = {"unlearned": [], "not unlearned": [], "again": [], "others": []}
    for number in range(n_models):
        if progress is not None:
            progress(number / n_models, f"Training and unlearning, {number + 1} of {n_models}")
        first = _fitted(before, before.retained, seeds, seed + number)
        margins["not unlearned"].append(_margins(first, tables, column))
        gone = unlearn(before.replace(first, before.retained), ids, method=result.method).case
        margins["unlearned"].append(_margins(gone.model, tables, column))
        for name, which in (("again", n_models + number), ("others", 2 * n_models + number)):
            margins[name].append(_margins(_fitted(before, result.case.retained, seeds, seed + which), tables, column))
    stacked = {
        name: {kind: np.stack([one[kind] for one in found]) for kind in tables} for name, found in margins.items()
    }
    found = {
        name: {kind: divergence(stacked["again"][kind], stacked[name][kind]) for kind in tables}
        for name in ("unlearned", "not unlearned", "others")
    }
    return MarginDivergence(found["unlearned"], found["not unlearned"], found["others"], n_models, result.method)


def divergence(p: Floats, q: Floats) -> Floats:
    """Return the Kullback-Leibler divergence of histograms of each column, from `p` to `q`.

    Parameters
    ----------
    p, q : ndarray, shape (n_models, n_rows)
        Margins; 20 bins are shared between the least and the largest of both.

    Returns
    -------
    ndarray, shape (n_rows,)
        In nats; 0 where both are alike, 8 to 12 where they share no bin.

    Examples
    --------
    >>> draws = np.arange(20.0)[:, None]
    >>> divergence(draws, draws).round(3).tolist(), divergence(draws, draws + 100.0).round(1).tolist()
    ([0.0], [10.1])
    """
    p, q = np.clip(p, -CLIP, CLIP), np.clip(q, -CLIP, CLIP)
    low = np.minimum(p.min(axis=0), q.min(axis=0))
    width = np.maximum(np.maximum(p.max(axis=0), q.max(axis=0)) - low, np.finfo(float).tiny)
    shares = []
    for draws in (p, q):
        bins = np.minimum(((draws - low) / width * N_BINS).astype(np.intp), N_BINS - 1)
        share = np.stack([(bins == one).mean(axis=0) for one in range(N_BINS)]) + EPSILON
        shares.append(share / share.sum(axis=0))
    return np.asarray((shares[0] * np.log(shares[0] / shares[1])).sum(axis=0))


def _checked(
    result: UnlearnResult, n_models: int, seed: int, progress: Progress | None
) -> tuple[Case, pd.Index, list[str]]:
    check_progress(progress)
    check_seed(seed)
    check_count("n_models", n_models)
    if not isinstance(result, UnlearnResult):
        raise InputTypeError(f"`result` must be what core.unlearn gives. Got {type(result).__name__} instead.")
    before, after = result.before, result.case
    gone = before.retained & ~after.retained
    if not gone.any():
        raise InputError("A removal must have been made. This result forgot no record; remove some first.")
    if n_models < FEWEST_MODELS:
        raise InputError(f"`n_models` must be {FEWEST_MODELS} or more, or histograms say nothing. Got {n_models}.")
    seeds = [name for name in before.model.get_params() if name.rpartition("__")[2] == "random_state"]
    model = before.model
    if not seeds or _same_twice(before, seeds):
        raise NotSupportedError(
            f"KLoM compares trainings that differ by what they draw. A {type(model).__name__} gives the same model with every seed; "
            "core.retrain_gap compares it with the one it has."
        )
    return before, before.record_ids[gone], seeds


def _same_twice(case: Case, seeds: list[str]) -> bool:
    """Return whether trainings with two seeds score the explore rows alike."""
    rows = case.X_test.iloc[case.rows("explore")[:MOST_ROWS]]
    scores = [
        positive_scores(model, model_rows(model, rows), case.pos_column)
        for model in (_fitted(case, case.retained, seeds, one) for one in (0, 1))
    ]
    return bool(np.array_equal(scores[0], scores[1]))


def _fitted(case: Case, retained: Array, seeds: list[str], seed: int) -> Any:
    return fit_again(case, retained, clone(case.model).set_params(**dict.fromkeys(seeds, seed)))[0]


def _rows(before: Case, after: Case, seed: int) -> dict[str, tuple[pd.DataFrame, Array]]:
    """Return rows of each kind with their labels, samples where they are many."""
    draw = np.random.default_rng(seed)
    labels = before.train_codes == before.pos_column
    gone, kept = before.retained & ~after.retained, after.retained
    explore = before.rows("explore")
    places = {"forgotten": np.flatnonzero(gone), "retained": np.flatnonzero(kept), "test": np.arange(len(explore))}
    chosen = {
        kind: np.sort(draw.choice(of, min(len(of), MOST_ROWS), replace=False)) if len(of) else of
        for kind, of in places.items()
    }
    X, y = before.X_test.iloc[explore], before.y("explore")
    return {
        kind: (X.iloc[rows], y[rows]) if kind == "test" else (before.X_train.iloc[rows], labels[rows])
        for kind, rows in chosen.items()
    }


def _margins(model: Any, tables: dict[str, tuple[pd.DataFrame, Array]], column: int) -> dict[str, Floats]:
    """Return the log-odds of each row's own label."""
    found = {}
    for kind, (rows, label) in tables.items():
        scores = positive_scores(model, model_rows(model, rows), column)
        odds = logit(np.clip(scores, 0.0, 1.0))
        found[kind] = np.clip(np.where(label, odds, -odds), -CLIP, CLIP)
    return found
