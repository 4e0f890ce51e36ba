"""The verdict on a ledger, or on an evidence pack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.shown import Shown

if TYPE_CHECKING:
    import pandas as pd

INTACT, SIGNER_OPEN, BROKEN = "intact", "intact, signer not established", "broken"


@dataclass(frozen=True, repr=False)
class IntegrityCheck(Shown):
    """The verdict on a ledger or an evidence pack; falsy where it is broken.

    Parameters
    ----------
    of : str
        What was checked, in a word: "ledger" or "evidence pack".
    broken : tuple of str
        What broke, a sentence each.
    n_entries : int
        Entries looked at.
    fingerprint : str
        Of the key that signed; empty where that cannot be read.
    is_signer_known : bool
        Whether that was compared with a fingerprint from elsewhere.
    notes : tuple of str
        What else to know, a sentence each.
    """

    of: str
    broken: tuple[str, ...]
    n_entries: int
    fingerprint: str
    is_signer_known: bool
    notes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return not self.broken

    @property
    def status(self) -> str:
        """The verdict: "intact", "intact, signer not established" or "broken"."""
        return BROKEN if self.broken else INTACT if self.is_signer_known else SIGNER_OPEN

    def lines(self) -> list[str]:
        """Say the verdict, what broke, and who signed."""
        signed = [f"Signed by {self.fingerprint}"] if self.fingerprint else []
        unknown = [] if self.is_signer_known or self.broken else [UNKNOWN]
        return [
            f"This {self.of} of {self.n_entries:,} {'entry' if self.n_entries == 1 else 'entries'}: {self.status}",
            *self.broken,
            *signed,
            *unknown,
            *self.notes,
        ]

    def to_frame(self) -> pd.DataFrame:
        """Return what broke, one row each."""
        import pandas as pd

        return pd.DataFrame({"broken": list(self.broken)})


UNKNOWN = (
    "Anyone can make a key. Compare this fingerprint with one that its signer gave by another way to know who signed."
)


def signer_fault(fingerprint: str, wanted: str | None) -> list[str]:
    """Return a fault where another key signed than the one known."""
    if wanted is None or wanted == fingerprint:
        return []
    return [f"It is signed by another key, {fingerprint or 'none'}, and not by {wanted}."]
