"""The calls that choose a family.

Forget, edit, converge, rank records, check where a model comes from.
"""
