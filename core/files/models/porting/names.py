"""Names that attributes had in earlier releases."""

from __future__ import annotations

from typing import Any


def rename_estimator(held: dict[str, Any]) -> None:
    """Call the inner estimator by the name it has since 1.2."""
    former, fitted = held.pop("base_estimator", None), held.pop("base_estimator_", None)
    if "estimator" not in held or (held["estimator"] is None and not isinstance(former, str)):
        held["estimator"] = former
    if fitted is not None:
        held.setdefault("estimator_", fitted)


def rename_max_features(held: dict[str, Any]) -> None:
    """Say by its name of today how many columns a classifier's tree looks at."""
    if held.get("max_features") == "auto":
        held["max_features"] = "sqrt"
