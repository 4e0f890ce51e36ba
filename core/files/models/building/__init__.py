"""Building a model from an inert tree.

Only classes of the closed table are built, and nothing that the file names is called.
"""
