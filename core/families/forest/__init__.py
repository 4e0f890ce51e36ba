"""Decision trees, random forests and extra-trees.

Exact removal with the recorded randomness.
"""
