"""Boosters with bytes, numbers and links changed: a sentence, or a model that scores; never a process that breaks."""

from __future__ import annotations

import copy
import json
import pickle

import numpy as np
import pytest

from core.errors import InputError, RedressError
from core.files.models.boosters.lightgbm import read_lightgbm
from core.files.models.boosters.ubj import read_ubj
from core.files.models.boosters.xgboost import read_xgboost
from core.files.models.child import in_child
from tests.families.libraries import TRAIN, fitted

SCORED = "tests.files.models.boosters.scoring:scored"


def scored(data: bytes) -> None:
    """Open and score in a process of its own; whatever it says must be a sentence of the program's."""
    try:
        scores = in_child(SCORED, data)
    except RedressError as error:
        said, scores = str(error), np.zeros(1)
    else:
        said = ""
    assert "breaking the process" not in said
    assert np.isfinite(scores).all()
    assert ((scores >= 0) & (scores <= 1)).all()


def mutants(data: bytes, n: int, seed: int):
    draw = np.random.default_rng(seed)
    for _ in range(n):
        changed = bytearray(data)
        for place in draw.integers(2, len(data), draw.integers(1, 5)):
            changed[place] = draw.integers(0, 256)
        if draw.random() < 0.2:
            changed = changed[: draw.integers(2, len(data))]
        yield bytes(changed)


def model_of_xgboost() -> dict:
    return json.loads(bytes(fitted("xgboost").get_booster().save_raw("json")))


@pytest.mark.parametrize("form", ["json", "ubj", "pickle"])
def test_changed_bytes_of_xgboost_never_break_the_process(form):
    model = fitted("xgboost")
    data = pickle.dumps(model) if form == "pickle" else bytes(model.get_booster().save_raw(form))
    for one in mutants(data, 25, seed=1):
        scored(one)


def test_changed_bytes_of_lightgbm_never_break_the_process():
    for one in mutants(fitted("lightgbm").booster_.model_to_string().encode(), 40, seed=2):
        scored(one)


def test_changed_bytes_of_catboost_break_the_child_at_most():
    for one in mutants(fitted("catboost")._serialize_model(), 12, seed=3):
        try:
            scores = in_child(SCORED, one)
        except RedressError:
            continue
        assert np.isfinite(scores).all()


LINKS = [
    ("left_children", 0, 99, "lead outside it"),
    ("right_children", 0, 0, "where they were"),
    ("left_children", 1, 0, "where they were"),
    ("split_indices", 0, 7, "a column that there is not"),
    ("split_indices", 0, -1, "a column that there is not"),
    ("parents", 1, 400, "what they hang on"),
    ("split_conditions", -1, float("nan"), "no finite value"),
    ("left_children", 0, 2**70, "whole numbers"),
    ("sum_hessian", 0, "much", "numbers"),
]


@pytest.mark.parametrize(("column", "place", "value", "said"), LINKS)
def test_links_of_xgboost_that_lead_astray_are_named(column, place, value, said):
    model = model_of_xgboost()
    tree = model["learner"]["gradient_booster"]["model"]["trees"][0]
    if place == -1:
        place = tree["left_children"].index(-1)
    tree[column][place] = value
    with pytest.raises(InputError, match=said):
        read_xgboost(json.dumps(model).encode())


def test_columns_and_trees_of_xgboost_are_as_many_as_it_says():
    whole = model_of_xgboost()
    inner = ("learner", "gradient_booster", "model")
    for path, value in (
        (("learner", "learner_model_param", "num_feature"), "2"),
        (("learner", "learner_model_param", "num_feature"), str(1 << 60)),
        ((*inner, "gbtree_model_param", "num_trees"), "13"),
        ((*inner, "gbtree_model_param", "num_parallel_tree"), "99"),
        ((*inner, "tree_info"), [0] * 11),
        ((*inner, "iteration_indptr"), [0, 50, 12]),
        ((*inner, "trees"), {}),
        (("learner", "feature_names"), ["one"]),
        (("learner", "attributes"), {"best_iteration": "500"}),
        (("learner", "learner_model_param", "base_score"), "[nan]"),
        (("learner", "objective", "reg_loss_param", "scale_pos_weight"), "inf"),
    ):
        model = copy.deepcopy(whole)
        held = model
        for name in path[:-1]:
            held = held[name]
        held[path[-1]] = value
        with pytest.raises(InputError):
            read_xgboost(json.dumps(model).encode())


TEXTS = [
    ("left_child=", "left_child=7 ", "numbers has other than"),
    ("split_feature=0", "split_feature=9", "a column that there is not"),
    ("decision_type=2", "decision_type=1", "splits on categories"),
    ("num_cat=0", "num_cat=1", "splits on categories"),
    ("is_linear=0", "is_linear=1", "a number in each leaf"),
    ("shrinkage=0.1", "shrinkage=fast", "holds something else"),
    ("leaf_value=", "leaf_value=nan ", "no finite value|other than"),
    ("max_feature_idx=2", "max_feature_idx=1", "names of columns"),
    ("num_class=1", "num_class=3", "one of two classes"),
    ("Tree=3\nnum_leaves=6", "Tree=3\nnum_leaves=9", "other than"),
]


@pytest.mark.parametrize(("was", "now", "said"), TEXTS)
def test_lines_of_lightgbm_that_are_not_sound_are_named(was, now, said):
    text = fitted("lightgbm").booster_.model_to_string()
    assert was in text
    with pytest.raises(InputError, match=said):
        read_lightgbm(text.replace(was, now, 1))


def test_circles_in_trees_of_lightgbm_are_named():
    text = fitted("lightgbm").booster_.model_to_string()
    start = text.index("left_child=")
    line = text[start : text.index("\n", start)]
    children = line.removeprefix("left_child=").split(" ")
    inner = next(place for place, one in enumerate(children) if int(one) > 0)
    children[inner] = "0"
    with pytest.raises(InputError, match="where they were"):
        read_lightgbm(text.replace(line, f"left_child={' '.join(children)}", 1))


def test_ubj_declares_no_more_than_it_holds():
    for data in (
        b"{i\x01a[$d#L\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"{i\x01aSL\x7f\xff\xff\xff\xff\xff\xff\xff}",
        b"[" * 5000,
        b"{i\xff}",
        b"{",
    ):
        with pytest.raises(RedressError):
            read_ubj(data)


def test_the_child_scores_what_is_whole():
    assert len(in_child(SCORED, pickle.dumps(fitted("xgboost")))) == len(TRAIN)
