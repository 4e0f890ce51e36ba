"""Make the trap: a gap that closes when the records behind it are forgotten, and nobody is better off for it.

Whether somebody repays depends on income, debt and on whether the loan is secured by property, and the labels say so truly. More men
than women ask for secured loans, so more of them are granted credit: a gap in demographic parity without a wronged person.
Without the records of secured loans the model no longer knows how safe these are. Parity rises, because those who would have
been granted one are now refused, women and men alike.

``python -m sample_data.trap.make`` writes the tables, the fitted pipeline, ``case.toml`` and the answer key.
"""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

import core
from sample_data.making import draw, generators, scaled_and_encoded, write

N_TRAIN, N_TEST = 8_000, 6_000
RULE = "security = 'property'"
NUMBERS = ["age", "income", "debt_ratio"]
CATEGORIES = ["sex", "security", "purpose"]
SECURED_SHARE = {"female": 0.06, "male": 0.26}
PURPOSES = {"car": 0.35, "home": 0.30, "education": 0.20, "other": 0.15}

ROLES = core.Roles(
    target="granted", pos_label=1, favorable_label=1, sensitive_features=["sex"], record_id="application"
)


@dataclasses.dataclass(frozen=True, eq=False)
class Trap:
    """The trap before any model is fitted.

    Attributes
    ----------
    train, test : DataFrame
        One application a row; ``granted`` is the label, and true.
    tempting : Index
        The answer key: ids of the training records whose removal closes the gap and helps nobody.
    """

    train: pd.DataFrame
    test: pd.DataFrame
    tempting: pd.Index


def make_trap(seed: int = 0) -> Trap:
    """Return the tables and the answer key drawn from one seed."""
    of_train, of_test = generators(seed, 2)
    train, test = _applications(of_train, N_TRAIN, 100_001), _applications(of_test, N_TEST, 500_001)
    return Trap(train, test, pd.Index(train.loc[in_rule(train), "application"]))


def in_rule(frame: pd.DataFrame) -> pd.Series:
    """Return which applications are for secured loans."""
    return frame["security"].eq("property")


def unfitted_pipeline() -> Pipeline:
    """Return the unfitted pipeline of the case."""
    return scaled_and_encoded(NUMBERS, CATEGORIES)


def make_case(trap: Trap) -> core.Case:
    """Return the case an analyst would open."""
    model = unfitted_pipeline().fit(trap.train[NUMBERS + CATEGORIES], trap.train["granted"])
    return core.Case(model, train=trap.train, test=trap.test, roles=ROLES, seed=0)


def _applications(rng: np.random.Generator, n: int, first: int) -> pd.DataFrame:
    sex = draw(rng, {"female": 0.5, "male": 0.5}, n)
    secured = rng.random(n) < np.where(sex == "male", SECURED_SHARE["male"], SECURED_SHARE["female"])
    frame = pd.DataFrame(
        {
            "application": [f"S{number}" for number in range(first, first + n)],
            "sex": sex,
            "age": np.round(21 + 49 * rng.beta(1.7, 2.3, n)).astype(np.int64),
            "income": rng.normal(2_800, 700, n).clip(900).round(-1),
            "debt_ratio": rng.beta(2.2, 4.5, n).round(3),
            "security": np.where(secured, "property", "none").astype(object),
            "purpose": draw(rng, PURPOSES, n),
        }
    )
    points = -1.4 + 0.0015 * (frame["income"] - 2_800) - 5.0 * (frame["debt_ratio"] - 0.33) + 4.0 * secured
    frame["granted"] = (points + rng.logistic(size=n) > 0).astype(np.int64)
    return frame


def _to_write(seed: int) -> tuple[core.Case, pd.Index, str]:
    trap = make_trap(seed)
    return make_case(trap), trap.tempting, f"{len(trap.tempting)} of {N_TRAIN} training records tempt, where {RULE}"


if __name__ == "__main__":
    write("Make the trap.", Path(__file__).parent, _to_write)
