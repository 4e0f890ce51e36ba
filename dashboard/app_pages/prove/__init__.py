"""Prove: whether the removed records are forgotten, and who pays."""
