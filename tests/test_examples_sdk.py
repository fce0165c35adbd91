"""Microsoft's SDK against the mock over TLS: the README's commands, word for word, and a client that
errs.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from third_party import EXAMPLES, INSTALL, ROOT, ports

pytestmark = [pytest.mark.outside("npm"), pytest.mark.slow]
NAME = "sdk-javascript"
SECONDS = 120
COMMAND = f"""#!/bin/sh
export PYTHONPATH="{ROOT / "contracts"}"
exec "{sys.executable}" -c 'from cancel_contracts.cli import console_main; console_main()' "$@"
"""


@dataclass(frozen=True)
class Example:
    """A copy of the example as a fresh clone has it, this checkout installed."""

    folder: Path

    def run(self, *, install: bool) -> tuple[int, str, dict[str, Any]]:
        """Run the README's block; return the exit code, what was printed, and judge's report."""
        text = (self.folder / "examples" / NAME / "README.md").read_text("utf-8")
        (block,) = re.findall(r"^```sh\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
        first, *lines = block.splitlines()
        assert first == INSTALL
        assert lines[-1].startswith(".venv/bin/cancel-contracts judge ")
        lines[-1] += " --report-json report.json"
        script = "\n".join(row for row in lines if install or not row.startswith("npm "))
        for old, new in ports(lines).items():
            script = re.sub(rf"\b{old}\b", new, script)
        with subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, start_new_session=True,
        ) as process:  # fmt: skip
            try:
                told, _ = process.communicate(timeout=SECONDS)
            finally:  # where a line failed, the mock is left
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
        report = self.folder / "report.json"
        assert report.is_file(), told[-4000:]
        return process.returncode, told, json.loads(report.read_text("utf-8"))


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Example:
    folder = tmp_path_factory.mktemp("sdk")
    shutil.copytree(
        EXAMPLES / NAME,
        folder / "examples" / NAME,
        ignore=shutil.ignore_patterns("node_modules"),
    )
    command = folder / ".venv" / "bin" / "cancel-contracts"
    command.parent.mkdir(parents=True)
    command.write_text(COMMAND, "utf-8")
    command.chmod(0o755)
    return Example(folder)


def duties(report: dict[str, Any]) -> dict[str, str]:
    return {d["id"]: d["verdict"] for c in report["contracts"] for d in c["duties"]}


def test_the_sdk_keeps_its_half_and_the_mock_its_own(example: Example) -> None:
    code, told, report = example.run(install=True)
    assert code == 0, told[-4000:]
    assert "request: canceled" in told
    clauses = [c for contract in report["contracts"] for c in contract["clauses"]]
    assert [c["verdict"] for c in clauses] == ["upheld"] * 8
    kept = {id_ for id_, verdict in duties(report).items() if verdict == "upheld"}
    assert kept == {"AP-80", "AP-81", "AP-83", "SA-80", "SA-81", "SA-83"}


def test_a_client_that_errs_is_told_so(example: Example) -> None:
    """A body where none is to be sent, and a cancel of what is cancelled."""
    if not (example.folder / "examples" / NAME / "node_modules").exists():
        example.run(install=True)
    client = example.folder / "examples" / NAME / "client.mjs"
    text = client.read_text("utf-8")
    proper = "await cancelAction.post();\n"
    assert text.count(proper) == 1
    again = "await cancelAction.post().catch(() => {});\n"
    twice = f'await cancelAction.post({{ comment: "x" }});\nawait sleep(5);\n{again}'
    client.write_text(text.replace(proper, twice), "utf-8")
    try:
        code, told, report = example.run(install=False)
    finally:
        client.write_text(text, "utf-8")
    assert code == 1, told[-4000:]
    broken = {id_ for id_, verdict in duties(report).items() if verdict == "violated"}
    assert broken == {"SA-80", "SA-83"}
    assert "broken by the caller: SA-80" in report["sentence"]
