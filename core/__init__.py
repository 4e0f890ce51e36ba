"""Redress: find the training records that make a tabular model unfair, remove them, and see what changes."""

from core.case.case import Case
from core.case.roles import AtRate, Roles

__all__ = ["AtRate", "Case", "Roles"]
