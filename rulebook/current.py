"""Hand out the rulebook in force, read once for each process and version."""

from django.db import connection

from rulebook.models import RulebookVersion, entry_row
from shuozhou_mines.errors import Incomplete
from standards.rulebook import Rulebook

NOTHING_IN_FORCE = (
    "标准库里还没有现行版本。请系统管理员运行 manage.py load_fixtures 载入标准，再检查。"
)

# Approved versions never change, so that one can be kept for as long as it is in force.
MOST_KEPT = 4
_kept: dict[tuple[str, int], Rulebook] = {}


def current_rulebook() -> Rulebook:
    """Return the version in force; one small query when it is known already.

    Raise Incomplete before the first version is loaded.
    """
    return rulebook_of(version_in_force())


def version_in_force() -> RulebookVersion:
    """Return the row of the version in force; raise Incomplete when there is none."""
    version = RulebookVersion.objects.in_force()
    if version is None:
        raise Incomplete(NOTHING_IN_FORCE)
    return version


def rulebook_of(version: RulebookVersion) -> Rulebook:
    """Return a version as the standards read it; a draft is read anew each time."""
    if version.state == RulebookVersion.State.DRAFT:
        return _read(version)
    mark = (str(connection.settings_dict["NAME"]), version.pk)
    if mark not in _kept:
        if len(_kept) >= MOST_KEPT:
            _kept.clear()
        _kept[mark] = _read(version)
    return _kept[mark]


def _read(version: RulebookVersion) -> Rulebook:
    rows = (entry_row(entry) for entry in version.entries.all())
    return Rulebook.load(rows, version=str(version))
