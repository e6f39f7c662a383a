"""What the two commands do before anything runs: packages, children, the tree."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy import application, demo, machine, tree
from deploy.machine import Package
from deploy.processes import (
    Child,
    Halt,
    Report,
    end,
    halt_if_dead,
    marked_processes,
    run,
    start,
    stop,
)

TOP = Path(__file__).resolve().parents[2]


# --- packages ------------------------------------------------------------------------------------


def test_list_of_packages_is_read() -> None:
    text = "# why\n\nredis-server  servers  # the queue\nnpm  demo unless:npm # libraries\n"
    assert machine.listed_packages(text) == [
        Package("redis-server", "servers", None),
        Package("npm", "demo", "npm"),
    ]


def test_every_listed_package_has_a_known_purpose() -> None:
    packages = machine.listed_packages((TOP / "deploy" / "packages.txt").read_text())
    assert {package.purpose for package in packages} == {"demo", "servers", "test"}
    assert len({package.name for package in packages}) == len(packages)


def test_given_servers_need_no_server_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("REDIS_URL", "redis://cache.example/0")
    assert "postgresql-15" in machine.wanted_packages("demo")
    monkeypatch.setenv("DATABASE_URL", "postgis://db.example/portal")
    assert "postgresql-15" not in machine.wanted_packages("demo")
    assert "chromium" not in machine.wanted_packages("demo")
    # The tests of the private servers start them in any case.
    assert {"postgresql-15", "chromium"} <= set(machine.wanted_packages("test"))


def test_unknown_package_is_missing_and_an_installed_one_is_not() -> None:
    assert machine.missing_packages(["dpkg", "no-such-package-of-debian"]) == [
        "no-such-package-of-debian"
    ]


def test_without_root_the_line_for_the_administrator_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy" / "packages.txt").write_text("dpkg demo\nno-such-a demo\nno-such-b demo\n")
    monkeypatch.setattr(machine, "TOP", tmp_path)
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    with pytest.raises(Halt) as halt:
        machine.install_packages("demo", tmp_path / "log", Report())
    assert str(halt.value).splitlines()[-1] == (
        "apt-get update && apt-get install --yes --no-install-recommends no-such-a no-such-b"
    )


def test_services_stay_still_only_while_packages_are_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = tmp_path / "policy-rc.d"
    monkeypatch.setattr(machine, "POLICY", policy)
    with machine.services_kept_still():
        assert subprocess.run([policy], check=False).returncode == 101
    assert not policy.exists()

    policy.write_text(machine.POLICY_TEXT)  # a killed run of ours left it
    with machine.services_kept_still():
        assert os.access(policy, os.X_OK)
    assert not policy.exists()

    policy.write_text("#!/bin/sh\nexit 0\n")  # the administrator's own
    with machine.services_kept_still():
        assert policy.read_text() == "#!/bin/sh\nexit 0\n"
    assert policy.read_text() == "#!/bin/sh\nexit 0\n"


# --- Python --------------------------------------------------------------------------------------


def test_environment_of_these_tests_has_exactly_the_pinned_versions(tmp_path: Path) -> None:
    assert machine.holds_exactly(TOP / "requirements-dev.txt")
    other = tmp_path / "requirements.txt"
    other.write_text("django==0.1 \\\n    --hash=sha256:00\n")
    assert not machine.holds_exactly(other)


def test_interpreter_that_does_not_run_has_no_version(tmp_path: Path) -> None:
    assert machine.python_version(tmp_path / "python") is None
    numbers = ".".join(str(number) for number in sys.version_info[:3])
    assert machine.python_version(sys.executable) == f"{numbers} {sys.base_prefix}"


def test_stamp_of_an_unfinished_installation_is_empty(tmp_path: Path) -> None:
    stamp = tmp_path / "stamp"
    assert machine.read_stamp(stamp) == {}
    stamp.write_text('{"python": "3.')
    assert machine.read_stamp(stamp) == {}
    stamp.write_text('{"python": "3.11.2 /usr"}')
    assert machine.read_stamp(stamp) == {"python": "3.11.2 /usr"}


def test_secret_is_made_once_and_for_our_eyes(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    secret = application.secret_key(file)
    assert len(secret) >= 60
    assert application.secret_key(file) == secret
    assert file.stat().st_mode & 0o777 == 0o600


# --- ports ---------------------------------------------------------------------------------------


def test_next_port_is_used_when_the_wanted_one_is_taken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("PORT", raising=False)
    with demo.socket_to_listen_on(Report()) as first:
        taken = first.getsockname()[1]
        monkeypatch.setenv("PORT", str(taken))
        with demo.socket_to_listen_on(Report()) as second:
            assert second.getsockname()[1] > taken
    assert f"port {taken} is not free" in capsys.readouterr().out


def test_port_that_is_no_number_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "http")
    with pytest.raises(Halt, match="PORT must be a number, not 'http'"):
        demo.socket_to_listen_on(Report()).__enter__()


# --- children ------------------------------------------------------------------------------------


def eventually(true: Callable[[], bool]) -> bool:
    """Wait up to five seconds for something to become true."""
    deadline = time.monotonic() + 5
    while not true() and time.monotonic() < deadline:
        time.sleep(0.02)
    return true()


def shell(tmp_path: Path, script: str) -> Child:
    """Start a shell script as a child."""
    return start("the script", ["sh", "-c", script], mark=tmp_path, log=tmp_path / "script.log")


def test_stop_ends_grandchildren_that_ignore_it(tmp_path: Path) -> None:
    child = shell(tmp_path, "trap '' TERM; sh -c 'trap \"\" TERM; sleep 60' & echo up; wait")
    assert eventually(lambda: child.log.read_text() == "up\n")
    assert eventually(lambda: len(marked_processes(tmp_path)) >= 2)
    stop([child], patience=0.2)
    assert eventually(lambda: marked_processes(tmp_path) == [])


def test_processes_of_a_killed_run_are_found_by_their_mark(tmp_path: Path) -> None:
    stranger = shell(tmp_path / "..", "sleep 60")
    child = shell(tmp_path, "sleep 60 & sleep 60")
    assert eventually(lambda: len(marked_processes(tmp_path)) == 3)
    child.process.kill()
    child.process.wait()
    assert end(lambda: marked_processes(tmp_path), signal.SIGTERM) == 2
    assert marked_processes(tmp_path) == []
    assert stranger.running()
    stop([stranger])


def test_dead_child_is_named_with_the_end_of_its_log(tmp_path: Path) -> None:
    child = shell(tmp_path, "echo 'no room on the disk'; exit 3")
    child.process.wait()
    with pytest.raises(Halt, match=r"^the script ended with 3") as halt:
        halt_if_dead([child])
    assert str(child.log) in str(halt.value)
    assert str(halt.value).endswith("    no room on the disk")


def test_failed_command_shows_what_it_said(tmp_path: Path) -> None:
    with pytest.raises(Halt, match="ended with 1") as halt:
        run(["sh", "-c", "echo why >&2; exit 1"], mark=tmp_path, log=tmp_path / "log")
    assert str(halt.value).endswith("    why")


def test_running_command_is_stopped_when_a_watched_child_dies(tmp_path: Path) -> None:
    child = shell(tmp_path, "exit 1")
    began = time.monotonic()
    with pytest.raises(Halt, match=r"^the script ended with 1"):
        run(["sleep", "60"], mark=tmp_path, log=tmp_path / "log", watched=[child])
    assert time.monotonic() - began < 5
    assert marked_processes(tmp_path) == []


# --- the tree ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("see https://py" + "pi.org/simple", "address of a Python registry"),
        ("https://files.python" + "hosted.org/packages/a.whl", "address of a Python registry"),
        ('"resolved' + '": "x"', "address in a lock file"),
        ("https://regist" + "ry.npm" + "js.org/ol", "address of an npm registry"),
        ("--index" + "-url x", "option that names a registry"),
        ("--extra-index" + "-url=x", "option that names a registry"),
        ("-r a\n--find" + "-links /somewhere", "option that names a registry"),
        ("cd /ho" + "me/someone/portal", "path of one machine"),
        ("open('/ro" + "ot/.config')", "path of one machine"),
        ("read ../sha" + "red/plan.txt", "path outside of the repository"),
    ],
)
def test_forbidden_text_is_found(text: str, kind: str) -> None:
    assert [found for _, found, _ in tree.offences(text)] == [kind]


@pytest.mark.parametrize(
    "text",
    [
        "/opt/shuozhou-mines",
        "a/home/b",
        "static/root/x",
        "resolve the index",
        "http://127.0.0.1:8000",
    ],
)
def test_harmless_text_is_left_alone(text: str) -> None:
    assert tree.offences(text) == []


def test_line_of_an_offence_is_counted() -> None:
    assert tree.offences("\n\n  /ro" + "ot/x")[0][0] == 3


def test_requirement_without_version_or_hash_is_named() -> None:
    text = "# pins\na==1 \\\n    --hash=sha256:00\nb==2\nc>=3 \\\n    --hash=sha256:00\n"
    assert tree.unpinned(text) == ["b==2", "c>=3"]
