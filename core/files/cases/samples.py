"""The sample cases that come with the package, opened by name."""

from __future__ import annotations

from pathlib import Path

from core.errors import InputError, listed, nearest

SAMPLES = Path(__file__).resolve().parents[3] / "sample_data"
"""Beside `core`, in a checkout as where the package is installed."""


def sample_folders() -> dict[str, Path]:
    """Return the folder of each sample case, by name.

    Examples
    --------
    >>> list(sample_folders())
    ['credit', 'fraud', 'hospital', 'null', 'trap']
    """
    return {settings.parent.name: settings.parent for settings in sorted(SAMPLES.glob("*/case.toml"))}


def case_folder(name: str | Path) -> Path:
    """Return the folder that a path or the name of a sample stands for.

    What the working directory holds goes first.

    Raises
    ------
    InputError
        If there is nothing at a path that could be a name, and no sample of that name.
    """
    folder, samples = Path(name), sample_folders()
    if folder.exists() or len(folder.parts) != 1 or not samples:
        return folder
    if folder.name not in samples:
        raise InputError(
            f"A case must be a folder with case.toml or one of the samples {listed(samples, most=9)}. Got nothing at {folder.name!r}; "
            f"check the path.{nearest(folder.name, samples)}"
        )
    return samples[folder.name]
