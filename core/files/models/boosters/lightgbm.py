"""LightGBM's models as data: text, as files and pickles of a Booster hold it."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from core.errors import InputError
from core.files.models.boosters.sound import (
    MOST_COLUMNS,
    check_children,
    checked_whole,
    from_the_future,
    of_another_objective,
    unsound,
    with_categories,
)

LIGHTGBM_NAME = "lightgbm"
VERSIONS = ("v2", "v3", "v4")
"""Of the text, since LightGBM 2.1."""
_NUMBER = r"-?(?:\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|inf|nan)"
_NUMBERS = re.compile(rf"{_NUMBER}(?: {_NUMBER})*")
_HEAD = ("version", "num_class", "num_tree_per_iteration", "label_index", "max_feature_idx", "objective")
_LISTS = ("feature_names", "monotone_constraints", "feature_infos")
_INNER = ("split_feature", "split_gain", "threshold", "decision_type", "left_child", "right_child")
_INNER_MAY_LACK = ("internal_value", "internal_weight", "internal_count")
_LEAF_MAY_LACK = ("leaf_weight", "leaf_count")
_MOST_LEAVES = 1 << 24
_SETTING = re.compile(r"\[(\w{1,60}): ?(.{0,4000})\]")


class LightGBMText:
    """The parts of a model's text.

    Parameters
    ----------
    text : str
        For the library's own loader: what was checked, and nothing else.
    names : list of str
        Of the columns.
    n_rounds : int
    settings : dict of str to str
        The parameters it was trained with, as spelled; empty where the text has none.
    """

    def __init__(self, text: str, names: list[str], n_rounds: int, settings: dict[str, str]) -> None:
        self.text, self.names, self.n_rounds, self.settings = text, names, n_rounds, settings


def read_lightgbm(text: str) -> LightGBMText:
    """Return the model in a text of LightGBM, checked line by line and written anew.

    Cost grows with the size of the text.

    Raises
    ------
    InputError
        If it is damaged, of another objective, or splits on categories.
    """
    try:
        return _read(text)
    except (LookupError, TypeError, ValueError, OverflowError) as error:
        if isinstance(error, InputError):
            raise
        raise unsound(LIGHTGBM_NAME, f"a part is missing or of another kind ({type(error).__name__})") from error


def _read(text: str) -> LightGBMText:
    body, _, after = text.partition("\nend of trees\n")
    whole_settings = "\nparameters:" not in after or "\nend of parameters" in after
    if not whole_settings or (not after and not text.rstrip().endswith("end of trees")):
        raise InputError("A booster's file must be whole. This one is damaged or cut off; save or upload it again.")
    head, *trees = re.split(r"\n\n+(?=Tree=\d+\n)", body)
    lines = head.strip("\n").split("\n")
    held = _pairs(lines[1:])
    if lines[0] != "tree" or held.get("version") not in VERSIONS:
        raise (
            from_the_future(LIGHTGBM_NAME, f"text {held.get('version', '')[:20]}", "of the text v4")
            if held
            else unsound(LIGHTGBM_NAME, "the first lines are missing")
        )
    averaged = "average_output" in held
    kept, names = _head(held)
    blocks = [_tree(block, number, len(names)) for number, block in enumerate(trees)]
    if not blocks:
        raise unsound(LIGHTGBM_NAME, "there is no tree")
    sizes = " ".join(str(len(block)) for block in blocks)
    flag = "average_output\n" if averaged else ""
    first = "\n".join(["tree", *kept, *([flag.strip()] if flag else []), f"tree_sizes={sizes}", "", ""])
    return LightGBMText(
        f"{first}{''.join(blocks)}end of trees\n\npandas_categorical:[]\n", names, len(blocks), _settings(after)
    )


def _pairs(lines: list[str]) -> dict[str, str]:
    return {line.partition("=")[0]: line.partition("=")[2] for line in lines if line}


def _head(held: dict[str, str]) -> tuple[list[str], list[str]]:
    objective = held.get("objective", "none")
    found = re.fullmatch(rf"binary sigmoid:({_NUMBER})", objective)
    several = [
        checked_whole(held.get(name, "1"), 0, 1 << 30, LIGHTGBM_NAME, "a number of classes") for name in _HEAD[1:3]
    ]
    if found is None or several != [1, 1] or not 0.0 < float(found[1]) < np.inf:
        raise of_another_objective(LIGHTGBM_NAME, objective)
    n = checked_whole(held["max_feature_idx"], 0, MOST_COLUMNS - 1, LIGHTGBM_NAME, "the number of columns") + 1
    checked_whole(held.get("label_index", "0"), 0, MOST_COLUMNS, LIGHTGBM_NAME, "the label's place")
    names = held["feature_names"].split(" ")
    infos = held.get("feature_infos", "").split(" ")
    if len(names) != n or len(infos) != n:
        raise unsound(LIGHTGBM_NAME, f"the names of columns are not {n:,}")
    plain = re.compile(rf"none|\[{_NUMBER}:{_NUMBER}\]")
    if not all(plain.fullmatch(one) for one in infos):
        raise with_categories(LIGHTGBM_NAME)
    constrained = held.get("monotone_constraints")
    if constrained is not None:
        _numbers(constrained, n)
    return [f"{name}={held[name]}" for name in (*_HEAD, *_LISTS) if name in held], names


def _tree(block: str, number: int, n_features: int) -> str:
    """Return one tree's lines, checked."""
    held = _pairs(block.split("\n"))
    n = checked_whole(held["num_leaves"], 1, _MOST_LEAVES, LIGHTGBM_NAME, "the number of leaves")
    if held.get("num_cat", "0") != "0":
        raise with_categories(LIGHTGBM_NAME)
    if held.get("is_linear", "0") != "0":
        raise InputError(
            "A booster in a file must have a number in each leaf. Got one of LightGBM trained with linear_tree; train it without."
        )
    kept = [f"Tree={number}", f"num_leaves={n}", "num_cat=0"]
    if not np.isfinite(_numbers(held["leaf_value"], n)).all():
        raise unsound(LIGHTGBM_NAME, "a leaf has no finite value")
    if n > 1:
        _check_inner({name: _numbers(held[name], n - 1) for name in _INNER}, n, n_features)
    lengths = dict.fromkeys(_INNER, n - 1) if n > 1 else {}
    lengths |= {"leaf_value": n}
    optional = dict.fromkeys(_LEAF_MAY_LACK, n) | dict.fromkeys(_INNER_MAY_LACK, n - 1)
    for name, length in optional.items():
        if held.get(name):
            _numbers(held[name], length)
            lengths[name] = length
    kept += [f"{name}={held[name]}" for name in _ORDER if name in lengths]
    _numbers(held.get("shrinkage", "1"), 1)
    kept += ["is_linear=0", f"shrinkage={held.get('shrinkage', '1')}"]
    return "\n".join(kept) + "\n\n\n"


_ORDER = (*_INNER, "leaf_value", *_LEAF_MAY_LACK, *_INNER_MAY_LACK)


def _check_inner(held: dict[str, Any], n: int, n_features: int) -> None:
    features, kinds = (_wholes(held[name]) for name in ("split_feature", "decision_type"))
    if not ((features >= 0) & (features < n_features)).all():
        raise unsound(LIGHTGBM_NAME, "a tree asks for a column that there is not")
    if not np.isin(kinds, (0, 2, 4, 6, 8, 10)).all():  # bit 0 is for categories, the others for missing values
        raise with_categories(LIGHTGBM_NAME)
    if np.isnan(held["threshold"]).any():
        raise unsound(LIGHTGBM_NAME, "a threshold is no number")
    # Leaves are numbered -1 and down; here they follow the inner nodes.
    below = [_wholes(held[name]) for name in ("left_child", "right_child")]
    left, right = (np.concatenate([np.where(one < 0, n - 2 - one, one), np.full(n, -1)]) for one in below)
    if not check_children(left, right, LIGHTGBM_NAME).all():
        raise unsound(LIGHTGBM_NAME, "a tree has nodes that do not hang on it")


def _numbers(text: str, n: int) -> Any:
    if _NUMBERS.fullmatch(text) is None:
        raise unsound(LIGHTGBM_NAME, "a column of numbers holds something else")
    values = np.array(text.split(" "), dtype=np.float64)
    if len(values) != n:
        raise unsound(LIGHTGBM_NAME, f"a column of numbers has other than {n:,} of them")
    return values


def _wholes(values: Any) -> Any:
    found = values.astype(np.int64)
    if not np.array_equal(found, values):
        raise unsound(LIGHTGBM_NAME, "a column of whole numbers has others")
    return found


def _settings(text: str) -> dict[str, str]:
    _, _, after = text.partition("parameters:\n")
    inner = after.partition("end of parameters")[0]
    return {found[1]: found[2] for line in inner.split("\n") if (found := _SETTING.fullmatch(line))}
