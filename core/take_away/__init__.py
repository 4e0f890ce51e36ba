"""Files that a person takes away from a changed case: model, tables, code, one page."""
