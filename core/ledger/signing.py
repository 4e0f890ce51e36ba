"""Keys of whoever keeps a ledger: one that signs (Ed25519), and one that hides ids (HMAC).

They live in a folder apart from the ledger, open to their owner alone. Without them a ledger and its evidence can be read and checked, but
neither be written nor be made anew so that the check passes.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from core.errors import InputError, InputTypeError, LedgerError, said
from core.files.home import home_folder
from core.files.writing import create_once, write_whole

SIGNING_KEY, ID_KEY = "signing_key.pem", "id_key"
RAW = serialization.Encoding.Raw, serialization.PublicFormat.Raw
HEX_DIGITS = 64


def default_keys() -> Path:
    """Return the usual folder of keys.

    That is `REDRESS_KEYS`, or `keys` in `REDRESS_HOME`, or `~/.redress/keys`.
    """
    named = os.environ.get("REDRESS_KEYS")
    return Path(named) if named else home_folder() / "keys"


def fingerprint_of(public_key: bytes) -> str:
    """Return the fingerprint of a public key: its SHA-256, in hex."""
    return hashlib.sha256(public_key).hexdigest()


def checked_fingerprint(value: object) -> str:
    """Return a fingerprint as `fingerprint_of` writes it.

    Blanks, colons and capitals do not matter.

    Examples
    --------
    >>> checked_fingerprint("AB:" * 31 + "AB") == "ab" * 32
    True
    """
    if not isinstance(value, str):
        raise InputTypeError(f"A fingerprint must be text. Got {type(value).__name__}; give its {HEX_DIGITS} digits.")
    text = re.sub(r"[\s:]", "", value).lower().removeprefix("sha256")
    if not re.fullmatch(f"[0-9a-f]{{{HEX_DIGITS}}}", text):
        raise InputError(
            f"A fingerprint must have {HEX_DIGITS} digits from 0 to f. Got {value[:80]!r}; a part of it would not tell one signer from another."
        )
    return text


def is_signed(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Return whether a message was signed with the private key of a public one."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


class Keys:
    """The keys in a folder.

    Parameters
    ----------
    folder : Path
        Made, with new keys, when something is first signed or hidden with them.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __repr__(self) -> str:
        return f"Keys({str(self.folder)!r})"

    @property
    def exist(self) -> bool:
        """Whether there is a key to sign with."""
        return (self.folder / SIGNING_KEY).exists()

    @property
    def can_hide(self) -> bool:
        """Whether there is a key to hide ids with."""
        return (self.folder / ID_KEY).exists()

    @cached_property
    def _signing(self) -> Ed25519PrivateKey:
        content = self._content(SIGNING_KEY, _new_signing_key)
        try:
            key = serialization.load_pem_private_key(content, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise self._damaged(SIGNING_KEY, said(error)) from error
        if not isinstance(key, Ed25519PrivateKey):
            raise self._damaged(SIGNING_KEY, "it is a key of another kind")
        return key

    @cached_property
    def _hiding(self) -> bytes:
        text = self._content(ID_KEY, lambda: f"{secrets.token_hex(32)}\n".encode())
        if not re.fullmatch(rb"[0-9a-f]{64}\n?", text):
            raise self._damaged(ID_KEY, "it is not 64 digits from 0 to f")
        return bytes.fromhex(text.decode())

    def _damaged(self, name: str, why: str) -> InputError:
        path = str(self.folder / name)
        return InputError(f"A key must be as it was written. {path!r} is damaged ({why}); restore it from a copy.")

    def _content(self, name: str, new: Any) -> bytes:
        """Return what a file of the folder holds, made on first need; of two who make it, one wins."""
        path = self.folder / name
        try:
            if not path.exists():
                self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                create_once(path, new())
            return path.read_bytes()
        except OSError as error:
            raise LedgerError(
                f"The folder of keys must be readable and, at first, writable. {str(self.folder)!r} is not ({said(error)}); name another one."
            ) from error

    @property
    def public_key(self) -> bytes:
        """The public key, 32 bytes."""
        return self._signing.public_key().public_bytes(*RAW)

    @property
    def fingerprint(self) -> str:
        """The public key's fingerprint, which tells the signer from others."""
        return fingerprint_of(self.public_key)

    def sign(self, message: bytes) -> bytes:
        """Return the signature of a message, 64 bytes."""
        return self._signing.sign(message)

    def hidden(self, ids: Iterable[Any], what: str = "record") -> list[str]:
        """Return keyed hashes of ids, sorted: 128 bits of an HMAC with SHA-256.

        Parameters
        ----------
        ids : iterable
            Ids of records or subjects. 7 and "7" are two.
        what : str
            What they name; the same id of a record and of a subject have two hashes.
        """
        return sorted(self.hidden_id(one, what) for one in ids)

    def hidden_id(self, one: Any, what: str = "record") -> str:
        """Return the keyed hash of one id."""
        plain = one.item() if hasattr(one, "item") else one
        message = f"redress {what}\n{type(plain).__name__}\n{plain}"
        return hmac.new(self._hiding, message.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:32]

    # -- how far the ledger was seen to go

    def seen(self, ledger_id: str) -> tuple[int, str] | None:
        """Return the number and hash of the last entry that this folder saw of a ledger."""
        try:
            number, _, digest = (self.folder / f"seen_{ledger_id}").read_text("ascii").strip().partition(" ")
            return int(number), digest
        except (OSError, ValueError):
            return None

    def remember(self, ledger_id: str, number: int, digest: str) -> None:
        """Keep how far a ledger goes, so that it cannot be put back to an earlier state unnoticed.

        The entry is written already: a disk that is full now keeps it from nothing.
        """
        known = self.seen(ledger_id)
        if known is None or known[0] < number:
            try:
                write_whole(self.folder / f"seen_{ledger_id}", f"{number} {digest}\n".encode(), flush=False)
            except OSError:
                return


def _new_signing_key() -> bytes:
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return Ed25519PrivateKey.generate().private_bytes(*form)
