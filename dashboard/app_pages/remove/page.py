"""Remove: the selection, what removing it would do, plans, and the removals so far."""

from dashboard.app_pages.remove import plane, selection

selection.show()
plane.show()
