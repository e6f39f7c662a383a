"""The registry workbook: write the template, read it filled or read a county's own table.

`write_registry` makes it, `mines.sheets.read_workbook` reads the uploaded file safely,
`read_registry` or `read_own_table` turns that into rows and problems, `changes_between` says what
they would change.
"""

from mines.own_tables import NOT_FOUND, fields_offered, layout_of, read_own_table
from mines.registry_changes import Changes, MineChange, changes_between, overlapping_period
from mines.workbook_reading import is_template, read_registry
from mines.workbook_rows import KnownMine, ParsedRegistry, Snapshot
from mines.workbook_template import write_registry

__all__ = [
    "NOT_FOUND",
    "Changes",
    "KnownMine",
    "MineChange",
    "ParsedRegistry",
    "Snapshot",
    "changes_between",
    "fields_offered",
    "is_template",
    "layout_of",
    "overlapping_period",
    "read_own_table",
    "read_registry",
    "write_registry",
]
