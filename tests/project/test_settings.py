"""Hold the settings and the libraries to what the portal relies on."""

import base64
import importlib.metadata
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import django
import openpyxl
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection

TOP = Path(__file__).resolve().parents[2]


def in_production(*command: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command of manage.py as in production: https, no debugging, no demo."""
    # The journeys allow the database in Playwright's loop; production must not.
    ours = ("PORTAL_", "DJANGO_ALLOW_ASYNC_UNSAFE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    secrets = {
        "SECRET_KEY": "a" * 25 + "b1c2d3e4f5g6h7i8j9k0l1m2n3",
        "PORTAL_IDENTITY_KEYS": "k1:" + base64.b64encode(bytes(range(32))).decode(),
    }
    env = {**kept, **secrets, **more}
    return subprocess.run(
        [sys.executable, "manage.py", *command], cwd=TOP, env=env, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip


def test_deployment_checks_know_only_the_old_gdal(tmp_path) -> None:
    done = in_production("check", "--deploy", PORTAL_VAR=str(tmp_path))
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert set(re.findall(r"\(([a-z_]+\.[A-Z]\d+)\)", said)) <= {"gis.W001"}, said
    assert "no issues (0 silenced)" in said or "1 issue (0 silenced)" in said, said


LOOK = """
import json
from django.conf import settings
names = (
    "DEBUG DEMO SECURE_SSL_REDIRECT SECURE_HSTS_SECONDS SESSION_COOKIE_NAME CSRF_COOKIE_NAME"
    " SESSION_COOKIE_SECURE SESSION_COOKIE_HTTPONLY CSRF_COOKIE_HTTPONLY SESSION_COOKIE_SAMESITE"
    " SESSION_COOKIE_AGE X_FRAME_OPTIONS SECURE_CONTENT_TYPE_NOSNIFF ALLOWED_HOSTS"
).split()
print(json.dumps({name: getattr(settings, name) for name in names}))
"""


def test_production_is_safe_by_itself(tmp_path) -> None:
    done = in_production("shell", "--no-imports", "-c", LOOK, PORTAL_VAR=str(tmp_path),
                         ALLOWED_HOSTS="portal.example")  # fmt: skip
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "DEBUG": False,
        "DEMO": False,
        "SECURE_SSL_REDIRECT": True,
        "SECURE_HSTS_SECONDS": 63072000,
        "SESSION_COOKIE_NAME": "__Host-sid",
        "CSRF_COOKIE_NAME": "__Host-csrf",
        "SESSION_COOKIE_SECURE": True,
        "SESSION_COOKIE_HTTPONLY": True,
        "CSRF_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_AGE": 43200,
        "X_FRAME_OPTIONS": "DENY",
        "SECURE_CONTENT_TYPE_NOSNIFF": True,
        "ALLOWED_HOSTS": ["portal.example"],
    }


@pytest.mark.parametrize("name", ["SECRET_KEY", "DATABASE_URL", "REDIS_URL"])
def test_without_its_secrets_the_portal_does_not_start(name, tmp_path) -> None:
    env = {each: value for each, value in os.environ.items() if each not in (name, f"{name}_FILE")}
    done = subprocess.run(
        [sys.executable, "-c", "import shuozhou_mines.settings"], cwd=TOP, capture_output=True,
        env={**env, "PORTAL_VAR": str(tmp_path)}, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode != 0
    assert f"Set the {name} environment variable" in done.stderr


def test_libraries_are_the_ones_that_were_chosen() -> None:
    assert (5, 2, 19) <= django.VERSION[:3] < (5, 3)
    # Parsing without it lets a workbook expand entities.
    assert openpyxl.DEFUSEDXML is True
    # A package of this name pins old releases of Django; the workflow is our own table.
    names = {
        each.metadata["Name"].lower().replace("_", "-")
        for each in importlib.metadata.distributions()
    }
    assert "django-fsm" not in names
    assert "django-fsm-2" not in names


def test_the_database_finds_chinese_words(db) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        cursor.execute("SELECT show_trgm('煤矿')")
        (found,) = cursor.fetchone()
        assert found  # empty under the C locale: then no search by similarity finds a word
        cursor.execute("SELECT postgis_lib_version(), current_setting('TimeZone')")
        version, zone = cursor.fetchone()
    assert tuple(int(part) for part in version.split(".")[:2]) >= (3, 3)
    assert zone == "UTC"


def test_queue_and_sessions_keep_what_they_promise() -> None:
    assert settings.CELERY_ACCEPT_CONTENT == ["json"]
    assert settings.CELERY_TASK_SERIALIZER == "json"
    assert settings.CELERY_TASK_ACKS_LATE is True
    assert settings.CELERY_TASK_REJECT_ON_WORKER_LOST is True
    # An unfinished job must not be delivered anew while its worker may still be at it.
    held = settings.CELERY_BROKER_TRANSPORT_OPTIONS["visibility_timeout"]
    assert held > settings.CELERY_TASK_TIME_LIMIT > settings.CELERY_TASK_SOFT_TIME_LIMIT
    # Signing in needs PostgreSQL alone.
    assert settings.SESSION_ENGINE == "taskforce.sessions"
    assert settings.CACHES["default"]["BACKEND"].endswith("DatabaseCache")
    assert settings.PASSWORD_HASHERS == ["taskforce.passwords.ModestArgon2"]
    assert "django.contrib.admin" not in settings.INSTALLED_APPS


def test_nothing_is_left_to_migrate(db) -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)
