"""A pipe that nobody writes to or reads is no reason to wait for ever, whatever it stands for."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cancel_contracts import pipes
from cancel_contracts.cli import main

Capture = pytest.CaptureFixture[str]
GUARD_SECONDS = 60
NOWHERE = "http://127.0.0.1:1"
ONE = ["verify", "--only", "SA-20", "--contract", "security-action"]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here"),
]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipes, "WAIT_SECONDS", 0.3)


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    path = tmp_path / "pipe.yaml"
    os.mkfifo(path)
    return path


@pytest.fixture
def target(tmp_path: Path, pipe: Path) -> Path:
    """A target file whose token is read from the pipe."""
    raw = {"base_url": NOWHERE, "identities": {"admin": {"token_file": str(pipe)}}}
    path = tmp_path / "target.yaml"
    path.write_text(json.dumps(raw), "utf-8")
    return path


READS = {
    "a target file": [*ONE, "--target", "{pipe}"],
    "a baseline": [*ONE, "--baseline", "{pipe}", NOWHERE],
    "a spec": ["clauses", "--spec", "{pipe}"],
    "a token": [*ONE, "--target", "{target}"],
    "CA certificates": [*ONE, "--cacert", "{pipe}", NOWHERE],
    "a recording": ["judge", "{pipe}"],
    "a report": ["compare", "{pipe}", "{pipe}"],
    "a report to draft from": ["baseline", "{pipe}"],
    "a ledger": ["ledger", "{pipe}"],
    "a ledger to write": [*ONE, "--ledger", "{pipe}", NOWHERE],
}


@pytest.mark.parametrize("what", READS)
def test_a_pipe_that_nobody_writes_to(what: str, pipe: Path, target: Path, capsys: Capture) -> None:
    argv = [part.format(pipe=pipe, target=target) for part in READS[what]]
    assert main(argv) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "pipe" in line


WRITES = ["--report-json", "--report-junit", "--report-markdown", "--report-html", "--record"]


@pytest.mark.parametrize("flag", WRITES)
def test_a_report_into_a_pipe_that_nobody_reads(flag: str, pipe: Path, capsys: Capture) -> None:
    assert main([*ONE, flag, str(pipe)]) == 3
    assert f"{flag} {pipe} was not written: nobody reads this pipe" in capsys.readouterr().err


@pytest.mark.parametrize("flag", ["--report-json", "--record"])
def test_a_report_into_a_pipe_that_is_read_no_further(
    flag: str, pipe: Path, capsys: Capture
) -> None:
    handle = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert main(["verify", "--contract", "security-action", flag, str(pipe)]) == 3
    finally:
        os.close(handle)
    assert f"{flag} {pipe} was not written: nobody reads on" in capsys.readouterr().err


@pytest.mark.parametrize("flag", ["--report-html", "--record"])
def test_a_report_into_a_pipe_that_is_read(flag: str, pipe: Path) -> None:
    handle = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    read: list[bytes] = []
    thread = threading.Thread(target=lambda: read.extend(_read(handle)))
    thread.start()
    assert main([*ONE, flag, str(pipe)]) == 0
    thread.join(GUARD_SECONDS)
    assert sum(map(len, read)) > 1000


def _read(handle: int) -> Iterator[bytes]:
    """Read to the end. Before the first writer a pipe reads as ended: wait for it to be there."""
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    poll.poll(GUARD_SECONDS * 1000)
    os.set_blocking(handle, True)
    while data := os.read(handle, 65536):
        yield data
    os.close(handle)


def test_what_comes_through_a_pipe_in_time_is_read() -> None:
    read, write = os.pipe()
    with os.fdopen(write, "wb") as out:
        out.write(b"base_url: http://127.0.0.1:1\n")
    try:
        assert pipes.read_text(Path(f"/dev/fd/{read}")).startswith("base_url")
    finally:
        os.close(read)


def test_a_file_without_end_is_not_read_to_the_end(capsys: Capture) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipes, "READ_BYTES", 2**20)
        assert main([*ONE, "--target", "/dev/zero"]) == 2
    assert "is larger than 1 MiB" in capsys.readouterr().err


def test_a_summary_that_is_a_pipe(
    pipe: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(pipe))
    assert main(["verify", "--only", "SA-20"]) == 0
    assert "warning: GITHUB_STEP_SUMMARY: is a pipe" in capsys.readouterr().err


def test_process_substitution_is_read(tmp_path: Path) -> None:
    """As a shell gives it: the writer starts late, and writes in two pieces."""
    code = "import sys; from cancel_contracts.cli import main; sys.exit(main(sys.argv[1:]))"
    command = (
        f"'{sys.executable}' -c '{code}' verify --plan --contract security-action --target "
        "<(sleep 0.2; echo 'base_url: http://127.0.0.1:1'; sleep 0.2; echo '# end')"
    )
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, timeout=GUARD_SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr
