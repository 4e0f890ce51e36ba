"""One function per transformer.

The estimator it would be if fitted on the retained rows, and the features it gives.

Every function takes the fitted estimator, the incoming block, the sums over the retained rows and the atoms, and returns a new
fitted estimator (a shallow copy, its learned attributes replaced) and the outgoing block.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler

from core.errors import NotSupportedError
from core.typing import Floats
from core.unlearning.preprocessing.atoms import AtomTable, CategoryColumn, NumericColumn, Sums
from core.unlearning.preprocessing.blocks import (
    EPS,
    Block,
    Categories,
    Constants,
    Linear,
    Numbers,
    as_numbers,
    filled,
)
from core.unlearning.preprocessing.moments import extremes, moments, present

Refitted = tuple[Any, Block]


def shallow(estimator: Any) -> Any:
    """Return a copy of an estimator that shares its attributes."""
    other = object.__new__(type(estimator))
    other.__dict__.update(estimator.__dict__)
    return other


def _taking(estimator: Any, width: int) -> Any:
    """Return a copy of an estimator for as many features as reach it now."""
    other = shallow(estimator)
    if width != estimator.n_features_in_:
        if hasattr(estimator, "feature_names_in_"):
            raise NotSupportedError("a category vanished from a pipeline that passes column names on")
        other.n_features_in_ = width
    return other


def scale(estimator: StandardScaler, block: Block, sums: Sums, atoms: AtomTable) -> Refitted:
    """Refit a StandardScaler."""
    numbers = as_numbers(block, atoms)
    found = moments(numbers, sums, atoms)
    mean, variance = found.mean, found.variance
    count = present(numbers, sums) if isinstance(numbers, Numbers) else np.full(len(mean), float(sums.n))
    new = _taking(estimator, len(mean))
    factor, relative = np.ones_like(mean), np.zeros_like(mean)
    if estimator.with_std:
        limit = count * EPS
        constant = variance <= limit * variance + (limit * mean) ** 2
        factor = np.where(constant, 1.0, np.sqrt(variance))
        relative = np.where(constant, 0.0, found.relative)
        new.scale_, new.var_ = factor, variance
    if estimator.mean_ is not None:
        new.mean_ = mean
    kind = np.asarray(estimator.n_samples_seen_).dtype
    seen = count.astype(kind)
    new.n_samples_seen_ = seen[0] if (seen == seen[0]).all() else seen
    at = numbers.at.less(found.near, found.error) if estimator.with_mean else numbers.at
    return new, numbers.moved(1.0 / factor, at.times(1.0 / factor, relative))


def scale_to_range(estimator: MinMaxScaler, block: Block, sums: Sums, atoms: AtomTable) -> Refitted:
    """Refit a MinMaxScaler."""
    if estimator.clip:
        raise NotSupportedError("MinMaxScaler with clip=True is not linear outside the training range")
    numbers = as_numbers(block, atoms)
    found = extremes(numbers, sums, atoms)
    start, stop = estimator.feature_range
    new = _taking(estimator, len(numbers))
    new.data_min_, new.data_max_, new.data_range_ = found.low, found.high, found.spread
    new.scale_ = (stop - start) / np.where(found.spread < 10 * EPS, 1.0, found.spread)
    new.min_ = start - found.low * new.scale_
    new.n_samples_seen_ = sums.n
    error = 4.0 * EPS * (np.abs(numbers.at.rest) + np.abs(found.near))
    at = numbers.at.less(found.near, error).times(new.scale_, found.relative).plus(start)
    return new, numbers.moved(new.scale_, at)


def impute(estimator: SimpleImputer, block: Block, sums: Sums, atoms: AtomTable) -> Refitted:
    """Refit a SimpleImputer on numbers or on categories."""
    if isinstance(block, Categories):
        return _impute_categories(estimator, block, sums)
    numbers = as_numbers(block, atoms)
    new = _taking(estimator, len(numbers))
    if isinstance(numbers, Linear):
        if estimator.strategy not in ("mean", "constant"):
            raise NotSupportedError(
                f"SimpleImputer(strategy={estimator.strategy!r}) after a step that leaves no missing values"
            )
        kept = estimator.statistics_[: len(numbers)]  # one constant for all
        new.statistics_ = moments(numbers, sums, atoms).mean if estimator.strategy == "mean" else kept
        return new, numbers
    new.statistics_, near, error = _statistics(estimator, numbers, sums, atoms)
    return new, filled(numbers, near, error, atoms)


def _statistics(
    estimator: SimpleImputer, block: Numbers, sums: Sums, atoms: AtomTable
) -> tuple[Floats, Floats, Floats]:
    """Return what stands for missing values, its near parts, and bounds on their errors.

    The far parts are the constants'.
    """
    if estimator.strategy == "constant":
        near = np.asarray(estimator.statistics_, dtype=np.float64) - block.at.base
        return estimator.statistics_, near, 2.0 * EPS * np.abs(near)
    if estimator.strategy == "mean":
        found = moments(block, sums, atoms)
        return found.mean, found.near, found.error
    values, less_centre = np.array([_centre(one, estimator.strategy, sums) for one in block.columns.columns]).T
    near = less_centre / block.columns.spread * block.scale + block.at.rest
    error = 4.0 * EPS * (np.abs(near) + np.abs(block.at.rest))
    return np.where(block.untouched, values, block.at.base + near), near, error


def _centre(column: NumericColumn, strategy: str, sums: Sums) -> tuple[float, float]:
    """Return a column's median or most frequent value, and the same less its centre.

    Far from zero their difference loses digits.
    """
    values = column.ranked(sums.retained)
    if len(values) == 0:
        raise NotSupportedError(f"no retained record has a value in {column.name!r}")
    if strategy == "median":
        middle = len(values) // 2
        ends = values[middle : middle + 1] if len(values) % 2 else values[middle - 1 : middle + 1]
        return float(ends.mean()), float((ends - column.center).mean())
    distinct, counts = np.unique(values, return_counts=True)
    winner = float(distinct[np.argmax(counts)])
    return winner, winner - column.center


def _impute_categories(estimator: SimpleImputer, block: Categories, sums: Sums) -> Refitted:
    if estimator.strategy not in ("most_frequent", "constant"):
        raise NotSupportedError(f"SimpleImputer(strategy={estimator.strategy!r}) on categories")
    new = shallow(estimator)
    statistics = estimator.statistics_.copy()
    fills: list[int | None] = []
    for index, column in enumerate(block.columns):
        if estimator.strategy == "most_frequent":
            counts = np.rint(sums.first[column.atoms])
            if not counts.any():
                raise NotSupportedError(f"no retained record has a value in {column.name!r}")
            winner = int(np.argmax(counts))
            statistics[index] = column.categories[winner]
        else:
            winner = _category_of(column, statistics[index])
        fills.append(winner)
    new.statistics_ = statistics
    return new, Categories(block.columns, tuple(fills))


def _category_of(column: CategoryColumn, value: object) -> int:
    found = np.flatnonzero(column.categories == value)
    return int(found[0]) if len(found) else -1


def encode(estimator: OneHotEncoder, block: Block, sums: Sums, atoms: AtomTable) -> Refitted:
    """Refit a OneHotEncoder.

    Categories that no retained row has are dropped where they are learned.
    """
    if not isinstance(block, Categories):
        raise NotSupportedError("a OneHotEncoder after a step other than a SimpleImputer")
    learned = isinstance(estimator.categories, str)
    categories, drops, widths, rows = [], [], [], []
    for index, (column, fill) in enumerate(zip(block.columns, block.fill, strict=True)):
        features = column.indicators(fill, atoms.train.shape[1])
        known = np.arange(len(features)) < len(estimator.categories_[index])
        kept = features @ sums.first > 0.5 if learned else known
        values = _values(column, fill, estimator.categories_[index].dtype)[: len(features)]
        categories.append(estimator.categories_[index] if kept.all() else values[kept])
        features = features if kept.all() else features[kept]
        drop = _dropped(estimator.drop, len(features))
        drops.append(drop)
        if drop is not None:
            features = np.delete(features, drop, axis=0)
        widths.append(len(features))
        rows.append(features)
    new = shallow(estimator)
    new.categories_, new._n_features_outs = categories, widths
    if estimator.drop is not None:
        new.drop_idx_ = np.array(drops, dtype=object)
        new._drop_idx_after_grouping = new.drop_idx_
    coef = np.concatenate(rows)
    return new, Linear(coef, Constants.exactly(np.zeros(len(coef))))


def _values(column: CategoryColumn, fill: int | None, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    values = column.categories.astype(dtype)
    return np.append(values, np.array([np.nan], dtype=dtype)) if column.missing is not None and fill is None else values


def _dropped(drop: str | None, width: int) -> int | None:
    if drop == "first" or (drop == "if_binary" and width == 2):
        return 0
    return None


def check_imputer(estimator: SimpleImputer) -> None:
    """Raise unless the imputer's parameters are ones that `impute` knows."""
    if estimator.add_indicator or not _is_nan(estimator.missing_values):
        raise NotSupportedError("SimpleImputer with add_indicator or with a marker other than NaN")
    if estimator.strategy not in ("mean", "median", "most_frequent", "constant"):
        raise NotSupportedError("SimpleImputer with a callable strategy")


def check_encoder(estimator: OneHotEncoder) -> None:
    """Raise unless the encoder's parameters are ones that `encode` knows."""
    if estimator.min_frequency is not None or estimator.max_categories is not None:
        raise NotSupportedError("OneHotEncoder with min_frequency or max_categories")
    if not (estimator.drop is None or isinstance(estimator.drop, str)):
        raise NotSupportedError("OneHotEncoder with a list of categories to drop")
    if np.dtype(estimator.dtype) != np.float64:
        raise NotSupportedError("OneHotEncoder with a dtype other than float64")


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and np.isnan(value)


LEAVES: dict[type, Callable[[Any, Block, Sums, AtomTable], Refitted]] = {
    StandardScaler: scale,
    MinMaxScaler: scale_to_range,
    SimpleImputer: impute,
    OneHotEncoder: encode,
}
"""The transformers that can be refitted from sums."""
