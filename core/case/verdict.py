"""The verdict on whether rows are the ones a model was trained on."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import pandas as pd

from core.shown import Shown


@dataclass(frozen=True, repr=False)
class Provenance(Shown):
    """Whether the training table is what the model was trained on.

    Parameters
    ----------
    status : {"verified", "mismatch", "unverifiable"}
    evidence : str
        One sentence with figures and the test's power.
    converge : bool
        Whether a converged version of the model can be offered.
    refit : bool
        Whether to offer training the model again on these rows, since it was trained on others.
    """

    status: str
    evidence: str
    converge: bool = False
    refit: bool = False

    def lines(self) -> list[str]:
        """Say the status, and the evidence for it."""
        return [f"Provenance: {self.status}", self.evidence]

    def to_frame(self) -> pd.DataFrame:
        """Return the verdict as one row."""
        return pd.DataFrame([asdict(self)])


def sentence(text: str) -> str:
    """Return a text with its first letter in upper case."""
    return text[0].upper() + text[1:]
