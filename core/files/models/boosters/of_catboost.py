"""Classifiers of CatBoost from the bytes of its own format.

Those are read by the library alone, whose format is not public; it is made to do so in a process that may break down.
"""

from __future__ import annotations

import re
import struct
from typing import Any

from core.errors import InputError
from core.files.models.boosters.plain import one_thread, plain_parameters
from core.files.models.boosters.sound import from_the_future, of_another_objective, unsound

LIBRARY = "catboost"
MAGIC = b"CBM1"
OBJECTIVES = ("Logloss", "CrossEntropy")
_RELEASE = re.compile(r"tags/v(\d{1,3})\.(\d{1,3})(\.\d{1,3})?|release (\d{1,3})\.(\d{1,3})")
TAKEN = (
    *(
        "auto_class_weights",
        "bagging_temperature",
        "best_model_min_trees",
        "boost_from_average",
        "boosting_type",
        "bootstrap_type",
    ),
    *(
        "border_count",
        "cat_features",
        "class_weights",
        "colsample_bylevel",
        "depth",
        "diffusion_temperature",
        "eta",
        "eval_metric",
    ),
    *(
        "feature_border_type",
        "fold_len_multiplier",
        "fold_permutation_block",
        "grow_policy",
        "has_time",
        "iterations",
        "l2_leaf_reg",
    ),
    *(
        "langevin",
        "leaf_estimation_backtracking",
        "leaf_estimation_iterations",
        "leaf_estimation_method",
        "learning_rate",
    ),
    *(
        "loss_function",
        "max_bin",
        "max_ctr_complexity",
        "max_depth",
        "max_leaves",
        "min_child_samples",
        "min_data_in_leaf",
    ),
    *(
        "model_shrink_mode",
        "model_shrink_rate",
        "model_size_reg",
        "monotone_constraints",
        "mvs_reg",
        "n_estimators",
        "nan_mode",
    ),
    *("num_boost_round", "num_leaves", "num_trees", "objective", "one_hot_max_size", "penalties_coefficient"),
    *("posterior_sampling", "random_score_type", "random_seed", "random_state", "random_strength", "reg_lambda", "rsm"),
    *("sampling_frequency", "sampling_unit", "scale_pos_weight", "score_function", "sparse_features_conflict_fraction"),
    *("subsample", "target_border"),
)
"""Parameters that are taken from a file: none names a file, a folder or a device."""
_SAID_ELSEWHERE = (
    *(
        "verbose",
        "silent",
        "logging_level",
        "metric_period",
        "thread_count",
        "allow_writing_files",
        "task_type",
        "devices",
    ),
    *("train_dir", "name", "used_ram_limit", "custom_metric", "custom_loss", "class_names", "classes_count"),
)
"""What leaves the trees as they are."""


def build_catboost(kind: str, held: dict[str, Any]) -> tuple[Any, tuple[str, ...]]:  # noqa: ARG001
    """Return a CatBoostClassifier, and sentences on it."""
    from catboost import CatBoostClassifier

    data = held.get("__model")
    if not isinstance(
        data, bytes
    ):  # not fitted, as the parts that an ensemble is made from are kept beside those it fitted
        given, left = plain_parameters(
            {name: value for name, value in held.items() if name not in _SAID_ELSEWHERE}, TAKEN
        )
        if left:
            raise unsound(LIBRARY, f"parameters are not taken from a file ({', '.join(left)})")
        return CatBoostClassifier(**given, verbose=False, allow_writing_files=False), ()
    _check_frame(data)
    read = CatBoostClassifier()
    read.load_model(blob=data)
    _check(read)
    params, why = _parameters(read, {name: value for name, value in held.items() if not name.startswith("_")})
    model = CatBoostClassifier(**params)
    model._load_from_string(data)
    model._n_features_in = len(model.feature_names_)
    if why:
        model.unknown_training = why
        return model, (f"No record can be removed from this model: {why}.",)
    return model, ()


def _check_frame(data: bytes) -> None:
    if not data.startswith(MAGIC) or len(data) < 8 or struct.unpack_from("<I", data, 4)[0] > len(data) - 8:
        raise InputError("A booster's file must be whole. This one is damaged or cut off; save or upload it again.")


def _check(model: Any) -> None:
    """Check what the library says of a model it has read."""
    import catboost

    about = dict(model.get_metadata())
    found = _RELEASE.search(about.get("catboost_version_info", ""))
    here = tuple(int(one) for one in catboost.__version__.split(".")[:2])
    made = tuple(int(one) for one in (found[1] or found[4], found[2] or found[5])) if found else (0, 0)
    if made > here:
        raise from_the_future(LIBRARY, ".".join(map(str, made)), catboost.__version__)
    objective = str(model.get_all_params().get("loss_function", "none"))
    if objective.partition(":")[0] not in OBJECTIVES or len(model.classes_) != 2:
        raise of_another_objective(LIBRARY, objective)
    if model.get_text_feature_indices() or model.get_embedding_feature_indices():
        raise InputError(
            "A booster in a file must take columns of numbers and categories. Got one of CatBoost with texts or embeddings; train it without."
        )
    if not model.feature_names_:
        raise unsound(LIBRARY, "there are no columns")


def _parameters(read: Any, held: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """Return the parameters with which to train a classifier again.

    They are those beside its trees, else those that the trees' file records.
    """
    recorded = read.get_all_params()
    given, left = plain_parameters({name: value for name, value in held.items() if name not in _SAID_ELSEWHERE}, TAKEN)
    odd: list[str] = []
    if left or not given:
        given, odd = plain_parameters(
            {name: value for name, value in recorded.items() if name not in _SAID_ELSEWHERE}, TAKEN
        )
        odd = [name for name in odd if name not in _HARMLESS]
    given |= {"verbose": False, "allow_writing_files": False}
    if one_thread(held.get("thread_count")):
        given["thread_count"] = 1
    if read.get_cat_feature_indices():
        given["cat_features"] = tuple(read.feature_names_[place] for place in read.get_cat_feature_indices())
    given = {name: _kept_as_it_is(name, value) for name, value in given.items()}
    rounds = recorded.get("iterations")
    if odd:
        return given, f"it was trained with {', '.join(odd)}, which is not taken from a file"
    if rounds != read.tree_count_:
        return (
            given,
            f"its file records {rounds} rounds and holds {read.tree_count_}, so that something else ended its training",
        )
    return given, ""


def _kept_as_it_is(name: str, value: Any) -> Any:
    """Return a list as a tuple, or as a text where CatBoost takes no tuple.

    CatBoost copies lists, which scikit-learn's clone refuses.
    """
    if isinstance(value, list) and name == "monotone_constraints":
        return f"({','.join(map(str, value))})"
    return tuple(value) if isinstance(value, list) else value


_HARMLESS = (
    *(
        "bayesian_matrix_reg",
        "force_unit_auto_pair_weights",
        "pool_metainfo_options",
        "eval_fraction",
        "use_best_model",
    ),
    *(
        "allow_const_label",
        "counter_calc_method",
        "ctr_leaf_count_limit",
        "store_all_simple_ctr",
        "final_ctr_computation_mode",
    ),
    *(
        "simple_ctr",
        "combinations_ctr",
        "simple_ctrs",
        "combinations_ctrs",
        "per_feature_ctr",
        "ctr_target_border_count",
    ),
    *("permutation_count", "approx_on_full_history", "od_type", "od_wait", "od_pval", "dev_score_calc_obj_block_size"),
    *("dev_efb_max_buckets", "ctr_history_unit", "metadata"),
)
"""Recorded with every model, and no parameter of the classifier, or of how it works alone."""
