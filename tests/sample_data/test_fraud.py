import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import core
from sample_data.fraud import make
from sample_data.making import Planted

FOLDER = Path(make.__file__).parent
GAP = ("false_positive_rate_difference", "segment")


@dataclasses.dataclass(frozen=True)
class Drawn:
    """One draw of the maker and the prepared case made of it."""

    fraud: Planted
    case: core.Case

    @property
    def poisoned(self) -> pd.Series:
        """Whether each training row's label was turned."""
        return self.fraud.train["transaction"].isin(self.fraud.turned)


@pytest.fixture(scope="module", params=[0, 1], ids="seed {}".format)
def planted(request: pytest.FixtureRequest) -> Drawn:
    fraud = make.make_fraud(request.param)
    return Drawn(fraud, core.prepare(make.make_case(fraud)))


def test_a_seed_gives_the_same_tables_and_another_seed_others() -> None:
    once, again, other = make.make_fraud(5), make.make_fraud(5), make.make_fraud(6)
    pd.testing.assert_frame_equal(once.train, again.train)
    pd.testing.assert_frame_equal(once.test, again.test)
    assert once.turned.equals(again.turned)
    assert not once.train["amount"].equals(other.train["amount"])


def test_only_frauds_at_the_ring_were_relabelled(planted: Drawn) -> None:
    fraud = planted.fraud
    changed = fraud.train["fraud"].to_numpy() != fraud.true_train["fraud"].to_numpy()
    assert (changed == planted.poisoned.to_numpy()).all()
    assert make.in_rule(fraud.train)[changed].all()
    assert (fraud.train["fraud"][changed] == 0).all()
    assert 0.025 <= fraud.true_train["fraud"].mean() <= 0.035
    assert 0.005 <= changed.mean() <= 0.015


def test_columns_are_mixed_and_ids_unique(planted: Drawn) -> None:
    train, test = planted.fraud.train, planted.fraud.test
    assert (len(train), len(test)) == (make.N_TRAIN, make.N_TEST)
    assert train["transaction"].is_unique
    assert not train["transaction"].isin(test["transaction"]).any()
    assert {train[name].dtype.kind for name in make.NUMBERS} == {"i", "f"}


@pytest.mark.parametrize("metric", [GAP[0], "false_positive_rate", "log_loss"])
def test_influence_finds_the_poisoned_records(planted: Drawn, metric: str) -> None:
    effects = core.influence(planted.case, metric, sensitive_feature=GAP[1])
    first = core.harmful(effects)[: len(planted.fraud.turned)]
    assert first.isin(planted.fraud.turned).mean() >= 0.6


def test_removing_the_answer_key_closes_the_gap(planted: Drawn) -> None:
    removed = core.unlearn(planted.case, planted.fraud.turned)
    assert removed.method == "forest"
    before, after = (
        core.audit(case, metric=[GAP[0]], n_resamples=500, on="explore").gaps.loc[GAP]
        for case in (planted.case, removed.case)
    )
    assert before["p_value"] < 0.01
    assert after["p_value"] > 0.05
    assert after["value"] < before["value"] / 2


def test_the_files_are_what_the_maker_makes() -> None:
    fraud, case = make.make_fraud(), core.load_case(FOLDER)
    pd.testing.assert_frame_equal(case.train, fraud.train)
    pd.testing.assert_frame_equal(case.test, fraud.test)
    assert case.roles == make.ROLES
    answer_key = pd.read_csv(FOLDER / "answer_key.csv")
    assert answer_key["transaction"].tolist() == fraud.turned.tolist()
    np.testing.assert_array_equal(case.scores("explore"), make.make_case(fraud).scores("explore"))
    assert (FOLDER / "model.skops").stat().st_size < 3_000_000
