"""The command: builds, imports, and tells bad input in one message."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from reports.listening import building, database, key
from reports.listening.server import Server
from reports.listening_cli.commands import app
from study.store.folders import Store
from tests.reports.listening.samples import abx, token

HEAVY = ("keras", "jax", "tensorflow", "torch")
SHORT = ("--seconds", "1", "--items", "1", "--trials", "4")


def run(store: Store, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--runs", str(store.root.parent)])


def test_build_writes_the_page_and_names_it(own_study: Store) -> None:
    done = run(own_study, "build", "grid", *SHORT)
    assert done.exit_code == 0, done.output
    page = building.page_folder(own_study) / "index.html"
    assert done.stdout == f"Page: {page}\n" and page.is_file()
    assert key.require(own_study).trials == 4


def test_runs_are_chosen_by_id(own_study: Store) -> None:
    ids = [folder.run_id for folder in own_study.runs()]
    done = run(own_study, "build", "grid", "--compare", f" {ids[1]} ,", *SHORT)
    assert done.exit_code == 0, done.output
    assert list(key.require(own_study).sides.values()) == ["reference", ids[1]]
    assert run(own_study, "build", "grid", "--compare", "../etc").exit_code == 2


@pytest.mark.parametrize("grid", ["nowhere", "..", "[red]"])
@pytest.mark.parametrize("command", ["build", "results", "serve"])
def test_bad_input_is_one_message_and_status_2(command: str, grid: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, [command, grid, "--runs", str(tmp_path)])
    assert done.exit_code == 2
    assert done.stderr.startswith("error: ") and "Traceback" not in done.output
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_one_message_that_names_the_folder_of_results(
    own_study: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(building, "build", fail)
    for command in ("build", "serve"):
        done = run(own_study, command, "grid")
        assert done.exit_code == 2 and "Traceback" not in done.output
        folder = own_study.root.parent
        assert done.stderr.startswith(f"error: folder {folder}: expected room on the disk")


def test_answers_are_imported_once(own_study: Store, tmp_path: Path) -> None:
    run(own_study, "build", "grid", *SHORT)
    made = key.require(own_study)
    a, b = list(made.sides)[:2]
    file = tmp_path / "answers.json"

    def save(answers: str) -> None:
        file.write_text(abx(answers, build=made.build, a=a, b=b).model_dump_json())

    save("ab")
    done = run(own_study, "import", str(file), "grid")
    assert done.exit_code == 0 and done.stdout.endswith("unfinished\n")
    assert "imported before" in run(own_study, "import", str(file), "grid").stderr
    save("abab")
    assert run(own_study, "import", str(file), "grid").stdout.endswith(", finished\n")
    save("bbab")
    refused = run(own_study, "import", str(file), "grid")
    assert refused.exit_code == 2 and "Answers are final" in refused.stderr
    assert len(database.load_all(own_study)) == 1
    assert "4 trials" in run(own_study, "results", "grid").stdout


def test_what_is_no_file_of_answers_is_refused(own_study: Store, tmp_path: Path) -> None:
    run(own_study, "build", "grid", *SHORT)
    foreign = tmp_path / "foreign.json"
    foreign.write_text(abx(build=token(404)).model_dump_json())
    broken = tmp_path / "broken.json"
    broken.write_bytes(b"\x00" * 300_000)
    for file, said in ((foreign, "not one of them"), (broken, "at most"), (tmp_path, "directory"),
                       (tmp_path / "none.json", "No such file")):  # fmt: skip
        done = run(own_study, "import", str(file), "grid")
        assert done.exit_code == 2 and said in done.stderr, done.stderr
    assert database.load_all(own_study) == []


def test_nobody_has_listened_yet(own_study: Store) -> None:
    assert run(own_study, "results", "grid").stdout == "Nobody has listened yet.\n"


@pytest.mark.slow
def test_serving_needs_no_keras_and_ends_with_an_interrupt(own_study: Store) -> None:
    code = (
        "import sys\n"
        "from reports.listening_cli.commands import app\n"
        "app(sys.argv[1:], standalone_mode=False)\n"
        f"print([m for m in sys.modules if m.split('.')[0] in {HEAVY}])\n"
    )
    command = [sys.executable, "-u", "-c", code, "serve", "grid", "--port", "0", "--no-open",
               *SHORT, "--runs", str(own_study.root.parent)]  # fmt: skip
    environment = {**os.environ, "no_proxy": "*"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as served:
        try:
            assert served.stdout is not None
            line = served.stdout.readline()
            found = re.search(r"http://127\.0\.0\.1:\d+/", line)
            assert found, line
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(f"{found[0]}api/build", timeout=10) as reply:
                assert json.load(reply) == {"build": key.require(own_study).build}
            served.send_signal(signal.SIGINT)
            rest, _ = served.communicate(timeout=10)
            assert rest.splitlines()[-1] == "[]" and "make report GRID=grid" in rest
        finally:
            served.kill()


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_whoever_lets_the_network_in_is_told_so(
    own_study: Store, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Server, "serve_forever", lambda _: None)
    options = ("--host", host, "--port", "0", "--no-open")
    done = run(own_study, "serve", "grid", *SHORT, *options)
    assert done.exit_code == 0 and "http://127.0.0.1:" in done.stdout
    if host == "127.0.0.1":
        assert done.stderr == ""
    else:
        told = (
            r"warning: everyone on the networks of this machine .*(http://[0-9.]+:\d+/|no network)"
        )
        assert re.match(told, done.stderr)
        assert "127.0.0.1" not in done.stderr and "0.0.0.0" not in done.stderr
