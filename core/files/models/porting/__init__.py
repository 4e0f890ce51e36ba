"""Bringing models of earlier scikit-learn releases to the installed one, class by class."""
