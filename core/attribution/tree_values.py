"""SHAP values of models made of trees, for every family that has them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from core.attribution.explainer import Explained, Explainer
from core.case.case import Case
from core.case.scoring import final_estimator
from core.errors import NotSupportedError
from core.typing import Floats, Progress
from core.words import with_article

RECORDS_AT_ONCE = 4
"""Records explained between two reports of progress; no other thread of the process runs meanwhile."""
CONTRIBUTIONS_AT_ONCE = 100
"""Records explained by a library itself between two reports of progress."""
NEVER_SEEN = 1e-12
"""Record count given to tree nodes that no record reaches, so that shares of them stay defined."""


def by_trees(trees: Sequence[Any], rows: Floats, report: Progress) -> tuple[Floats, Floats]:
    """Return the values of `shap.TreeExplainer` and the base values.

    They follow the trees' own record counts.

    A forest's are the means of its trees'; they are taken one after the other, and few records of one at a time.

    Parameters
    ----------
    trees : sequence of estimators
        A forest's trees, or one tree or boosting model.
    rows : ndarray, shape (n_rows, n_features)
    report : callable
        Called with the share done and what is being done; may raise to cancel.

    Raises
    ------
    NotSupportedError
        If SHAP does not serve the model.
    """
    values, bases = [], []
    for number, tree in enumerate(trees):
        explainer = _explainer(tree)
        blocks = []
        for start in range(0, len(rows), RECORDS_AT_ONCE):
            doing = f"Tree {number + 1} of {len(trees)}" if len(trees) > 1 else f"Record {start + 1} of {len(rows)}"
            report((number + start / len(rows)) / len(trees), doing)
            some = rows[start : start + RECORDS_AT_ONCE]
            blocks.append(np.asarray(explainer.shap_values(some, check_additivity=False)))
        values.append(np.concatenate(blocks))
        bases.append(np.ravel(explainer.expected_value))
    return np.mean(values, axis=0), np.mean(bases, axis=0)


class LibraryReasons(Explainer):
    """SHAP values that a library computes itself, for log-odds of two classes."""

    @abstractmethod
    def contributions(self, model: Any, rows: Floats) -> Floats:
        """Return a value for each column and the base value, shape (n_rows, n_features + 1).

        Parameters
        ----------
        model : estimator
            The last step of a case's model.
        rows : ndarray, shape (n_rows, n_features)
        """

    def explain(
        self,
        case: Case,
        rows: Floats,
        background: Callable[[], Floats],  # noqa: ARG002
        report: Progress,
    ) -> Explained:
        """Return values that add up to log-odds; refuse more than two classes."""
        model = final_estimator(case.model)
        if len(case.classes) > 2:
            kind = with_article(type(model).__name__)
            raise NotSupportedError(f"Reasons are given for two classes of {kind}. Got {len(case.classes)}.")
        blocks = [np.zeros((0, rows.shape[1] + 1))]
        for start in range(0, len(rows), CONTRIBUTIONS_AT_ONCE):
            report(start / len(rows), f"Record {start + 1} of {len(rows)}")
            blocks.append(self.contributions(model, rows[start : start + CONTRIBUTIONS_AT_ONCE]))
        found = np.concatenate(blocks)
        sign = 1.0 if case.pos_column == 1 else -1.0
        return Explained(sign * found[:, :-1], sign * float(found[0, -1]), "log-odds")


def _explainer(tree: Any) -> Any:
    from shap import TreeExplainer  # takes seconds to import, and few sessions ask for reasons
    from shap.utils._exceptions import InvalidModelError

    try:
        explainer = TreeExplainer(tree, feature_perturbation="tree_path_dependent")
    except (InvalidModelError, TypeError, NotImplementedError) as error:
        raise NotSupportedError(f"SHAP does not serve this {type(tree).__name__}: {error}") from error
    cover = explainer.model.node_sample_weight
    cover[cover == 0.0] = NEVER_SEEN
    explainer.model.fully_defined_weighting = True
    return explainer
