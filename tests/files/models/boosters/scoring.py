"""What a child process is asked to do with a booster."""

from __future__ import annotations

from core.files.models.opening import open_here
from core.files.tables.limits import ModelLimits
from tests.families.libraries import FEATURES, TRAIN


def scored(data: bytes):
    """Open and score in this process, which is the child."""
    return open_here({"model": data}, ModelLimits()).model.predict_proba(TRAIN[FEATURES])[:, 1]
