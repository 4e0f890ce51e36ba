"""Remove: what is selected, what removing it would do, and what every removal so far has done."""

from dashboard.app_pages import remove_selection, remove_versions

remove_selection.show()
remove_versions.show()
