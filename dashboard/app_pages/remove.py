"""Remove: what is selected, what removing it would do, plans, and what every removal so far has done."""

from dashboard.app_pages import remove_plane, remove_selection

remove_selection.show()
remove_plane.show()
