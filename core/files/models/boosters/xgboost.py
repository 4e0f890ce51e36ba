"""XGBoost's models as data: JSON, Universal Binary JSON, and the bytes in pickled Boosters."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import InputError
from core.files.models.boosters.sound import (
    MOST_COLUMNS,
    check_children,
    checked_whole,
    from_the_future,
    names_of,
    of_another_objective,
    unsound,
    with_categories,
)
from core.files.models.boosters.ubj import read_ubj

XGBOOST_NAME = "xgboost"
OBJECTIVE = "binary:logistic"
_MOST_TREES = 1 << 20
_MOST_NODES = 1 << 24
_NO_NODE = (1 << 31) - 1
_WHOLE = ("left_children", "right_children", "parents", "split_indices")
_REAL = ("base_weights", "loss_changes", "split_conditions", "sum_hessian")
_CATEGORIES = ("categories", "categories_nodes", "categories_segments", "categories_sizes")
OLD_FORMATS = (b"binf", b"CONFIG-offset", b"bs64")


def read_xgboost(data: bytes) -> dict[str, Any]:
    """Return the model in a file of XGBoost, made only of parts that were checked.

    Cost grows with the size of the file.

    Parameters
    ----------
    data : bytes
        JSON, Universal Binary JSON, or either as a pickled Booster holds it, beside the library's settings.

    Returns
    -------
    dict
        To be written as JSON for the library's own loader.

    Raises
    ------
    InputError
        If it is damaged, of another objective, or of an old binary format.
    """
    held = _parsed(data)
    if isinstance(held, dict) and "Model" in held:  # beside the settings it was last used with
        held = held["Model"]
    if not isinstance(held, dict) or not isinstance(held.get("learner"), dict):
        raise InputError(
            "A booster's file must hold a model of XGBoost. Got other data; save the model with save_model."
        )
    try:
        return {"learner": _learner(held["learner"]), "version": _version(held.get("version"))}
    except (LookupError, TypeError, AttributeError, ValueError, OverflowError) as error:
        if isinstance(error, InputError):
            raise
        raise unsound(XGBOOST_NAME, f"a part is missing or of another kind ({type(error).__name__})") from error


def text_for_loader(model: dict[str, Any]) -> bytearray:
    """Return a checked model as the JSON that XGBoost reads."""
    return bytearray(json.dumps(model).encode())


def old_format() -> InputError:
    """Return the error for the binary formats of XGBoost before JSON."""
    return InputError(
        "A model of XGBoost must be in JSON or UBJ. Got the binary format that XGBoost gave up; open it with the XGBoost it was made with and save it "
        "again with model.save_model('model.json')."
    )


def _parsed(data: bytes) -> Any:
    if data[:1] != b"{":
        raise old_format()
    if data[1:2] in (b"L", b"i", b"U", b"I", b"l"):
        return read_ubj(data)
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InputError(
            "A booster's file must be whole. This one is damaged or cut off; save or upload it again."
        ) from error


def _version(held: Any) -> list[int]:
    import xgboost

    made = [checked_whole(one, 0, 10_000, XGBOOST_NAME, "the version") for one in held]
    if len(made) != 3:
        raise unsound(XGBOOST_NAME, "the version has other than three numbers")
    here = [int(one) for one in xgboost.__version__.split(".")[:2]]
    if made[:2] > here:
        raise from_the_future(XGBOOST_NAME, ".".join(map(str, made)), xgboost.__version__)
    return made


def _learner(held: dict[str, Any]) -> dict[str, Any]:
    objective, about = held["objective"], held["learner_model_param"]
    n_classes = checked_whole(about.get("num_class", 0), 0, 1 << 30, XGBOOST_NAME, "the number of classes")
    if objective.get("name") != OBJECTIVE or n_classes > 1:
        raise of_another_objective(XGBOOST_NAME, objective.get("name"))
    if checked_whole(about.get("num_target", 1), 0, 1 << 30, XGBOOST_NAME, "the number of outcomes") > 1:
        raise of_another_objective(XGBOOST_NAME, "several outcomes")
    n_features = checked_whole(about["num_feature"], 1, MOST_COLUMNS, XGBOOST_NAME, "the number of columns")
    given = held.get("attributes", {})
    boosted, n_rounds = _boosted(held["gradient_booster"], n_features, _trees_of_a_round(given))
    types = names_of(held.get("feature_types"), n_features, XGBOOST_NAME)
    if "c" in types or "categorical" in types:
        raise with_categories(XGBOOST_NAME)
    return {
        "attributes": _attributes(given, n_rounds),
        "feature_names": names_of(held.get("feature_names"), n_features, XGBOOST_NAME),
        "feature_types": types,
        "gradient_booster": boosted,
        "learner_model_param": {name: _spelled(about[name]) for name in sorted(about) if name in _ABOUT},
        "objective": {
            "name": OBJECTIVE,
            "reg_loss_param": {"scale_pos_weight": _spelled(objective["reg_loss_param"]["scale_pos_weight"])},
        },
    }


_ABOUT = ("base_score", "boost_from_average", "num_class", "num_feature", "num_target")


def _spelled(value: Any) -> str:
    """Return a number as XGBoost spells it, alone or in brackets."""
    if not isinstance(value, str) or len(value) > 60 or not np.isfinite(float(value.strip("[]"))):
        raise unsound(XGBOOST_NAME, "a setting is no number")
    return value


def _attributes(held: dict[str, Any], n_rounds: int) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in ("best_iteration", "best_score"):
        if name in held:
            found[name] = _spelled(held[name])
    if "best_iteration" in found:
        checked_whole(found["best_iteration"], 0, max(n_rounds - 1, 0), XGBOOST_NAME, "the best round")
    return found


def _trees_of_a_round(attributes: dict[str, str]) -> int | None:
    """Return how many trees a round has.

    Releases before 1.6 tell it only by the best round and the trees up to it.
    """
    if "best_ntree_limit" not in attributes or "best_iteration" not in attributes:
        return None
    n_trees = checked_whole(
        attributes["best_ntree_limit"], 1, _MOST_TREES, XGBOOST_NAME, "the trees up to the best round"
    )
    n_rounds = checked_whole(attributes["best_iteration"], 0, _MOST_TREES, XGBOOST_NAME, "the best round") + 1
    if n_trees % n_rounds:
        raise unsound(XGBOOST_NAME, "rounds have different numbers of trees")
    return n_trees // n_rounds


def _boosted(held: dict[str, Any], n_features: int, n_parallel: int | None) -> tuple[dict[str, Any], int]:
    """Return the trees, or the weights, and the number of rounds."""
    kind = held["name"]
    if kind == "gblinear":
        weights = _reals(held["model"]["weights"], n_features + 1)
        n_rounds = held["model"].get("boosted_rounds", _MOST_TREES)
        model: dict[str, Any] = {"weights": weights}
        if "boosted_rounds" in held["model"]:
            model["boosted_rounds"] = checked_whole(n_rounds, 0, _MOST_TREES, XGBOOST_NAME, "the number of rounds")
        return {"name": kind, "model": model}, n_rounds
    if kind == "dart":
        inner, n_rounds = _boosted(held["gbtree"], n_features, n_parallel)
        if inner["name"] != "gbtree":
            raise unsound(XGBOOST_NAME, "trees that drop out are no trees")
        return {
            "name": kind,
            "gbtree": inner,
            "weight_drop": _reals(held["weight_drop"], len(inner["model"]["trees"])),
        }, n_rounds
    if kind != "gbtree":
        raise unsound(XGBOOST_NAME, "what is boosted is of an unknown kind")
    return {"name": kind, "model": (model := _forest(held["model"], n_features, n_parallel))}, _rounds(model)


def _rounds(model: dict[str, Any]) -> int:
    return len(model["trees"]) // max(int(model["gbtree_model_param"].get("num_parallel_tree", "1")), 1)


def _forest(held: dict[str, Any], n_features: int, n_parallel: int | None) -> dict[str, Any]:
    trees, about = held["trees"], held["gbtree_model_param"]
    n = checked_whole(about["num_trees"], 0, _MOST_TREES, XGBOOST_NAME, "the number of trees")
    if not isinstance(trees, list) or len(trees) != n or _wholes(held["tree_info"], n).any():
        raise unsound(XGBOOST_NAME, "the trees are not as many as it says, or are of several classes")
    for name, value in held.get("cats", {}).items():
        if name != "sorted_idx" and len(value) > (name == "feature_segments"):
            raise with_categories(XGBOOST_NAME)
    param = {"num_trees": str(n)}
    if "num_parallel_tree" not in about and n_parallel is not None:
        about = about | {"num_parallel_tree": n_parallel}
    if "num_parallel_tree" in about:
        most = max(n, 1)
        param["num_parallel_tree"] = str(
            checked_whole(about["num_parallel_tree"], 0, most, XGBOOST_NAME, "the trees of a round")
        )
    if "size_leaf_vector" in about:
        param["size_leaf_vector"] = str(
            checked_whole(about["size_leaf_vector"], 0, 1, XGBOOST_NAME, "the size of a leaf")
        )
    found = {
        "gbtree_model_param": param,
        "tree_info": [0] * n,
        "trees": [_tree(one, number, n_features) for number, one in enumerate(trees)],
    }
    if "iteration_indptr" in held:
        ends = np.asarray(held["iteration_indptr"])
        if not len(ends) or ends.dtype.kind not in "iu" or ends[0] != 0 or ends[-1] != n or (np.diff(ends) < 0).any():
            raise unsound(XGBOOST_NAME, "rounds are not divided in order")
        found["iteration_indptr"] = ends.tolist()
    return found


def _tree(held: dict[str, Any], number: int, n_features: int) -> dict[str, Any]:
    about = held["tree_param"]
    n = checked_whole(about["num_nodes"], 1, _MOST_NODES, XGBOOST_NAME, "the number of nodes")
    if checked_whole(
        about.get("num_feature", n_features), 0, MOST_COLUMNS, XGBOOST_NAME, "the number of columns"
    ) not in (
        0,
        n_features,
    ):
        raise unsound(XGBOOST_NAME, "a tree has another number of columns")
    checked_whole(about.get("size_leaf_vector", 0), 0, 1, XGBOOST_NAME, "the size of a leaf")
    if any(len(held.get(name, ())) for name in _CATEGORIES) or np.any(held.get("split_type", 0)):
        raise with_categories(XGBOOST_NAME)
    integers = {name: _wholes(held[name], n) for name in _WHOLE}
    left, right = integers["left_children"], integers["right_children"]
    reached = check_children(left, right, XGBOOST_NAME)
    if (left[~reached] != -1).any() or (right[~reached] != -1).any():
        raise unsound(XGBOOST_NAME, "a tree has nodes that do not hang on it")
    inner = reached & (left != -1)
    used, above = integers["split_indices"][inner], integers["parents"]
    if len(used) and (used.min() < 0 or used.max() >= n_features):
        raise unsound(XGBOOST_NAME, "a tree asks for a column that there is not")
    where = np.flatnonzero(inner)
    if not ((above[left[inner]] == where).all() and (above[right[inner]] == where).all()):
        raise unsound(XGBOOST_NAME, "nodes of a tree do not say what they hang on")
    cut = above[~reached]
    if not ((cut == _NO_NODE) | ((cut >= -1) & (cut < n))).all() or above[0] not in (_NO_NODE, -1):
        raise unsound(XGBOOST_NAME, "nodes of a tree hang on what is outside it")
    reals = {name: _reals(held[name], n) for name in _REAL}
    if not np.isfinite(np.asarray(reals["split_conditions"])[reached & ~inner]).all():
        raise unsound(XGBOOST_NAME, "a leaf has no finite value")
    found: dict[str, Any] = {name: values.tolist() for name, values in integers.items()}
    found |= reals
    found["default_left"] = _flags(held["default_left"], n)
    found["id"] = number
    found["split_type"] = [0] * n
    found |= {name: [] for name in _CATEGORIES}
    found["tree_param"] = {
        "num_deleted": str(
            checked_whole(about.get("num_deleted", 0), 0, n, XGBOOST_NAME, "the number of nodes that were cut")
        ),
        "num_feature": str(n_features),
        "num_nodes": str(n),
        "size_leaf_vector": str(about.get("size_leaf_vector", "0")),
    }
    return found


def _wholes(values: Any, n: int) -> npt.NDArray[np.int64]:
    array = np.asarray(values)
    if not n and not array.size:
        return np.zeros(0, dtype=np.int64)
    if array.shape != (n,) or array.dtype.kind not in "iu" or (array.dtype == np.uint64):
        raise unsound(XGBOOST_NAME, f"a column of whole numbers has other than {n:,} of them")
    return array.astype(np.int64)


def _flags(values: Any, n: int) -> list[int]:
    array = np.asarray(values)
    if array.shape != (n,) or array.dtype.kind not in "biu":
        raise unsound(XGBOOST_NAME, f"a column of truth values has other than {n:,} of them")
    return [int(bool(one)) for one in array.tolist()]


def _reals(values: Any, n: int) -> list[float]:
    array = np.asarray(values)
    if array.shape != (n,) or (n and array.dtype.kind not in "fiu"):
        raise unsound(XGBOOST_NAME, f"a column of numbers has other than {n:,} of them")
    return [float(one) for one in array.tolist()]
