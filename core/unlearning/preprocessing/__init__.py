"""Preprocessing refitted from sums.

What a pipeline's transformers would learn from the retained rows, without reading them again.

Every raw column becomes *atoms*, fixed functions of a row: a number where it is present, an indicator that it is missing, an
indicator of each category. Scaling, imputation and one-hot encoding make every output feature a linear combination of atoms, and
only the coefficients of that combination depend on which rows are retained.
"""
