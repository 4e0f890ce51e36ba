"""One room per family of models.

How it forgets, what its records do, and whether rows are those it was trained on.
"""
