"""Whether fitted preprocessing is what fitting it again on the rows at hand gives.

It is fitted again as training did it: with the labels, and with the seeds it records. Where it may draw at random, or anything
differs, it is fitted a second time with other draws. What the two fits do not share was drawn, and says nothing of the rows; what they
share and the model stores otherwise was learned from others.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from numbers import Integral
from typing import Any, NamedTuple

from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import FeatureUnion, Pipeline

from core.case.learned import difference, same_table
from core.errors import said
from core.unlearning.preprocessing.chain import passes


class Repeated(NamedTuple):
    """The result of fitting a preprocessing again.

    Parameters
    ----------
    differs : str
        The first thing it learned that these rows give otherwise; empty where there is none.
    unknown : str
        Why it cannot be told, or not of all of it; empty where it can.
    table : array-like
        What the last step was given if these are the rows.
    surely : bool
        Whether it was given just that. Not where the table follows from draws that are not recorded.
    """

    differs: str
    unknown: str
    table: Any
    surely: bool


def repeated(fitted: Pipeline, table: Any, labels: Any) -> Repeated:
    """Fit a preprocessing again, once or twice, and compare what it learned.

    It is fitted on rows and labels, and compared with what it stores.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return _repeated(fitted, table, labels)
        except Exception as error:  # what is in the model decides which
            return Repeated(
                "", f"it cannot be fitted again on these rows ({said(error)})", fitted.transform(table), False
            )


def _repeated(fitted: Pipeline, table: Any, labels: Any) -> Repeated:
    again = _unfitted(fitted, 0)
    given = again.fit_transform(table, labels)
    alike = _Comparison()
    alike.visit(fitted, again, again, False)
    if not alike.differs and not _may_draw(fitted):
        return Repeated("", "", given, True)
    twin = _unfitted(fitted, 1)
    drawn = not same_table(given, twin.fit_transform(table, labels))
    found = _Comparison()
    found.visit(fitted, again, twin, False)
    unknown = found.drawn or (_draws(fitted) if drawn else "")
    if not unknown:
        return Repeated(found.differs, "", given, True)
    return Repeated(found.differs, unknown, fitted.transform(table), same_table(given, again.transform(table)))


def _unfitted(fitted: Pipeline, seed: int) -> Any:
    """Return a clone that draws by `seed` wherever no seed is recorded.

    It keeps nothing on disk.
    """
    again = clone(fitted)
    unseeded = dict.fromkeys(_unseeded(again), seed)
    kept = {name: None for name in again.get_params() if name == "memory" or name.endswith("__memory")}
    return again.set_params(**unseeded, **kept)


def _unseeded(estimator: Any) -> list[str]:
    return [
        name
        for name, value in estimator.get_params().items()
        if name.endswith("random_state") and not isinstance(value, Integral)
    ]


def _may_draw(fitted: Pipeline) -> bool:
    """Return whether another fit may give something else.

    No seed, folds that draw by themselves, or code that is not scikit-learn's.
    """
    folds = any(name.endswith("__cv") and not _harmless(value) for name, value in fitted.get_params().items())
    own = any(not type(one).__module__.startswith("sklearn.") for one in _parts(fitted))
    return bool(_unseeded(fitted)) or folds or own


def _harmless(folds: Any) -> bool:
    return folds is None or isinstance(folds, Integral | str)


def _draws(fitted: Pipeline) -> str:
    """Return which transformers draw, in words."""
    names = [type(one).__name__ for one in _parts(fitted) if _unseeded(one)]
    if names:
        return f"{names[0]} draws at random without a recorded seed"
    return "it gives the last step other values each time it is fitted"


def _parts(estimator: Any) -> Iterator[Any]:
    """Yield the transformers inside a fitted one."""
    inside = _inside(estimator)
    if inside is None:
        yield estimator
        return
    for _, part in inside:
        yield from _parts(part)


def _inside(estimator: Any) -> list[tuple[str, Any]] | None:
    """Return the transformers that a container applies one by one, None for anything else."""
    if isinstance(estimator, Pipeline):
        named = [(name, part) for name, part in estimator.steps]
    elif isinstance(estimator, ColumnTransformer):
        named = [(name, part) for name, part, _ in estimator.transformers_]
    elif isinstance(estimator, FeatureUnion):
        named = [(name, part) for name, part in estimator.transformer_list]
    else:
        return None
    return [(name, part) for name, part in named if not passes(part) and not isinstance(part, str)]


@dataclass
class _Comparison:
    """Goes through a fitted preprocessing and two fits of it, side by side.

    Parameters
    ----------
    differs : str
        The first thing stored that both fits give otherwise.
    drawn : str
        The first transformer that the two fits do not share.
    """

    differs: str = ""
    drawn: str = ""

    def visit(self, stored: Any, again: Any, twin: Any, after_draws: bool) -> bool:
        """Compare one transformer.

        Returns whether what it gives follows from draws, as it does where what it was given did.
        """
        inside = _inside(stored)
        if inside is None:
            return self._compare(stored, again, twin, after_draws)
        others = [dict(_inside(one) or ()) for one in (again, twin)]
        drawn = after_draws
        for name, part in inside:
            if not all(name in other for other in others):
                self.differs = self.differs or f"{type(part).__name__} gets columns that these rows do not give it"
                continue
            found = self.visit(
                part, others[0][name], others[1][name], drawn if isinstance(stored, Pipeline) else after_draws
            )
            drawn = drawn or found
        return drawn

    def _compare(self, stored: Any, again: Any, twin: Any, after_draws: bool) -> bool:
        own = again is not twin and difference(again, twin) != ""
        if own and not after_draws and not self.drawn:
            why = (
                "draws at random without a recorded seed"
                if _unseeded(stored)
                else "learns something else each time it is fitted"
            )
            self.drawn = f"{type(stored).__name__} {why}"
        if own or after_draws:
            return True
        self.differs = self.differs or difference(stored, again)
        return False
