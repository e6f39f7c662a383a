"""Count working days by the State Council's calendar that the office keeps."""

from datetime import date, timedelta

from taskforce.models import Holiday

LONGEST_SPAN = 400


def last_working_day(start: date, days: int, *, count_start: bool = False) -> date:
    """Return the day on which a period of `days` working days ends.

    The day the period starts is not counted unless asked (民法典 第201条). Raises ValueError
    when `days` is not positive.
    """
    if days < 1:
        raise ValueError("a period has at least one working day")
    marked = dict(
        Holiday.objects.filter(
            day__gte=start, day__lte=start + timedelta(days=LONGEST_SPAN)
        ).values_list("day", "is_working")
    )
    day = start if count_start else start + timedelta(days=1)
    left = days
    while True:
        left -= _is_working(day, marked)
        if left == 0:
            return day
        day += timedelta(days=1)


def _is_working(day: date, marked: dict[date, bool]) -> bool:
    return marked.get(day, day.weekday() < 5)
