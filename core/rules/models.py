"""The models that a search for rules goes by.

And the gap traced to the training records through them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.actions.influence import attributor_of
from core.actions.unlearn import prepare, unlearners_for
from core.attribution.base import Fitted
from core.case.case import Case
from core.errors import NotSupportedError
from core.rules.asked import StoppedError
from core.rules.gap import Gap
from core.rules.surrogate import fits_too_closely, surrogate
from core.rules.tracing import Trace, trace
from core.typing import Progress
from core.unlearning.base import Guarantee


@dataclass(frozen=True, eq=False)
class Models:
    """The models that a search goes by.

    Which is which depends on what the case's family can tell.

    Parameters
    ----------
    case : Case
        The case, prepared where removals from it are quick.
    tracing : Case
        The one whose records' influence is summed over rules.
    predicting : Case
        The one that predicts what removing a rule's records together does.
    by_refit : bool
        Whether a model in the case's place predicts, and rules are measured within the time given, for want of influence.
    notes : tuple of str
    """

    case: Case
    tracing: Case
    predicting: Case
    by_refit: bool = False
    notes: tuple[str, ...] = ()

    def without_predictions(self, reason: NotSupportedError) -> Models:
        """Return models with a logistic regression to predict in the case's place.

        Raise `reason` where it does already.
        """
        if self.by_refit:
            raise reason
        stand_in = surrogate(self.case)
        first = unlearners_for(self.case)[0]
        again = first.name == "refit" or first.guarantee is Guarantee.APPROXIMATE
        how = "training the model again" if again else "removing their records"
        note = f"Rules are predicted by a logistic regression and measured by {how}. {reason}"
        tracing = stand_in if self.tracing is self.case else self.tracing
        return Models(self.case, tracing, stand_in, by_refit=True, notes=(*self.notes, note))


@dataclass(frozen=True, eq=False)
class Traced:
    """A gap traced to training records.

    Parameters
    ----------
    models : Models
    trace : Trace
    fitted : Fitted or None
        What the tracing model says of its training labels.
    notes : tuple of str
    """

    models: Models
    trace: Trace
    fitted: Fitted | None
    notes: tuple[str, ...]


def trace_gap(case: Case, gap: Gap, report: Progress) -> Traced | None:
    """Trace a gap to the training records; None where the user stopped it."""
    try:
        models, found, fitted = _traced_by_a_model(case, gap, report)
    except StoppedError:
        return None
    notes = list(models.notes)
    if models.tracing is not models.case:
        kind = "logistic regression" if models.by_refit else "forest"
        notes.append(
            f"Rules of three conditions and more, and bounds, were searched for by a {kind} on the same columns."
        )
    return Traced(replace(models, notes=()), found, fitted, tuple(notes))


def _traced_by_a_model(case: Case, gap: Gap, report: Progress) -> tuple[Models, Trace, Fitted | None]:
    report(0.0, "Preparing the model")
    models = Models(case, case, case)
    try:
        ready = prepare(case)
        models = Models(ready, ready, ready)
        with attributor_of(ready) as attributor:
            close = fits_too_closely(attributor)
        models = replace(models, tracing=surrogate(ready, trees=True) if close else ready)
        return (models, *_traced(models.tracing, gap, report))
    except NotSupportedError as error:
        models = models.without_predictions(error)
        return (models, *_traced(models.tracing, gap, report))


def _traced(case: Case, gap: Gap, report: Progress) -> tuple[Trace, Fitted | None]:
    report(0.02, "Tracing the gap to records")
    with attributor_of(case) as attributor:
        return trace(attributor, case, gap.extremes, gap.on), attributor.fitted(case)
