"""A model changed in place is noticed before anything relies on it; a model that was only used is not suspected."""

from __future__ import annotations

import copy
from collections import Counter, OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fairlearn.postprocessing import ThresholdOptimizer
from scipy.sparse import csr_matrix
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, SimpleImputer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import Bunch

import core
from core.case.unchanged import ModelMark
from core.errors import InputError
from core.numerics.mixing import mixed_words
from tests.conftest import make_table

TRAIN, TEST = make_table(400, 1), make_table(300, 2)
NUMBERS = ["age", "debt"]
ROLES = core.Roles("granted", 1, 1, ["sex"], record_id="person")


def case_of(model: Any) -> core.Case:
    options = {"sensitive_features": TRAIN["sex"]} if isinstance(model, ThresholdOptimizer) else {}
    return core.Case(model.fit(TRAIN[NUMBERS], TRAIN["granted"], **options), TRAIN, TEST, ROLES)


def pipeline() -> Any:
    return make_pipeline(StandardScaler(), LogisticRegression())


def forest() -> Any:
    return RandomForestClassifier(5, random_state=0)


def thresholds() -> Any:
    return ThresholdOptimizer(estimator=LogisticRegression(), prefit=False, predict_method="predict_proba")


def zero(array: np.ndarray) -> None:
    array[:] = 0.0


def up_one_bit(array: np.ndarray) -> None:
    array.flat[-1] = np.nextafter(array.flat[-1], np.inf)


CHANGES: dict[str, tuple[Callable[[], Any], Callable[[Any], Any]]] = {
    "coefficients": (pipeline, lambda model: zero(model[-1].coef_)),
    "one bit of one coefficient": (pipeline, lambda model: up_one_bit(model[-1].coef_)),
    "all signs": (pipeline, lambda model: np.negative(model[-1].coef_, out=model[-1].coef_)),
    "two coefficients swapped": (pipeline, lambda model: model[-1].coef_.__setitem__(..., model[-1].coef_[:, ::-1])),
    "another array": (pipeline, lambda model: setattr(model[-1], "coef_", np.ones((1, 2)))),
    "scaling": (pipeline, lambda model: zero(model[0].mean_)),
    "a parameter": (pipeline, lambda model: model.set_params(logisticregression__C=3.0)),
    "fitted again": (pipeline, lambda model: model.fit(TRAIN[NUMBERS], 1 - TRAIN["granted"])),
    "a step gone": (pipeline, lambda model: model.steps.pop(0)),
    "a step another": (pipeline, lambda model: model.steps.__setitem__(0, ("standardscaler", copy.copy(model[0])))),
    "a threshold of a tree": (forest, lambda model: up_one_bit(model.estimators_[3].tree_.threshold)),
    "a value of a tree": (forest, lambda model: up_one_bit(model.estimators_[4].tree_.value)),
    "a tree gone": (forest, lambda model: model.estimators_.pop()),
    "trees swapped": (forest, lambda model: model.estimators_.reverse()),
    "a bare tree": (lambda: DecisionTreeClassifier(random_state=0), lambda model: up_one_bit(model.tree_.value)),
    "a histogram tree": (
        lambda: HistGradientBoostingClassifier(max_iter=3),
        lambda model: up_one_bit(model._predictors[1][0].nodes["value"]),
    ),
    "a stage": (
        lambda: GradientBoostingClassifier(n_estimators=3),
        lambda model: up_one_bit(model.estimators_[2, 0].tree_.value),
    ),
    "the estimator inside": (thresholds, lambda model: zero(model.estimator_.coef_)),
    "a threshold of a group": (
        thresholds,
        lambda model: model.interpolated_thresholder_.interpolation_dict["f"].update(p0=0.123),
    ),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", [name for name in CHANGES if name != "a step another"])
def test_a_change_in_place_is_noticed_before_it_is_relied_on(name: str, tmp_path: Path) -> None:
    make, change = CHANGES[name]
    case = case_of(make())
    if name == "a step gone":
        case = case_of(make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression()))
    same = case.with_threshold(None)
    change(case.model)
    for one in (case, same):
        for call in (
            lambda one=one: core.unlearn(one, ["p1"]),
            lambda one=one: core.unlearn(one, ["p1"], method="refit"),
            lambda one=one: core.edit(one, relabel={"p1": 1}),
            lambda one=one: core.prepare(one),
            lambda one=one: core.refit(one),
            lambda one=one: core.retrain_gap(one),
            lambda one=one: one.save(tmp_path / "case"),
        ):
            with pytest.raises(
                InputError, match=r"must stay as it was .* was changed in place since; make a case of it"
            ):
                call()
    assert not (tmp_path / "case").exists()


def test_the_same_content_in_another_object_is_no_change() -> None:
    make, change = CHANGES["a step another"]
    case = case_of(make())
    change(case.model)
    case.check_unchanged()


def test_what_a_removal_gave_is_watched_too_and_so_are_trees_it_shares() -> None:
    case = case_of(RandomForestClassifier(10, max_samples=0.2, random_state=0))
    after = core.unlearn(case, ["p1"], method="forest").case
    kept = [
        index
        for index, (one, other) in enumerate(zip(case.model.estimators_, after.model.estimators_, strict=True))
        if one.tree_ is other.tree_
    ]
    up_one_bit(case.model.estimators_[kept[0]].tree_.value)
    for one in (case, after):
        with pytest.raises(InputError, match="changed in place"):
            core.unlearn(one, ["p2"])


USED: dict[str, Any] = {
    "pipeline": pipeline(),
    "forest": forest(),
    "hist": HistGradientBoostingClassifier(max_iter=3),
    "neighbours by kd tree": KNeighborsClassifier(algorithm="kd_tree"),
    "neighbours by ball tree": KNeighborsClassifier(algorithm="ball_tree"),
    "support vectors": SVC(),
    "network": MLPClassifier((4,), max_iter=20),
    "gradient descent": SGDClassifier(loss="log_loss"),
    "bayes": GaussianNB(),
    "thresholds": thresholds(),
    "steps that draw": make_pipeline(
        IterativeImputer(sample_posterior=True, random_state=np.random.RandomState(0)), GaussianNB()
    ),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", USED)
def test_a_model_that_was_used_is_not_suspected(name: str) -> None:
    case = case_of(USED[name])
    case.scores("test")
    getattr(case.model, "predict_proba", getattr(case.model, "decision_function", lambda _: 0))(case.X_test)
    core.audit(case)
    result = core.unlearn(case, ["p1", "p2"])
    result.case.scores("test")
    core.unlearn(result.case, ["p3"])
    core.unlearn(case, ["p4"], method="refit")
    for one in (case, result.case):
        one.check_unchanged()


def test_marks_tell_numbers_apart() -> None:
    values = [0, 0.0, False, None, "", "0", [], [0], (0,), [[0]], {}, {"a": 0}, np.zeros(1), np.zeros(2), np.float32(0)]
    values += [np.zeros((1, 2)), np.zeros(2, np.float32), np.array(["a"], object), csr_matrix([[0.0, 1.0]])]
    values += [Bunch(a=1), Bunch(a=2), OrderedDict(a=1), Counter("ab"), np.dtype("f8"), np.dtype("f4")]
    marks = [ModelMark(value)._mark for value in values]
    assert len(set(marks)) == len(values)
    assert marks == [ModelMark(value if isinstance(value, Bunch) else copy.deepcopy(value))._mark for value in values]
    for odd in (float("nan"), np.float64("nan"), np.array([np.nan]), np.array([None, np.nan], object)):
        assert ModelMark(odd)._mark == ModelMark(copy.deepcopy(odd))._mark


def test_a_thing_that_holds_itself_has_a_mark() -> None:
    loop: list[Any] = [1]
    loop.append(loop)
    ModelMark(loop).check()


@pytest.mark.parametrize("n", [0, 1, 3, 4, 5, 6, 7, 4097])
def test_every_word_and_its_place_count(n: int) -> None:
    words = np.random.default_rng(n).integers(0, 2**64, n, dtype=np.uint64)
    whole = mixed_words(words)
    assert mixed_words(words.copy()) == whole
    for place in range(min(n, 9)):
        for bit in (0, 31, 63):
            other = words.copy()
            other[place] ^= np.uint64(1) << np.uint64(bit)
            assert mixed_words(other) != whole
    if n > 4:
        assert mixed_words(words[::-1].copy()) != whole
        assert mixed_words(words ^ (np.uint64(1) << np.uint64(63))) != whole


def test_a_long_array_is_marked_to_its_last_byte() -> None:
    values = np.zeros(70_003, np.uint8)
    before = ModelMark(values)
    values[-1] = 1
    with pytest.raises(InputError):
        before.check()
