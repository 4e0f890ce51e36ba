"""What the makers of the sample cases share."""

import argparse
import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import core

LENDING_ROLES = core.Roles(
    target="granted",
    pos_label=1,
    favorable_label=1,
    sensitive_features=["sex", "age"],
    record_id="application",
    bins={"age": (30, 45, 60)},
)


def draw(rng: np.random.Generator, shares: dict[str, float], n: int) -> npt.NDArray[np.object_]:
    """Return n values drawn with the given shares."""
    return rng.choice(np.array(list(shares), dtype=object), size=n, p=list(shares.values()))


def generators(seed: int, n: int) -> tuple[np.random.Generator, ...]:
    """Return n independent random streams of one seed."""
    return tuple(map(np.random.default_rng, np.random.SeedSequence(seed).spawn(n)))


@dataclasses.dataclass(frozen=True, eq=False)
class Planted:
    """A case with labels turned on purpose, before any model is fitted.

    Attributes
    ----------
    train, test : DataFrame
        Labels of `train` were turned, those of `test` are the truth.
    turned : Index
        The answer key: ids of the training records whose label was turned from 1 to 0.
    true_train : DataFrame
        The training table with its true labels.
    """

    train: pd.DataFrame
    test: pd.DataFrame
    turned: pd.Index
    true_train: pd.DataFrame


def plant(
    truth: pd.DataFrame,
    test: pd.DataFrame,
    roles: core.Roles,
    inside: pd.Series,
    share: float,
    rng: np.random.Generator,
) -> Planted:
    """Return the case in which a share of the training labels 1 inside a rule were turned to 0."""
    labels = truth[roles.target]
    turned = inside & (labels == 1) & (rng.random(len(truth)) < share)
    train = truth.assign(**{roles.target: labels.mask(turned, 0)})
    return Planted(train, test, pd.Index(truth.loc[turned, roles.record_id]), truth)


def scaled_and_encoded(numbers: Sequence[str], categories: Sequence[str]) -> Pipeline:
    """Return an unfitted pipeline: scaling, one-hot encoding, logistic regression."""
    columns = ColumnTransformer(
        [
            ("numbers", StandardScaler(), list(numbers)),
            ("categories", OneHotEncoder(handle_unknown="ignore"), list(categories)),
        ]
    )
    return make_pipeline(columns, LogisticRegression(solver="newton-cholesky", tol=1e-12))


def write(
    description: str,
    folder: Path,
    make: Callable[[int], tuple[core.Case, pd.Index | None, str]],
    beside: Callable[[int], dict[str, pd.DataFrame]] | None = None,
) -> None:
    """Read seed and folder from the command line, and write the case, and the answer key where there is one.

    Parameters
    ----------
    description : str
        For ``--help``.
    folder : Path
        Where to write unless told otherwise.
    make : callable
        From a seed: the case, the answer key, and a sentence to print.
    beside : callable, optional
        From a seed: further tables by the name of their CSV file.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=folder)
    options = parser.parse_args()
    case, answer_key, sentence = make(options.seed)
    case.save(options.folder)
    if answer_key is not None:
        answer_key.to_frame(index=False).to_csv(options.folder / "answer_key.csv", index=False)
    for name, table in (beside(options.seed) if beside is not None else {}).items():
        table.to_csv(options.folder / name, index=False)
    print(f"{sentence}; written to {options.folder}")
