"""A report that cannot be written loses neither the verdict nor the other reports."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from cancel_contracts.cli import main
from cancel_contracts.report import html

Capture = pytest.CaptureFixture[str]
REPORTS = ("json", "junit", "markdown", "html")
ONE = ["verify", "--only", "SA-20"]


@pytest.mark.parametrize("flag", [*(f"--report-{name}" for name in REPORTS), "--record"])
def test_a_full_disk_loses_one_report(flag: str, tmp_path: Path, capsys: Capture) -> None:
    others = {f"--report-{name}": tmp_path / f"report.{name}" for name in REPORTS}
    others["--record"] = tmp_path / "traffic.har"
    del others[flag]
    argv = [*ONE, flag, "/dev/full", *(str(x) for pair in others.items() for x in pair)]
    assert main(argv) == 3, "green would say that all is there"
    told = capsys.readouterr()
    assert "conforms: 1 clause upheld" in told.out
    assert (
        told.err == f"cancel-contracts: {flag} /dev/full was not written: No space left on device\n"
    )
    for path in others.values():
        assert path.stat().st_size > 0


def test_the_verdict_s_exit_code_goes_first(capsys: Capture) -> None:
    argv = [*ONE, "--report-json", "/dev/full", "http://127.0.0.1:1"]
    assert main(argv) == 4
    assert "was not written" in capsys.readouterr().err


def test_a_folder_that_is_gone_by_then(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "reports"
    folder.mkdir()
    written = html.write_html

    def removes(record: dict[str, object], path: Path) -> None:
        for left in folder.iterdir():
            left.unlink()
        folder.rmdir()
        written(record, path)

    monkeypatch.setattr(html, "write_html", removes)
    kept = tmp_path / "report.json"
    argv = [*ONE, "--report-json", str(kept), "--report-html", str(folder / "report.html")]
    assert main(argv) == 3
    assert "No such file or directory" in capsys.readouterr().err
    assert json.loads(kept.read_text("utf-8"))["outcome"] == "conforms"


@pytest.mark.slow
def test_whoever_stops_reading_loses_no_report(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    code = "from cancel_contracts.cli import console_main; console_main()"
    command = [sys.executable, "-c", code, *ONE, "--report-json", str(report)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(60) == 0, process.stderr and process.stderr.read()
    assert json.loads(report.read_text("utf-8"))["exit_code"] == 0


@pytest.mark.slow
def test_a_terminal_on_a_full_disk_loses_no_report(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    code = "from cancel_contracts.cli import console_main; console_main()"
    command = [sys.executable, "-c", code, *ONE, "--report-json", str(report)]
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False
        )
    # The verdict stands, and every report that was asked for is there.
    assert done.returncode == 0, done.stderr
    assert done.stderr == "cancel-contracts: standard output: No space left on device\n"
    assert json.loads(report.read_text("utf-8"))["outcome"] == "conforms"


def test_a_disk_that_fills_up_leaves_the_old_report_and_no_half_of_the_new(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A compiled module would be cut short too, and kept.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    files = {f"--report-{name}": tmp_path / f"report.{name}" for name in REPORTS}
    for path in files.values():
        path.write_text("as it was", "utf-8")
    argv = [*ONE, *(str(x) for pair in files.items() for x in pair)]
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        code = main(argv)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    told = capsys.readouterr()
    assert code == 3
    assert "conforms: 1 clause upheld" in told.out
    assert len(told.err.splitlines()) == len(files)
    assert all("was not written: File too large" in line for line in told.err.splitlines())
    assert {path.read_text("utf-8") for path in tmp_path.iterdir()} == {"as it was"}
