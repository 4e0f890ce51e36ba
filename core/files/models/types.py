"""Foreign types in an inert tree, and models that no rule brings over."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.errors import InputError, listed
from core.files.models.allowed import (
    BOOSTERS,
    CLASSES,
    CURRENT,
    FUNCTIONS,
    LOSSES,
    NO_OUTCOME,
    OTHERS,
    PROVEN_SINCE,
    TREES,
    VALUES,
    WAY_OUT,
    WHOLE_SEED,
    canonical,
)
from core.files.models.boosters.sound import not_installed
from core.files.models.boosters.tell import told
from core.files.models.building.versions import release_of
from core.files.models.inert import InertArray, Made, Name, children, named, parts
from core.files.models.read import sklearn_versions
from core.files.models.recipe import recipe
from core.words import with_article

_MADE = {*CLASSES, *BOOSTERS, *LOSSES, *TREES, *OTHERS}
_PREDICTS = {"ressor": "predicts numbers", "Ranker": "ranks rows"}
_NAMED = VALUES | FUNCTIONS


def foreign_types(tree: Any) -> list[str]:
    """Return the names of types and functions in a tree that are not on the closed table.

    What stands inside losses, random generators and search trees is left out, since nothing of it is read.
    """
    found, pending, seen = set(), [tree], set()
    while pending:
        part = pending.pop()
        if isinstance(part, Name) and canonical(str(part)) not in _NAMED:
            found.add(str(part))
        if not isinstance(part, list | tuple | set | frozenset | dict | Made | InertArray) or id(part) in seen:
            continue
        seen.add(id(part))
        if not isinstance(part, Made):
            pending.extend(children(part))
            continue
        name = canonical(named(part.maker))
        if name not in _MADE:
            found.add(_called(part))
            pending.extend((part.args, part.state) if name == "functools.partial" else ())
        elif name in CLASSES or name in OTHERS:
            pending.extend(_held(part, name))
    return sorted(found)


def _held(part: Made, name: str) -> list[Any]:
    if name.startswith(("numpy.random.", "sklearn.tree.", "numpy.dtype")):
        return []
    return [part.args, part.kwargs, part.state, part.items, part.pairs]


def _called(part: Made) -> str:
    name = named(part.maker)
    if not name:
        return "a call of what a call gives"
    if name.startswith("builtins.getattr") and isinstance(part.args, tuple) and len(part.args) == 2:
        owner = part.args[0]
        whose = named(owner.maker) if isinstance(owner, Made) else named(owner)
        return f"{whose}.{part.args[1]}" if isinstance(part.args[1], str) else name
    return name


def check_types(tree: Any) -> None:
    """Check that a tree holds only types of the closed table.

    Models in it must also be of releases that can be brought over.

    Raises
    ------
    InputError
        If not, with the way out.
    """
    if why := types_refused(tree):
        raise InputError(why)


def types_refused(tree: Any) -> str:
    """Return why a tree may not be built; empty where it may."""
    foreign = foreign_types(tree)
    if foreign:
        return _refusal(tree, foreign)
    try:
        return (
            _random_states_refused(tree)
            or _categories_refused(tree)
            or refusal_of_release(tree)
            or _boosters_refused(tree)
        )
    except InputError as error:  # of a release that is not known
        return f"{error}{_to_train_anew(tree)}"


def _refusal(tree: Any, foreign: list[str]) -> str:
    kind = named(tree.maker).rpartition(".")[2] if isinstance(tree, Made) else ""
    if kind.endswith(("Regressor", "Ranker")) or kind in NO_OUTCOME:
        what = f"{NO_OUTCOME[kind]} without an outcome" if kind in NO_OUTCOME else _PREDICTS[kind[-6:]]
        return (
            f"The model must be a classifier. Got {with_article(kind)}, which {what}; fit a classifier of the outcome."
        )
    way_out = next(
        (WAY_OUT[last] for last in (name.rpartition(".")[2] for name in foreign) if last in WAY_OUT),
        "save a model without them: scikit-learn's linear models, naive Bayes, trees, forests and gradient boosting are read",
    )
    return (
        f"A model file may contain only types on the allow-list, since rebuilding others could run code from the file. "
        f"Got {listed(foreign)}; {way_out}.{_to_train_anew(tree)}"
    )


def _to_train_anew(tree: Any) -> str:
    if not isinstance(tree, Made) or not named(tree.maker).startswith("sklearn."):
        return ""
    made_with = sklearn_versions(tree)
    said = f" The model was made with scikit-learn {made_with[-1]}; its" if made_with else " Its"
    return f"{said} recipe: {recipe(tree)}."


def _random_states_refused(tree: Any) -> str:
    for owner in parts(tree):
        if not isinstance(owner, Made):
            continue
        kind = named(owner.maker).rpartition(".")[2]
        for name, value in owner.attributes.items():
            if not isinstance(value, Made) or not named(value.maker).endswith(("RandomState", "__randomstate_ctor")):
                continue
            kept = (kind, name) in (("GradientBoostingClassifier", "_rng"), ("DecisionTreeRegressor", "random_state"))
            if not kept:
                return (
                    "A model file may contain only types on the allow-list, and a RandomState only where GradientBoostingClassifier "
                    f"keeps its own. Got one as {name} of {kind}; {WHOLE_SEED}."
                )
    return ""


def _boosters_refused(tree: Any) -> str:
    boosters = [part for part in parts(tree) if isinstance(part, Made) and named(part.maker) in BOOSTERS]
    refusals = (not_installed(BOOSTERS[named(part.maker)]) or told(part).why for part in boosters)
    return next((why for why in refusals if why), "")


def _categories_refused(tree: Any) -> str:
    for part in parts(tree):
        if isinstance(part, Made) and named(part.maker).endswith(".HistGradientBoostingClassifier"):
            marked = part.attributes.get("is_categorical_")
            if isinstance(marked, InertArray) and marked.values is not None and np.any(marked.values):
                return (
                    "HistGradientBoostingClassifier in a model file must take every column as numbers. "
                    f"Got one that treats columns as categories itself; {WAY_OUT['check_array']}."
                )
    return ""


def refusal_of_release(tree: Any) -> str:
    """Return why a model of an earlier release is not opened, with its recipe.

    Empty where it is.

    Raises
    ------
    InputError
        If it was made with a release that is not known.
    """
    for part in parts(tree):
        if not isinstance(part, Made) or canonical(named(part.maker)) not in CLASSES:
            continue
        kind, held = named(part.maker).rpartition(".")[2], part.attributes
        version = held.get("_sklearn_version")
        release = release_of(version, None)
        if release is None:
            continue
        why = _why(kind, held, release)
        if why:
            return (
                f"A model must score here as it did where it was made. Got {with_article(kind)} of scikit-learn {version}, {why}; "
                f"train it anew: {recipe(tree)}."
            )
    return ""


def _why(kind: str, held: dict[str, Any], release: int) -> str:
    if kind == "AdaBoostClassifier" and release < 6 and held.get("algorithm", "SAMME.R") != "SAMME":
        return "trained by SAMME.R, which no longer exists"
    if release < PROVEN_SINCE.get(kind, CURRENT):
        return f"and no {kind} made before 1.{PROVEN_SINCE.get(kind, CURRENT)} has been shown to keep its scores"
    classes = held.get("classes_")
    many = isinstance(classes, InertArray) and classes.values is not None and classes.values.size > 2
    if kind in ("LogisticRegression", "LogisticRegressionCV"):
        return _why_logistic(held, release, many=many)
    if kind in ("RidgeClassifier", "RidgeClassifierCV") and held.get("normalize", False) not in (False, "deprecated"):
        return "trained with normalize, which no longer exists"
    return ""


def _why_logistic(held: dict[str, Any], release: int, *, many: bool) -> str:
    kind, solver = held.get("multi_class"), held.get("solver")
    if many and (kind == "ovr" or solver == "liblinear") and release < 8:
        return "trained one class against the rest, whose scores are no longer computed"
    if kind == "multinomial" and not many and held.get("penalty") not in ("l2", "none", None):
        return 'trained on two classes with multi_class="multinomial" and another penalty than L2'
    return ""
