"""Back up database and files as one folder, restore it elsewhere, and prove the two equal.

The folder holds `database.dump` (pg_dump, custom format), `media/`, and `manifest.json` with the
rows of each table in the dump's own snapshot, the SHA-256 of each file and the trail's end. Keys
and passwords are not in it; they are kept apart.
"""

import hashlib
import json
import os
import shutil
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from taskforce.models import TrailLink
from taskforce.trail_chain import problems_of_chain


class NotEqual(Exception):
    """Say that a backup or what was restored from it is not what it should be."""


def back_up(folder: Path, *, at: datetime) -> dict[str, Any]:
    """Write a backup into a new folder and return its manifest; the database comes first.

    Raises FileExistsError, CalledProcessError.
    """
    folder.mkdir(mode=0o700, parents=True)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SELECT pg_export_snapshot()")
        (snapshot,) = cursor.fetchone()
        tables = count_rows()
        head = TrailLink.objects.first()
        # What PostGIS ships belongs to the extension, and only a superuser may write it.
        _run(
            "pg_dump", "--format=custom", f"--snapshot={snapshot}", "--no-owner",
            "--exclude-table-data=spatial_ref_sys", f"--file={folder / 'database.dump'}", _name(),
        )  # fmt: skip
    media = Path(settings.MEDIA_ROOT)
    if media.exists():
        shutil.copytree(media, folder / "media", ignore=shutil.ignore_patterns(".incoming-*"))
    else:
        (folder / "media").mkdir()
    manifest = {
        "made_at": at.isoformat(),
        "tables": tables,
        "files": sums(folder / "media"),
        "dump": sum_of(folder / "database.dump"),
        "trail": {"number": head.number, "hash": head.hash} if head else None,
    }
    (folder / "manifest.json").write_text(
        json.dumps(manifest, ensure_ascii=False, indent=1), encoding="utf-8"
    )
    return manifest


def restore(folder: Path) -> dict[str, Any]:
    """Restore into the configured, empty database and media folder; return the manifest.

    Raises NotEqual when there is something already, the backup was altered, or rows, files or
    the trail's chain are not those of the manifest.
    """
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    media = Path(settings.MEDIA_ROOT)
    _must_be_equal("备份里的数据库文件", sum_of(folder / "database.dump"), manifest["dump"])
    _must_be_equal("备份里的文件", sums(folder / "media"), manifest["files"])
    if "taskforce_user" in connection.introspection.table_names():
        raise NotEqual("数据库不是空的。请先新建一个空的数据库，再恢复。")
    if media.exists() and any(media.iterdir()):
        raise NotEqual("文件夹不是空的。请先移走原有文件，再恢复。")
    _run("pg_restore", "--no-owner", "--no-comments", "--exit-on-error", "--single-transaction",
         f"--dbname={_name()}", str(folder / "database.dump"))  # fmt: skip
    shutil.copytree(folder / "media", media, dirs_exist_ok=True)
    _must_be_equal("恢复后的行数", count_rows(), manifest["tables"])
    _must_be_equal("恢复后的文件", sums(media), manifest["files"])
    if problems := problems_of_chain():
        raise NotEqual(f"恢复后的日志链有问题：{problems[0]}")
    head = TrailLink.objects.first()
    found = {"number": head.number, "hash": head.hash} if head else None
    _must_be_equal("恢复后的日志链尾", found, manifest["trail"])
    return manifest


def _must_be_equal(what: str, found: Any, wanted: Any) -> None:
    if found == wanted:
        return
    if isinstance(found, dict) and isinstance(wanted, dict):
        differing = sorted(k for k in found.keys() | wanted.keys() if found.get(k) != wanted.get(k))
        raise NotEqual(f"{what}与清单不符：{'、'.join(differing[:5])}")
    raise NotEqual(f"{what}与清单不符。")


def count_rows() -> dict[str, int]:
    """Return how many rows each of our tables holds."""
    names = sorted(connection.introspection.table_names())
    found = {}
    with connection.cursor() as cursor:
        for name in names:
            if name != "spatial_ref_sys":
                quoted = connection.ops.quote_name(name)
                cursor.execute(f"SELECT count(*) FROM {quoted}")  # noqa: S608  quoted by Django
                found[name] = int(cursor.fetchone()[0])
    return found


def sums(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file under a folder, by its path there."""
    return {
        str(path.relative_to(folder)): sum_of(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def sum_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _name() -> str:
    return str(connection.settings_dict["NAME"])


def _run(program: str, *arguments: str) -> None:
    """Run a program of PostgreSQL with our connection; the password goes by the environment."""
    ours = connection.settings_dict
    host = ours["HOST"] or ours.get("OPTIONS", {}).get("host", "")
    given = {
        "PGHOST": host,
        "PGPORT": str(ours["PORT"]),
        "PGUSER": ours["USER"],
        "PGPASSWORD": ours["PASSWORD"],
    }
    env = {**os.environ, **{name: value for name, value in given.items() if value}}
    command = shutil.which(program) or program
    subprocess.run([command, *arguments], env=env, check=True, capture_output=True, text=True)  # noqa: S603
