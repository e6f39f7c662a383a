"""Back up, restore into another database, and see that a changed backup is refused."""

import json
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from shuozhou_mines.storage import store
from taskforce.models import TrailEntry, TrailLink
from taskforce.trail import record
from tests.conftest import load_ground

TOP = Path(__file__).resolve().parents[2]


def _sql(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.fixture
def empty_database(transactional_db):
    """Return the name of an empty database beside the one of the tests."""
    name = f"{connection.settings_dict['NAME']}_restored"
    _sql(f'DROP DATABASE IF EXISTS "{name}"')
    _sql(f"CREATE DATABASE \"{name}\" ENCODING 'UTF8' TEMPLATE template1")
    yield name
    _sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _restore(folder: Path, database: str, var: Path) -> subprocess.CompletedProcess[str]:
    ours = connection.settings_dict
    place = ours["HOST"] or ours.get("OPTIONS", {}).get("host", "")
    password = f":{ours['PASSWORD']}" if ours["PASSWORD"] else ""
    url = (
        f"postgis://{ours['USER']}{password}@/{database}?host={place}"
        if place.startswith("/")
        else f"postgis://{ours['USER']}{password}@{place}:{ours['PORT'] or 5432}/{database}"
    )
    return subprocess.run(
        [sys.executable, "manage.py", "restore_backup", str(folder)], cwd=TOP, text=True,
        capture_output=True, check=False, timeout=100,
        env={**os.environ, "DATABASE_URL": url, "PORTAL_VAR": str(var)},
    )  # fmt: skip


def test_a_backup_restores_to_the_same_rows_files_and_trail(empty_database, tmp_path, settings):
    settings.DEMO = False
    load_ground()
    for n in range(3):
        record("试", by=None, n=n)
    stored = store([b"%PDF-1.7 plan"], folder="plans", suffix=".pdf")
    folder = tmp_path / "backup"
    call_command("back_up", folder, stdout=StringIO())
    made = json.loads((folder / "manifest.json").read_text())
    assert made["files"] == {stored.name: stored.sha256}
    assert made["tables"]["taskforce_county"] == 6
    assert made["tables"]["taskforce_trailentry"] == TrailEntry.objects.count()
    assert made["trail"]["hash"] == TrailLink.objects.first().hash
    secrets = (settings.SECRET_KEY, *settings.IDENTITY_KEYS)
    assert not [key for key in secrets if key in (folder / "manifest.json").read_text()]
    with pytest.raises(CommandError, match="已经存在"):
        call_command("back_up", folder)
    # A changed file and a changed dump are refused before anything is written.
    for name in (f"media/{stored.name}", "database.dump"):
        whole = (folder / name).read_bytes()
        (folder / name).write_bytes(whole + b"x")
        refused = _restore(folder, empty_database, tmp_path / "var")
        assert refused.returncode == 1
        assert "与清单不符" in refused.stderr
        (folder / name).write_bytes(whole)
    done = _restore(folder, empty_database, tmp_path / "var")
    assert done.returncode == 0, done.stderr
    assert "与清单一致，日志链完好" in done.stdout
    assert (tmp_path / "var" / "media" / stored.name).read_bytes() == b"%PDF-1.7 plan"
    again = _restore(folder, empty_database, tmp_path / "var")
    assert "数据库不是空的" in again.stderr


def test_a_database_that_is_in_use_is_not_restored_over(db, tmp_path) -> None:
    folder = tmp_path / "backup"
    (folder / "media").mkdir(parents=True)
    (folder / "database.dump").write_bytes(b"")
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    (folder / "manifest.json").write_text(json.dumps({"files": {}, "dump": empty}))
    with pytest.raises(CommandError, match="不是空的"):
        call_command("restore_backup", folder)
    assert settings.MEDIA_ROOT is not None
