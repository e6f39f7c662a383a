"""The county plan workbook: write the template, read it filled, hand it back marked.

`write_template` makes it, `mines.sheets.read_workbook` reads the uploaded file safely, `read_plan`
turns that into rows and problems, `annotate` returns the same file with its wrong cells marked.
"""

from mines.sheets import CellProblem
from plans.workbook_columns import SERVICE_LIFE, TABLES, TEMPLATE_VERSION, Table, table_of
from plans.workbook_marks import annotate
from plans.workbook_reading import read_plan
from plans.workbook_rows import (
    AreaRow,
    ClosingRow,
    CornerRow,
    DispositionRow,
    ParsedPlan,
    PlanMeta,
    SupplyRow,
    SystemRow,
    TaskRow,
    TemplateMine,
    UpgradeRow,
    ZoneRow,
)
from plans.workbook_template import write_template

__all__ = [
    "SERVICE_LIFE",
    "TABLES",
    "TEMPLATE_VERSION",
    "AreaRow",
    "CellProblem",
    "ClosingRow",
    "CornerRow",
    "DispositionRow",
    "ParsedPlan",
    "PlanMeta",
    "SupplyRow",
    "SystemRow",
    "Table",
    "TaskRow",
    "TemplateMine",
    "UpgradeRow",
    "ZoneRow",
    "annotate",
    "read_plan",
    "table_of",
    "write_template",
]
