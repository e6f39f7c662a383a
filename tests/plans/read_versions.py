"""Upload a filled workbook and let the worker read it, for tests that need a real file."""

from datetime import date

from plans.actions import receive_version
from plans.models import CountyPlan, PlanVersion
from plans.registry import make_template
from plans.workbook import ParsedPlan
from plans.workbook_rows import ClosingRow, DispositionRow
from shuozhou_mines import jobs
from standards.terms import Disposition as Kind
from taskforce.models import User
from tests.factories import OPENED_AT, workbook_upload


def read_version(plan: CountyPlan, clerk: User) -> PlanVersion:
    """Upload a version that leads the county's first three mines out, and read it."""
    due = date(2027, 12, 31)
    rows = [
        DispositionRow(4, f"SZ-140602-000{number}", Kind.EXIT, "规模不足。", None, due, *["-"] * 3)
        for number in (1, 2, 3)
    ]
    exits = [
        ClosingRow(4, row.registry_no, "规模不足", None, None, None, None, due, None)
        for row in rows
    ]
    content = make_template(plan, prefill=ParsedPlan(dispositions=rows, exits=exits))
    version, job_id = receive_version(
        plan_id=plan.pk, upload=workbook_upload(content), by=clerk, at=OPENED_AT
    )
    jobs.run_job(job_id)
    version.refresh_from_db()
    assert version.state == PlanVersion.State.READ, version.problems
    return version
