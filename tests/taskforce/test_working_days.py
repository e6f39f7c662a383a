"""Count working days over weekends, holidays and make-up days."""

from datetime import date

import pytest
from django.core.management import call_command

from taskforce.models import Holiday
from taskforce.working_days import last_working_day


@pytest.mark.parametrize(
    ("start", "days", "last"),
    [
        # A plain week: from Monday, five working days end on the next Monday.
        (date(2025, 9, 8), 5, date(2025, 9, 15)),
        # Over National Day and Mid-Autumn: 28 September is made up, 1 to 8 October are free.
        (date(2025, 9, 26), 5, date(2025, 10, 10)),
        (date(2025, 9, 26), 1, date(2025, 9, 28)),
        # Over the Spring Festival of 2025: 26 January is made up, 28 January to 4 February free.
        (date(2025, 1, 24), 3, date(2025, 2, 5)),
        # 8 February 2025, a Saturday, is a working day.
        (date(2025, 2, 7), 1, date(2025, 2, 8)),
        # From a Saturday on; the day the period starts is not counted.
        (date(2025, 9, 13), 1, date(2025, 9, 15)),
    ],
)
def test_a_period_ends_on_its_last_working_day(ground, start, days, last) -> None:
    assert last_working_day(start, days) == last


def test_the_first_day_counts_when_asked(ground) -> None:
    assert last_working_day(date(2025, 9, 26), 5, count_start=True) == date(2025, 10, 9)
    # A free day that is the first does not become a working day by being asked for.
    assert last_working_day(date(2025, 10, 1), 1, count_start=True) == date(2025, 10, 9)


@pytest.mark.parametrize("days", [0, -1])
def test_a_period_has_at_least_one_day(ground, days) -> None:
    with pytest.raises(ValueError, match="at least one working day"):
        last_working_day(date(2025, 9, 26), days)


def test_the_office_keeps_the_calendar(ground) -> None:
    Holiday.objects.create(day=date(2030, 3, 4), is_working=False, name="示例")
    Holiday.objects.create(day=date(2030, 3, 9), is_working=True, name="示例调休")
    assert last_working_day(date(2030, 3, 1), 5) == date(2030, 3, 9)
    # Loading the shipped calendar again changes nothing that the office has entered.
    Holiday.objects.filter(day=date(2025, 10, 1)).update(name="改")
    call_command("load_fixtures", verbosity=0)
    assert Holiday.objects.get(day=date(2025, 10, 1)).name == "改"
    assert Holiday.objects.get(day=date(2030, 3, 9)).is_working
