"""Make the null case: applications for credit with nothing wrong in them.

Whether somebody deserves the credit depends on income, debt, employment and late payments, in just the way a logistic
regression can say; sex, age and branch do not enter, and no label was tampered with. What a search for causes of a gap finds
here is chance.

``python -m sample_data.null.make`` writes the tables, the fitted pipeline and ``case.toml``.
"""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

import core
from sample_data.making import LENDING_ROLES, draw, generators, scaled_and_encoded, write

N_TRAIN, N_TEST = 4_000, 3_000
NUMBERS = ["age", "log_income", "debt_ratio", "late_payments"]
CATEGORIES = ["sex", "branch", "employment"]
BRANCHES = {"north": 0.3, "south": 0.27, "east": 0.23, "west": 0.2}
EMPLOYMENT = {"permanent": 0.65, "temporary": 0.2, "none": 0.15}
EMPLOYMENT_POINTS = {"permanent": 0.5, "temporary": -0.4, "none": -1.2}

ROLES = LENDING_ROLES


@dataclasses.dataclass(frozen=True, eq=False)
class Null:
    """The null case before any model is fitted.

    Attributes
    ----------
    train, test : DataFrame
        One application a row; ``granted`` is the label.
    """

    train: pd.DataFrame
    test: pd.DataFrame


def make_null(seed: int = 0) -> Null:
    """Return both tables drawn from one seed."""
    of_train, of_test = generators(seed, 2)
    return Null(_applications(of_train, N_TRAIN, 100_001), _applications(of_test, N_TEST, 500_001))


def unfitted_pipeline() -> Pipeline:
    """Return the unfitted pipeline of the case."""
    return scaled_and_encoded(NUMBERS, CATEGORIES)


def make_case(null: Null) -> core.Case:
    """Return the case an analyst would open."""
    model = unfitted_pipeline().fit(null.train[NUMBERS + CATEGORIES], null.train["granted"])
    return core.Case(model, train=null.train, test=null.test, roles=ROLES, seed=0)


def _applications(rng: np.random.Generator, n: int, first: int) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "application": [f"N{number}" for number in range(first, first + n)],
            "sex": draw(rng, {"female": 0.5, "male": 0.5}, n),
            "age": np.round(21 + 49 * rng.beta(1.7, 2.3, n)).astype(np.int64),
            "branch": draw(rng, BRANCHES, n),
            "log_income": rng.normal(7.9, 0.45, n).round(3),
            "debt_ratio": rng.beta(2.2, 4.5, n).round(3),
            "late_payments": rng.poisson(0.7, n),
            "employment": draw(rng, EMPLOYMENT, n),
        }
    )
    points = (
        0.3
        + 3.0 * (frame["log_income"] - 7.9)
        - 4.0 * (frame["debt_ratio"] - 0.33)
        - 0.8 * (frame["late_payments"] - 0.7)
        + frame["employment"].map(EMPLOYMENT_POINTS)
    )
    frame["granted"] = (points + rng.logistic(size=n) > 0).astype(np.int64)
    return frame


def _to_write(seed: int) -> tuple[core.Case, None, str]:
    return make_case(make_null(seed)), None, f"{N_TRAIN} training records with nothing wrong in them"


if __name__ == "__main__":
    write("Make the null case.", Path(__file__).parent, _to_write)
