"""Splits that a removal kept: the call that chooses a family's check of them."""

from __future__ import annotations

from core.case.case import Case, check_case
from core.errors import NotSupportedError, whole_number
from core.families.registry import family_of, lacking
from core.former import formerly
from core.typing import Progress
from core.unlearning.splits import SplitCheck


@formerly("n_stages", "progress")
def check_splits(case: Case, *, n_stages: int | None = None, progress: Progress | None = None) -> SplitCheck:
    """Count the splits that a removal kept, and those no longer best for the retained rows.

    Costs O(n_rows * n_features * n_stages): about as much as training again.

    Parameters
    ----------
    case : Case
        Usually after a removal that keeps splits, such as `unlearn(..., method="leaf_refit")`.
    n_stages : int, optional
        Look at the trees of so many stages, spread evenly from the first to the last; None looks at all.
    progress : callable, optional
        Called with the share done and what is being done; may raise to cancel.

    Returns
    -------
    SplitCheck

    Raises
    ------
    NotSupportedError
        If the model is of a family whose removals keep no splits, its leaves cannot be refitted, or it draws features at random, so that
        the best of all is not the best of those drawn.
    """
    check_case(case)
    if n_stages is not None:
        n_stages = whole_number("n_stages", n_stages)
    family = family_of(case.model)
    if family is None or family.splits is None:
        raise NotSupportedError(
            f"Splits are counted where a removal keeps them: {lacking(case.model, 'their check is', 'splits')}."
        )
    return family.splits(case, n_stages, progress)
