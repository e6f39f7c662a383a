"""Keep the gravest verdict on every mine, so that lists and maps need not read all findings."""

from django.db import connection
from django.db.models import Max

from mines.check_models import MineCheckRun

# Mines registered after a check was cut into parts have higher keys than it has seen.
KEEP = """
INSERT INTO mines_minestanding (mine_id, run_id, verdict)
SELECT mine.id, %(run)s, CASE min(
    CASE finding.verdict WHEN 'fail' THEN 1 WHEN 'review' THEN 2 WHEN 'nodata' THEN 3 END
) WHEN 1 THEN 'fail' WHEN 2 THEN 'review' WHEN 3 THEN 'nodata' ELSE 'pass' END
FROM mines_mine AS mine
LEFT JOIN mines_minefinding AS finding ON finding.mine_id = mine.id AND finding.run_id = %(run)s
WHERE mine.removed_on IS NULL AND mine.id <= %(last)s
GROUP BY mine.id
ON CONFLICT (mine_id) DO UPDATE SET run_id = excluded.run_id, verdict = excluded.verdict
"""


def keep_standings(run: MineCheckRun) -> None:
    """Write the gravest verdict of a finished run on each mine that it has seen."""
    last = run.parts.aggregate(last=Max("until_id"))["last"] or 0
    with connection.cursor() as cursor:
        cursor.execute(KEEP, {"run": run.pk, "last": last})
