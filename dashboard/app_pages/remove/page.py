"""Remove: what is selected, what removing it would do, plans, and what every removal so far has done."""

from dashboard.app_pages.remove import kept_aside, plane, selection
from dashboard.components import opening

selection.show()
kept_aside.show(opening.opened())
plane.show()
