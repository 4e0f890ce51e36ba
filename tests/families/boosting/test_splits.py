"""Splits that are no longer the best: none where nothing changed, and those that a refit of the first tree chooses otherwise."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

import core
from core.errors import InputError, NotSupportedError
from tests.families.boosting.test_unlearner import COMPLETE, HIST, MODELS, NUMBERS, make_case

UNCHECKED = ("drawn features", "categories", "monotonic")
EXTRA = {
    ("hist", "pairs"): (HistGradientBoostingClassifier, {"max_iter": 10, "interaction_cst": [{0, 1}, {2}]}),
    ("classic", "shares"): (
        GradientBoostingClassifier,
        {"n_estimators": 10, "min_samples_leaf": 0.05, "min_samples_split": 0.2, "min_weight_fraction_leaf": 0.06},
    ),
}
CHECKED = {name: model for name, model in MODELS.items() if name[1] not in UNCHECKED} | EXTRA


@pytest.mark.parametrize("name", CHECKED, ids="-".join)
def test_every_split_of_an_untouched_model_is_the_best_of_its_rows(name):
    found = core.check_splits(make_case(*CHECKED[name], weighted=name[1] != "plain"))
    assert found.n_changed == 0
    assert found.n_splits > 20
    assert found.n_stages == found.of_stages


def sides(case):
    """Which retained rows a model of one split puts on which side."""
    scores = case.model.decision_function(case.X_train[case.retained])
    return scores > scores.min()


@pytest.mark.parametrize("kind", [HistGradientBoostingClassifier, GradientBoostingClassifier])
def test_one_split_is_counted_exactly_where_a_refit_splits_otherwise(kind):
    hist = kind is HistGradientBoostingClassifier
    size = {"max_iter": 1, "max_leaf_nodes": 2} if hist else {"n_estimators": 1, "max_depth": 1}
    few = {column: np.floor(COMPLETE[column] / COMPLETE[column].max() * 6) for column in NUMBERS}
    case = make_case(kind, size, train=COMPLETE.assign(**few))
    draw, seen = np.random.default_rng(0), set()
    for _ in range(12):
        column = case.train[draw.choice(NUMBERS)].to_numpy()
        likely = np.where((column > np.median(column)) == case.y_train, draw.random(), draw.random())
        done = core.unlearn(case, case.record_ids[draw.random(len(column)) < likely], method="leaf_refit").case
        again = core.refit(done).case
        other = not (np.array_equal(sides(done), sides(again)) or np.array_equal(sides(done), ~sides(again)))
        assert core.check_splits(done).n_changed == int(other)
        seen.add(other)
    assert seen == {True, False}


def test_removal_changes_splits_and_the_refit_has_none_left():
    case = make_case(HistGradientBoostingClassifier, HIST["plain"])
    done = core.unlearn(case, case.record_ids[case.y_train][:150], method="leaf_refit").case
    found = core.check_splits(done)
    assert 0 < found.n_changed < found.n_splits
    assert core.check_splits(core.refit(done).case).n_changed == 0
    assert f"{found.n_changed:,} of {found.n_splits:,} splits in all stages" in found.sentence


def test_some_stages_are_those_of_the_whole_check():
    case = make_case(HistGradientBoostingClassifier, HIST["plain"])
    done = core.unlearn(case, case.record_ids[:150], method="leaf_refit").case
    whole, some = core.check_splits(done), core.check_splits(done, n_stages=3)
    assert some.by_stage.index.tolist() == [0, 14, 29]
    assert some.by_stage.equals(whole.by_stage.loc[[0, 14, 29]])
    assert "in 3 of 30 stages" in some.sentence


def test_progress_reports_and_cancels():
    case = make_case(HistGradientBoostingClassifier, HIST["plain"])
    shares = []

    def stop(share, _):
        shares.append(share)
        if len(shares) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        core.check_splits(case, progress=stop)
    assert shares == [0.0, 1 / 30, 2 / 30]


def test_what_cannot_be_checked_says_why():
    for kind in ("hist", "classic"):
        with pytest.raises(NotSupportedError, match="draw features at random"):
            core.check_splits(make_case(*MODELS[kind, "drawn features"]))
    with pytest.raises(NotSupportedError, match="sets of categories"):
        core.check_splits(make_case(*MODELS["hist", "categories"]))
    with pytest.raises(NotSupportedError, match="monotonic constraints forbid"):
        core.check_splits(make_case(*MODELS["hist", "monotonic"]))
    case = make_case(*MODELS["classic", "plain"])
    linear = LogisticRegression().fit(case.X_train, case.train_labels)
    with pytest.raises(NotSupportedError, match="their check is not known for logistic regression"):
        core.check_splits(core.Case(linear, train=case.train, test=case.test, roles=case.roles))
    with pytest.raises(InputError, match="`n_stages` must be a whole number of at least 1"):
        core.check_splits(case, n_stages=0)
