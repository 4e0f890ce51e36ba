"""Saying what a model file holds before anything of it is built."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import sklearn
from sklearn.base import BaseEstimator, RegressorMixin

from core.errors import listed
from core.files.models.allowed import BOOSTERS, CURRENT, canonical
from core.files.models.boosters.tell import told
from core.files.models.building.versions import release_of
from core.files.models.chain.pieces import Sorted, StoredPart, sort_parts
from core.files.models.child import in_child, start_early
from core.files.models.inert import InertArray, Made, check_shape, named, parts
from core.files.models.kinds import chain_of, class_of, holds_model, is_fitted, is_model, kind_of
from core.files.models.read import read_tree, sklearn_versions, unwrapped
from core.files.models.recipe import recipe
from core.files.models.types import foreign_types, types_refused
from core.files.tables.limits import ModelLimits, Source, check_limits, read_source
from core.shown import Shown
from core.words import listing, with_article

if TYPE_CHECKING:
    import pandas as pd

LIMITS = ModelLimits()
_MOST_LABELS = 100


@dataclass(frozen=True, repr=False)
class ModelInspection(Shown):
    """The contents of a model file, told without building it.

    Parameters
    ----------
    form : str
        ``"skops"`` or ``"pickle"``; joblib's files are pickles.
    class_name : str
        Class of the object in the file, without its module.
    steps : tuple of str
        Classes along a pipeline, the classifier last; of another object itself alone.
    made_with : tuple of str
        Versions of scikit-learn that made its parts.
    classes : tuple
        Labels it tells apart, where the file holds them.
    columns : tuple of str
        Names of the columns it was fitted on; empty where it stores none.
    n_columns : int or None
        How many columns it takes, where the file tells.
    foreign : tuple of str
        Types and functions that are not on the closed table, and are never built.
    loads : bool
        Whether `load_model` opens it, as far as can be told without building it: damage within its numbers is found there.
    after : str
        What is done to it first: from which release it is brought over. Empty where nothing is.
    missing : str
        Why it does not open, or what it still needs, with the way out. Empty where nothing is.
    recipe : str
        Code to train one like it.
    types : dict of str to int
        Every class and how many objects of it the file holds.

    Examples
    --------
    >>> import joblib, io
    >>> from sklearn.preprocessing import StandardScaler
    >>> file = io.BytesIO()
    >>> _ = joblib.dump(StandardScaler().fit([[1.0], [2.0]]), file)
    >>> inspect_model(file.getvalue()).missing
    'A StandardScaler, not a model: add the model it belongs to.'
    """

    form: str
    class_name: str
    steps: tuple[str, ...]
    made_with: tuple[str, ...]
    classes: tuple[Any, ...]
    columns: tuple[str, ...]
    n_columns: int | None
    foreign: tuple[str, ...]
    loads: bool
    after: str
    missing: str
    recipe: str
    types: dict[str, int]

    def lines(self) -> list[str]:
        """Say what the file holds, and whether it opens."""
        made = f" of scikit-learn {' and '.join(self.made_with)}" if self.made_with else ""
        said = [f"{_capital(with_article(self.class_name))}{made}, {self.form} file"]
        if len(self.steps) > 1:
            said.append("Steps: " + " > ".join(self.steps))
        if self.classes:
            said.append(f"Classes: {listed(self.classes, most=10)}")
        if self.columns:
            said.append(f"{_counted(len(self.columns))}: {listed(self.columns, most=12)}")
        elif self.n_columns:
            said.append(f"{_counted(self.n_columns)} without a name")
        if self.foreign:
            said.append(f"Types that are never built: {listed(self.foreign)}")
        said.append(("Opens" + (f", {self.after}" if self.after else "") + ".") if self.loads else "Does not open.")
        if self.missing:
            said.append(self.missing)
        if self.recipe and self.recipe not in self.missing:
            said.append(f"Recipe: {self.recipe}")
        return said

    def to_frame(self) -> pd.DataFrame:
        """Return the classes in the file, how many objects of each, and whether each may be built."""
        import pandas as pd

        return pd.DataFrame(
            {
                "type": list(self.types),
                "objects": list(self.types.values()),
                "built": [not any(name in self.foreign for name in (one, canonical(one))) for one in self.types],
            }
        )


def inspect_model(file: Source, *, limits: ModelLimits | None = None) -> ModelInspection:
    """Tell what a skops, pickle or joblib file holds, or one of XGBoost, LightGBM or CatBoost.

    Nothing of it is built or run, and it is read in a process of its own, under limits.

    Cost grows with the size of the file.

    Parameters
    ----------
    file : str, Path, bytes or binary file
        What to look at.
    limits : ModelLimits, optional
        What it must keep.

    Returns
    -------
    ModelInspection

    Raises
    ------
    LimitError
        If a limit is passed.
    InputError
        If it is no such file, or damaged.
    """
    limits = LIMITS if limits is None else limits
    check_limits(limits, ModelLimits)
    start_early()
    data = read_source(file, "model", limits.max_bytes)
    return ModelInspection(**in_child("core.files.models.proving:tell", {"data": data, "limits": asdict(limits)}))


def inspect_here(data: bytes, limits: ModelLimits) -> ModelInspection:
    """Tell what a file holds, in this process: of bytes from outside only a child may do so."""
    found = read_tree(data, limits)
    check_shape(found.tree, limits)
    return describe(found.form, found.tree)


def describe(form: str, tree: Any) -> ModelInspection:
    """Tell what an inert tree is whose shape has been checked."""
    bundle = _bundle(tree)
    model, notes = unwrapped(bundle.models[0].tree if bundle else tree)
    chain = chain_of(model)
    last = chain[-1]
    refused = types_refused(model)
    missing = _missing(model, last, refused)
    if bundle:
        missing = _under(bundle.models[0], missing) if missing else _missing_with(bundle)
    made_with = sklearn_versions(tree)
    earlier = [one for one in made_with if not refused and release_of(one, None) != CURRENT]
    after = f"brought from scikit-learn {' and '.join(earlier)} to {sklearn.__version__}" if earlier else ""
    if notes:
        after = f"its best_estimator_ alone{', ' if after else ''}{after}"
    if bundle and (others := _beside(bundle)):
        after = f"put together with {others}{', ' if after else ''}{after}"
    columns, n_columns = _columns(chain)
    return ModelInspection(
        form=form,
        class_name=kind_of(tree),
        steps=tuple(kind_of(one) for one in chain),
        made_with=made_with,
        classes=_labels(last),
        columns=columns,
        n_columns=n_columns,
        foreign=tuple(foreign_types(model)),
        loads=not missing,
        after=after if not missing else "",
        missing=missing,
        recipe=recipe(model) if isinstance(model, Made) and _has_recipe(kind_of(model)) else "",
        types=dict(Counter(named(part.maker) for part in parts(tree) if isinstance(part, Made)).most_common()),
    )


def _has_recipe(kind: str) -> bool:
    return kind[:1].isupper() and kind != "Booster"


def _counted(n: int) -> str:
    return f"{n:,} column{'s' if n != 1 else ''}"


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def refusal(tree: Any) -> str:
    """Return why a tree is no classifier whatever its types, and what to do, or nothing."""
    model, _ = unwrapped(tree)
    return _of_another_kind(model, chain_of(model)[-1])


def _missing(tree: Any, last: Any, refused: str) -> str:
    """Return why a tree is no model that opens, and what to do."""
    other = _of_another_kind(tree, last)
    if other or refused:
        return other or refused
    kind = _capital(with_article(kind_of(last)))
    if not is_model(last):
        return f"{kind}, not a model: add the fitted classifier."
    return "" if is_fitted(last) else f"{kind} that is not fitted: call fit and save it again."


def _of_another_kind(tree: Any, last: Any) -> str:
    """Return what a tree is if it is an estimator other than a classifier, or no object at all."""
    if not isinstance(tree, Made):
        return _of_no_object(tree)
    kind = _capital(with_article(kind_of(last)))
    built = class_of(canonical(named(last.maker))) if isinstance(last, Made) else None
    if kind_of(last).endswith("Regressor") or (built is not None and issubclass(built, RegressorMixin)):
        return f"{kind} predicts numbers: fit a classifier of the outcome."
    if built is not None and not is_model(last) and issubclass(built, BaseEstimator):
        return f"{kind}, not a model: add the model it belongs to."
    return ""


def _of_no_object(tree: Any) -> str:
    if isinstance(tree, dict | list | tuple) and holds_model(tree):
        found = sort_parts({"the file": tree})
        where = " and ".join(f"{with_article(held.kind)} under {held.key!r}" for held in found.models)
        return (
            f"{_capital(with_article(type(tree).__name__))} with {where}: save the one to look at in a file of its own."
        )
    if isinstance(tree, dict) and tree and all(isinstance(one, Made) for one in tree.values()):
        held = Counter(kind_of(one) for one in tree.values())
        what = " and ".join(f"{n} {kind}{'s' if n > 1 else ''}" for kind, n in held.most_common())
        return f"A dictionary of {what}, for {listed(map(str, tree))}, not a model: add the model they belong to."
    if isinstance(tree, list | tuple) and tree and all(isinstance(one, str) for one in tree):
        return f"A list of {len(tree):,} names, not a model: add the model whose columns they are."
    if isinstance(tree, InertArray):
        return "An array, not a model: add the fitted classifier."
    return f"{_capital(with_article(kind_of(tree)))}, not a model: add the fitted classifier."


def _bundle(tree: Any) -> Sorted | None:
    """Return the parts of a dictionary or list that holds just one model."""
    if not isinstance(tree, dict | list | tuple) or not holds_model(tree):
        return None
    found = sort_parts({"the file": tree})
    return found if len(found.models) == 1 else None


def _missing_with(bundle: Sorted) -> str:
    """Return why a part that stands beside a model does not open."""
    for held in (*bundle.steps, *bundle.labels, *bundle.columns.values()):
        if why := types_refused(unwrapped(held.tree)[0]):
            return _under(held, why)
    return ""


def _under(held: StoredPart, why: str) -> str:
    return f"{_capital(with_article(held.kind))} under {held.key!r}: {why}"


def _beside(bundle: Sorted) -> str:
    keys = [held.key for held in (*bundle.steps, *bundle.labels, *bundle.names)]
    encoders = f"encoders of {listed(bundle.columns, most=4)}" if bundle.columns else ""
    return listing([*map(repr, keys), *([encoders] if encoders else [])])


def _array(part: Any) -> np.ndarray[Any, Any] | None:
    return part.values if isinstance(part, InertArray) else None  # noqa: PD011  not pandas


def _labels(part: Any) -> tuple[Any, ...]:
    held = part.attributes if isinstance(part, Made) else {}
    if isinstance(part, Made) and named(part.maker) in BOOSTERS:
        own = _array(held.get("_classes"))
        return (0, 1) if own is None else tuple(own.tolist())[:_MOST_LABELS]
    binarizer = held.get("_label_binarizer")  # where RidgeClassifier kept its classes before 1.8
    inner = binarizer.attributes if isinstance(binarizer, Made) else {}
    values = _array(held.get("classes_", inner.get("classes_")))
    if values is None or values.ndim != 1 or len(values) > _MOST_LABELS:
        return ()
    plain = (bool, int, float, str)
    return tuple(one for one in values.tolist() if isinstance(one, plain))


def _columns(chain: list[Any]) -> tuple[tuple[str, ...], int | None]:
    """Return names and number of the columns that the first step was fitted on."""
    for part in chain:
        held = part.attributes if isinstance(part, Made) else {}
        if isinstance(part, Made) and named(part.maker) in BOOSTERS:
            return told(part).names, told(part).n_columns
        names, n = held.get("feature_names_in_"), held.get("n_features_in_")
        values = _array(names)
        if values is not None and values.ndim == 1:
            return tuple(str(one) for one in values.tolist() if isinstance(one, str)), len(values)
        if isinstance(n, int | np.integer) and not isinstance(n, bool):
            return (), int(n)
    return (), None
