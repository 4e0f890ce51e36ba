"""Checks of this project's own: one meaning per public name, and a short first line in every docstring."""
