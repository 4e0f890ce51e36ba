"""The face: tiles, verdict and bars of the groups, as a component in the browser.

It moves there without asking the server.
"""
