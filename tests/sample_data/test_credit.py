import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import core
from sample_data.credit import make
from sample_data.making import Planted

FOLDER = Path(make.__file__).parent
GAP = ("equal_opportunity_difference", "sex")


@dataclasses.dataclass(frozen=True)
class Drawn:
    """One draw of the maker and the case made of it."""

    credit: Planted
    case: core.Case

    @property
    def tampered(self) -> pd.Series:
        """Whether each training row was tampered with."""
        return self.credit.train["application"].isin(self.credit.turned)


@pytest.fixture(scope="module", params=[0, 1, 2], ids="seed {}".format)
def planted(request: pytest.FixtureRequest) -> Drawn:
    credit = make.make_credit(request.param)
    return Drawn(credit, make.make_case(credit))


def gap_of(case: core.Case) -> pd.Series:
    return core.audit(case, metric=[GAP[0]], on="explore").gaps.loc[GAP]


def test_a_seed_gives_the_same_tables_and_another_seed_others() -> None:
    once, again, other = make.make_credit(5), make.make_credit(5), make.make_credit(6)
    pd.testing.assert_frame_equal(once.train, again.train)
    pd.testing.assert_frame_equal(once.test, again.test)
    assert once.turned.equals(again.turned)
    assert not once.train["income"].equals(other.train["income"])


def test_only_deserving_people_inside_the_rule_were_refused(planted: Drawn) -> None:
    credit = planted.credit
    changed = credit.train["granted"].to_numpy() != credit.true_train["granted"].to_numpy()
    assert (changed == planted.tampered.to_numpy()).all()
    assert make.in_rule(credit.train)[changed].all()
    assert (credit.train["granted"][changed] == 0).all()
    assert 0.02 <= changed.mean() <= 0.05


def test_the_rule_describes_the_tampered_records(planted: Drawn) -> None:
    inside = make.in_rule(planted.credit.train)
    jaccard = (inside & planted.tampered).sum() / (inside | planted.tampered).sum()
    assert jaccard >= 0.8


def test_nothing_but_the_rule_separates_the_sexes(planted: Drawn) -> None:
    fair = planted.credit.true_train
    inside = make.in_rule(fair)
    assert fair.groupby("sex")["granted"].mean().diff().abs().max() < 0.03
    tampered_outside = planted.credit.train[~inside].groupby("sex")["granted"].mean()
    assert tampered_outside.equals(fair[~inside].groupby("sex")["granted"].mean())


def test_columns_are_mixed_and_some_values_are_missing(planted: Drawn) -> None:
    train = planted.credit.train
    assert len(train) == make.N_TRAIN
    assert train["application"].is_unique
    assert not train["application"].isin(planted.credit.test["application"]).any()
    missing = train.isna().mean()
    assert set(missing[missing > 0].index) == set(make.MISSING_SHARE)
    assert {train[name].dtype.kind for name in make.NUMBERS} == {"i", "f"}


def test_influence_finds_the_tampered_records(planted: Drawn) -> None:
    influence = core.influence(planted.case, metric=GAP[0], sensitive_feature=GAP[1])
    first = influence.sort_values().index[: len(planted.credit.turned)]
    precision = first.isin(planted.credit.turned).mean()
    train = planted.credit.train
    refused_women = (train["sex"] == "female") & (train["granted"] == 0)
    assert precision >= 2 * planted.tampered[refused_women].mean()


def test_removing_the_answer_key_closes_the_gap(planted: Drawn) -> None:
    credit, case = planted.credit, planted.case
    fair = core.Case(make.fit(credit.true_train), train=credit.true_train, test=credit.test, roles=make.ROLES)
    removed = core.unlearn(case, forget=credit.turned).case
    assert gap_of(case)["p_value"] < 0.01
    assert gap_of(removed)["p_value"] > 0.05
    assert gap_of(removed)["value"] <= gap_of(fair)["value"] + 0.01
    side = core.guardrails(case, removed, metric=GAP[0])
    assert side.verdict == "fairer"
    assert ("selection_rate", "sex", "male") in side.worse.index, "a level that was unfairly high fell, and is no veto"


def test_removing_mens_favourable_labels_instead_is_levelling_down(planted: Drawn) -> None:
    train, draw = planted.credit.train, np.random.default_rng(0)
    granted = train["application"][(train["sex"] == "male") & (train["granted"] == 1)].to_numpy()
    removed = core.unlearn(planted.case, draw.choice(granted, len(granted) // 3, replace=False)).case
    side = core.guardrails(planted.case, removed, metric=GAP[0])
    assert side.verdict == "fairer_by_levelling_down"
    assert side.removed.loc[("sex", "male"), "share"] > 0.1


def test_the_planted_rule_explains_the_gap(planted: Drawn) -> None:
    columns = ["sex", "age", "branch", "income", "late_payments"]
    found = core.explain_gap(planted.case, GAP[0], sensitive_feature=GAP[1], top_k=2, columns=columns, expected=True)
    truth = planted.credit.train["application"][make.in_rule(planted.credit.train)]
    jaccard = [len(set(truth) & set(one.forget)) / len(set(truth) | set(one.forget)) for one in found]
    assert max(jaccard) >= 0.8
    assert found[int(np.argmax(jaccard))].helps


def test_the_files_are_what_the_maker_makes() -> None:
    credit, case = make.make_credit(), core.load_case(FOLDER)
    pd.testing.assert_frame_equal(case.train, credit.train)
    pd.testing.assert_frame_equal(case.test, credit.test)
    assert case.roles == make.ROLES
    answer_key = pd.read_csv(FOLDER / "answer_key.csv")
    assert answer_key["application"].tolist() == credit.turned.tolist()
    expected = make.fit(credit.train)[-1]
    np.testing.assert_allclose(case.model[-1].coef_, expected.coef_, rtol=1e-9)
    assert core.check_provenance(case).status == "verified"
