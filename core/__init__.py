"""Redress: find the training records that make a tabular model unfair, remove them, and see what changes."""

from core.case.case import Case
from core.case.roles import AtRate, Roles
from core.unlearning.base import Guarantee
from core.unlearning.registry import converge, prepare, unlearn, unlearners_for

__all__ = ["AtRate", "Case", "Guarantee", "Roles", "converge", "prepare", "unlearn", "unlearners_for"]
