"""On wide tables a certified step costs more than training again, and "auto" says so and trains."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import core
from core.families.logistic.cost import removal_seconds, training_seconds

FEATURES = ["street", "town"]


def case_of(n_streets: int, n: int = 900, **options: object) -> core.Case:
    draw = np.random.default_rng(n_streets)
    table = pd.DataFrame(
        {
            "street": [f"s{number % n_streets}" for number in range(n)],
            "town": draw.choice(["north", "south"], n),
            "sex": draw.choice(["f", "m"], n),
        }
    )
    table["y"] = (draw.random(n) < np.where(table["town"] == "north", 0.3, 0.6)).astype(int)
    encoder = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), FEATURES))
    model = make_pipeline(encoder, LogisticRegression(**options)).fit(table[FEATURES], table["y"])
    return core.Case(model, table, table, core.Roles("y", 1, 1, ["sex"], features=FEATURES))


def test_a_wide_model_is_trained_again_with_the_reason():
    case = case_of(700)
    result = core.unlearn(case, [0, 1])
    assert (result.method, result.guarantee) == ("refit", core.Guarantee.EXACT)
    assert any("newton: training again on 702 features takes only about" in note for note in result.notes)
    options = [option for option in core.unlearners_for(case) if option.fits]
    assert [option.name for option in options] == ["refit", "newton"]
    assert "a certified step about" in options[1].note
    asked = core.unlearn(case, [0, 1], method="newton")
    assert (asked.method, asked.guarantee) == ("newton", core.Guarantee.CERTIFIED)


def test_a_narrow_model_takes_a_certified_step():
    assert core.unlearn(case_of(40), [0, 1]).method == "newton"


@pytest.mark.parametrize("options", [{}, {"solver": "newton-cholesky"}, {"solver": "liblinear"}])
def test_estimates_grow_with_width_and_with_rows(options):
    narrow, wide, long = case_of(50, **options), case_of(200, **options), case_of(50, 3600, **options)
    assert removal_seconds(wide) > 30 * removal_seconds(narrow)
    assert removal_seconds(long) == removal_seconds(narrow)
    assert training_seconds(long) > training_seconds(narrow)
