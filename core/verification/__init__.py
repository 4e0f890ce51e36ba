"""Checks that an unlearner keeps what it claims."""

from core.verification.conformance import ConformanceError, check_unlearner

__all__ = ["ConformanceError", "check_unlearner"]
