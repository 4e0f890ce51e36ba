"""The verdict on whether rows are the ones a model was trained on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Provenance:
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


def sentence(text: str) -> str:
    """Return a text with its first letter in upper case."""
    return text[0].upper() + text[1:]
