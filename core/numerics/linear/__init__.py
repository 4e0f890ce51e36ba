"""Losses, gradients and bounds of linear models."""
