"""Kernels of gradient boosting."""
