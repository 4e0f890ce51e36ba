"""Logistic regression: certified removal by Newton steps."""
