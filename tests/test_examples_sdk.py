"""Microsoft's SDKs against the mock over TLS: the commands of each README, word for word, and a client
that errs.

The Python SDK has 400 MB: its example is among the tests where SDK_PYTHON names an environment with it.
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
JAVASCRIPT, PYTHON = "sdk-javascript", "sdk-python"
SDK = os.environ.get("SDK_PYTHON")
# Example -> the line that installs its SDK, how many clauses are upheld, the duties that are.
KEPT = {
    JAVASCRIPT: ("npm ", 8, {"AP-80", "AP-81", "AP-83", "SA-80", "SA-81", "SA-83"}),
    PYTHON: ("python3 -m venv sdk ", 6, {"AP-81", "AP-83", "SA-80", "SA-81", "SA-83"}),
}
SECONDS = 120
COMMAND = f"""#!/bin/sh
export PYTHONPATH="{ROOT / "contracts"}"
exec "{sys.executable}" -c 'from cancel_contracts.cli import console_main; console_main()' "$@"
"""


@dataclass(frozen=True)
class Example:
    """A copy of the example as a fresh clone has it, this checkout installed."""

    name: str
    folder: Path

    def run(self, *, install: bool) -> tuple[int, str, dict[str, Any]]:
        """Run the README's block; return the exit code, what was printed, and judge's report."""
        text = (self.folder / "examples" / self.name / "README.md").read_text("utf-8")
        (block,) = re.findall(r"^```sh\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
        first, *lines = block.splitlines()
        assert first == INSTALL
        assert lines[-1].startswith(".venv/bin/cancel-contracts judge ")
        lines[-1] += " --report-json report.json"
        script = "\n".join(
            row for row in lines if install or not row.startswith(KEPT[self.name][0])
        )
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


@pytest.fixture(scope="module", params=[JAVASCRIPT, *([PYTHON] if SDK else [])])
def example(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Example:
    name, folder = request.param, tmp_path_factory.mktemp("sdk")
    shutil.copytree(
        EXAMPLES / name, folder / "examples" / name, ignore=shutil.ignore_patterns("node_modules")
    )
    command = folder / ".venv" / "bin" / "cancel-contracts"
    command.parent.mkdir(parents=True)
    command.write_text(COMMAND, "utf-8")
    command.chmod(0o755)
    if name == PYTHON:
        (folder / "sdk").symlink_to(str(SDK))
    return Example(name, folder)


def duties(report: dict[str, Any]) -> dict[str, str]:
    return {d["id"]: d["verdict"] for c in report["contracts"] for d in c["duties"]}


def test_the_sdk_keeps_its_half_and_the_mock_its_own(example: Example) -> None:
    _, number, kept = KEPT[example.name]
    code, told, report = example.run(install=example.name == JAVASCRIPT)
    assert code == 0, told[-4000:]
    assert "request: canceled" in told
    clauses = [c for contract in report["contracts"] for c in contract["clauses"]]
    assert [c["verdict"] for c in clauses] == ["upheld"] * number
    assert {id_ for id_, verdict in duties(report).items() if verdict == "upheld"} == kept


# What is changed in a client so that it cancels once more what it has cancelled, and with a body.
ERRS = {
    JAVASCRIPT: (
        "client.mjs",
        "await cancelAction.post();\n",
        'await cancelAction.post({ comment: "x" });\nawait sleep(5);\n'
        "await cancelAction.post().catch(() => {});\n",
        {"SA-80", "SA-83"},
    ),
    PYTHON: (
        "client.py",
        "    await action.cancel_security_action.post()\n",
        "    await action.cancel_security_action.post()\n    await asyncio.sleep(0.1)\n"
        "    with contextlib.suppress(Exception):\n"
        "        await action.cancel_security_action.post()\n",
        {"SA-83"},
    ),
}


def test_a_client_that_errs_is_told_so(example: Example) -> None:
    file, proper, wrong, expected = ERRS[example.name]
    folder = example.folder / "examples" / example.name
    text = (folder / file).read_text("utf-8")
    assert text.count(proper) == 1
    changed = text.replace(proper, wrong).replace(
        "import asyncio\n", "import asyncio, contextlib\n"
    )
    (folder / file).write_text(changed, "utf-8")
    missing = example.name == JAVASCRIPT and not (folder / "node_modules").exists()
    try:
        code, told, report = example.run(install=missing)
    finally:
        (folder / file).write_text(text, "utf-8")
    broken = {id_ for id_, verdict in duties(report).items() if verdict == "violated"}
    assert broken == expected, told[-4000:]
    must = "SA-80" in broken  # SA-83 is a should
    assert (code == 1) == ("broken by the caller" in report["sentence"]) == must


def test_ci_takes_the_python_sdk_where_it_is_kept(tmp_path: Path) -> None:
    """The lines of .ci/run, with a home that has it, and with one that has not."""
    lines = (ROOT / ".ci" / "run").read_text("utf-8")
    (found,) = re.findall(r"^sdk=.*\n(?:.*SDK_PYTHON.*\n)", lines, re.MULTILINE)
    script = f'set -euo pipefail\n{found}\necho "${{SDK_PYTHON:-none}}"'
    kept = tmp_path / ".cache" / "cancel-contracts" / "sdk-python"
    told = []
    for _ in range(2):
        run = subprocess.run(
            ["bash", "-c", script], env={"HOME": str(tmp_path), "PATH": os.environ["PATH"]},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        told.append(run.stdout.strip())
        (kept / "bin").mkdir(parents=True, exist_ok=True)
        (kept / "bin" / "python").touch(0o755)
    assert told == ["none", str(kept)]
