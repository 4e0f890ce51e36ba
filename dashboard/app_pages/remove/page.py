"""Remove: what is selected, what removing it would do, plans, and what every removal so far has done."""

from dashboard.app_pages.remove import plane, selection

selection.show()
plane.show()
