"""Processes of their own, with limits, in which files from outside are opened.

On Linux a *starter* process has everything imported and makes, for each request, a *keeper*, which makes and watches a *worker*. Elsewhere each
worker is a new process that the caller watches.
"""
