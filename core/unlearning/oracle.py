"""Training again as far as a guarantee speaks of, which conformance compares with."""

from __future__ import annotations

from typing import Any

from sklearn.base import clone

from core.case.case import Case
from core.errors import NotSupportedError
from core.typing import Bools, Floats
from core.words import with_article


class Oracle:
    """Training again as scikit-learn does it: enough for every exact or approximate unlearner.

    A certified unlearner brings one of its own, with the parameters that its bound is a distance between.
    """

    def untrained(self, model: Any) -> Any:
        """Return an unfitted clone of a model.

        Where a bound speaks of the optimum, its settings take its solver there.
        """
        return clone(model)

    def parameters(self, model: Any) -> Floats:
        """Return the parameters of a fitted model that a certified bound is a distance of.

        As one vector.
        """
        raise NotSupportedError(f"nothing is known of the parameters of {with_article(type(model).__name__)}")

    def optimum(self, case: Case, retained: Bools) -> Floats:  # noqa: ARG002
        """Return the parameters that training again on the retained rows ends at.

        As `parameters` gives them.
        """
        raise NotSupportedError(f"nothing is known of the optimum of {with_article(type(case.model).__name__)}")

    def at_weight_0(self, before: Case, after: Case) -> tuple[bool, str] | None:  # noqa: ARG002
        """Compare a bare model that forgot with what its own library makes of the same rows.

        The forgotten ones are at weight 0.

        None where fitting a clone with these weights says it all, and conformance does that.

        Parameters
        ----------
        before, after : Case
            The second lacks rows of the first.

        Returns
        -------
        passed : bool
        detail : str
            The figures behind it.
        """
        return None
