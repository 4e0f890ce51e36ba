"""Pipelines trained in exact arithmetic: rational preprocessing, and Newton's method in extended precision."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

EPS = Fraction(2) ** -52


def retrained(model, table, y, start):
    """Return coefficients and, if there is one, the intercept of `model`'s pipeline trained on a table to its optimum, in extended precision.

    Parameters
    ----------
    model : estimator
        Two classes, 0 and 1; an L2 penalty; class_weight None or "balanced".
    table : DataFrame
        Numbers.
    y : ndarray of int
    start : ndarray
        Parameters to start from.
    """
    *steps, (_, last) = model.steps if isinstance(model, Pipeline) else [("", model)]
    columns = [[None if np.isnan(v) else Fraction(float(v)) for v in table[name]] for name in table]
    for _, step in steps:
        columns = [FITS[type(step)](step, column) for column in columns]
    X = np.array([[to_longdouble(v) for v in column] for column in columns], dtype=np.longdouble).T
    if last.fit_intercept:
        X = np.column_stack([X, np.ones(len(X), dtype=np.longdouble)])
    penalty = np.full(X.shape[1], np.longdouble(1) / np.longdouble(last.C))
    if last.fit_intercept:
        penalty[-1] = penalty[-1] / np.longdouble(last.intercept_scaling) ** 2 if last.solver == "liblinear" else 0
    weight = np.ones(len(y), dtype=np.longdouble)
    if last.class_weight == "balanced":
        weight = (len(y) / (2 * np.bincount(y).astype(np.longdouble)))[y]
    return optimum(X, y, weight, penalty, start.astype(np.longdouble))


def optimum(X, y, weight, penalty, w):
    """Return where the objective's gradient vanishes, by Newton steps with gradients in extended precision."""
    for _ in range(60):
        p = 1 / (1 + np.exp(-(X @ w)))
        gradient = X.T @ (weight * (p - y)) + penalty * w
        H = ((X * (weight * p * (1 - p))[:, None]).T @ X + np.diag(penalty)).astype(np.float64)
        scale = 1 / np.sqrt(H.diagonal())
        step = scale * np.linalg.solve(H * scale[:, None] * scale, (scale * gradient).astype(np.float64))
        eta = np.abs(X @ step).max()
        w = w - step * (np.log1p(eta) / eta if eta > 1e-3 else 1)
        if np.linalg.norm(step) <= 1e-18 * np.linalg.norm(w.astype(np.float64)):
            break
    return w


def retrained_by_class(model, table, y, start):
    """Return coefficients and intercepts of every class of a multinomial model with intercepts, as `retrained`; `start` has a row for each."""
    *steps, (_, last) = model.steps
    columns = [[Fraction(float(v)) for v in table[name]] for name in table]
    for _, step in steps:
        columns = [FITS[type(step)](step, column) for column in columns]
    X = np.array([[to_longdouble(v) for v in column] for column in columns], dtype=np.longdouble).T
    X = np.column_stack([X, np.ones(len(X), dtype=np.longdouble)])
    penalty = np.full(X.shape[1], np.longdouble(1) / np.longdouble(last.C))
    penalty[-1] = 0
    k, d = start.shape
    W, hits = start.astype(np.longdouble), np.eye(k, dtype=np.longdouble)[y]
    common = np.kron(np.ones((k, k)), np.eye(d))
    for _ in range(60):
        F = X @ W.T
        P = np.exp(F - F.max(axis=1, keepdims=True))
        P /= P.sum(axis=1, keepdims=True)
        gradient = (P - hits).T @ X + penalty * W
        bends = np.einsum("ia,ab->iab", P, np.eye(k)) - np.einsum("ia,ib->iab", P, P)
        H = np.einsum("iab,ij,il->ajbl", bends, X, X).reshape(k * d, k * d).astype(np.float64)
        H += np.diag(np.tile(penalty.astype(np.float64), k)) + common
        step = np.linalg.solve(H, gradient.ravel().astype(np.float64)).reshape(k, d)
        W = W - step
        if np.linalg.norm(step) <= 1e-18 * np.linalg.norm(W.astype(np.float64)):
            break
    return W - W.mean(axis=0)


def to_longdouble(value):
    """Return a rational number rounded to extended precision."""
    top, rest = np.longdouble(float(value)), value - Fraction(float(value))
    return top + np.longdouble(float(rest))


def scaled(step, column):
    n = len(column)
    mean = sum(column) / n
    variance = sum((v - mean) ** 2 for v in column) / n
    constant = variance <= n * EPS * variance + (n * EPS * mean) ** 2
    factor = 1 if constant or not step.with_std else root(variance)
    return [(v - (mean if step.with_mean else 0)) / factor for v in column]


def scaled_to_range(step, column):
    low, high = min(column), max(column)
    start, stop = (Fraction(end) for end in step.feature_range)
    spread = high - low
    return [start + (v - low) * (stop - start) / (1 if spread < 10 * EPS else spread) for v in column]


def imputed(step, column):
    given = sorted(v for v in column if v is not None)
    middle = len(given) // 2
    fill = {
        "mean": sum(given) / len(given),
        "median": given[middle] if len(given) % 2 else (given[middle - 1] + given[middle]) / 2,
        "constant": Fraction(step.fill_value or 0),
    }[step.strategy]
    return [fill if v is None else v for v in column]


FITS = {StandardScaler: scaled, MinMaxScaler: scaled_to_range, SimpleImputer: imputed}


def root(value):
    """Return the square root of a rational number to 40 digits."""
    with localcontext() as context:
        context.prec = 40
        return Fraction((Decimal(value.numerator) / Decimal(value.denominator)).sqrt())
