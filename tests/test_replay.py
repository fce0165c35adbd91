"""Recorded traffic is judged as live traffic is; a foreign recording as far as it carries."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cancel_contracts.builtin import mock_target
from cancel_contracts.cli import main
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.errors import UsageError
from cancel_contracts.exchange import Situation
from cancel_contracts.har import Settings, read, write
from cancel_contracts.journal import Journal
from cancel_contracts.needs import Gap, Need
from cancel_contracts.redact.secrets import Redactor
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

Capture = pytest.CaptureFixture[str]
CONTRACTS = [load(p) for p in shipped()]


# contract, faults, variants, flags -> the exit code of both
RUNS: dict[str, tuple[str, list[str], list[str], list[str], int]] = {
    "as it is": ("machine-action", [], [], [], 0),
    "several at a time": ("security-action", [], ["states-in-pascal-case"], ["--jobs", "4"], 0),
    "limited": (
        "access-package-assignment-request", ["429-with-wordy-retry-after"], [],
        ["--max-requests", "20", "--jobs", "4"], 4),
    "wrong": (
        "machine-action", ["cancel-rewrites-a-text", "second-cancel-answered-500"], ["untouched-move-on"],
        ["--max-requests", "24", "--max-wait", "1"], 1),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
def test_the_recording_of_a_run_comes_to_the_same_report(name: str, tmp_path: Path) -> None:
    har, live, replay = tmp_path / "t.har", tmp_path / "live.json", tmp_path / "replay.json"
    contract, faults, variants, flags, code = RUNS[name]
    chosen = [c for c in CONTRACTS if c.name == contract]
    with mock_target(chosen, faults, variants) as target:
        file = tmp_path / "target.yaml"
        file.write_text(json.dumps(target.raw), "utf-8")
        argv = ["verify", "--contract", contract, "--target", str(file), "--record", str(har)]
        assert main([*argv, *flags, "--report-json", str(live)]) == code
    assert main(["judge", str(har), "--report-json", str(replay)]) == code
    a, b = (json.loads(p.read_text("utf-8")) for p in (live, replay))
    for row in (*a["contracts"], *b["contracts"]):
        del row["scenarios"]  # how to make a finding anew is in the report of a run alone
        for piece in (piece for clause in row["clauses"] for piece in clause["evidence"]):
            del piece["steps"]  # what belongs together, likewise
    assert a["contracts"] == b["contracts"]
    for key in ("requests", "sentence", "warnings", "findings", "kept", "covered"):
        assert a.get(key) == b.get(key), key


def test_a_token_that_reads_like_a_word_of_the_spec_changes_no_situation(tmp_path: Path) -> None:
    contract = load(next(p for p in shipped() if p.stem == "machine-action"))
    odd = next(p.name for p in contract.permissions if "And" in p.name).rpartition(".")[2]
    situation = Situation(identity=f"delegated:Machine.{odd}", state="Pending")
    journal = Journal(
        contract.name, missing={situation: Gap(f"no identity {odd}", Need("mint", odd))}
    )
    redactor = Redactor()
    redactor.learn(odd)
    har = tmp_path / "t.har"
    moment = datetime.now(UTC).isoformat()
    write(har, [journal], Settings(f"http://{odd}", "gate", 0, 0.0, moment), "1", redactor)
    again = read(har, [contract]).journals[contract.name]
    assert again.missing == {situation: Gap("no identity [redacted]", Need("mint", odd))}
    about = json.loads(har.read_text("utf-8"))["log"]["_contracts"]
    assert about["settings"]["base_url"] == "http://[redacted]"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Return the recording of a run, and the key that its tokens were minted with."""
    folder = tmp_path_factory.mktemp("recorded")
    file, har = folder / "target.yaml", folder / "t.har"
    contract = next(c for c in CONTRACTS if c.name == "security-action")
    with mock_target([contract]) as target:
        file.write_text(json.dumps(target.raw), "utf-8")
        main(["verify", "--contract", contract.name, "--target", str(file), "--record", str(har)])
    return har.read_text("utf-8"), target.raw["mint"]["key"]


def test_a_recording_is_har_1_2(recorded: tuple[str, str]) -> None:
    log = json.loads(recorded[0])["log"]
    assert log["version"] == "1.2"
    assert {"name", "version"} <= log["creator"].keys()
    for entry in log["entries"]:
        assert {
            "startedDateTime",
            "time",
            "request",
            "response",
            "cache",
            "timings",
        } <= entry.keys()
        request, response = entry["request"], entry["response"]
        assert {
            "method", "url", "httpVersion", "cookies", "headers", "queryString", "headersSize", "bodySize",
        } <= request.keys()  # fmt: skip
        assert {
            "status", "statusText", "httpVersion", "cookies", "headers", "content", "redirectURL",
            "headersSize", "bodySize",
        } <= response.keys()  # fmt: skip
        assert {"send", "wait", "receive"} <= entry["timings"].keys()


def test_no_token_stands_in_a_recording(recorded: tuple[str, str]) -> None:
    text, key = recorded
    assert key not in text
    assert not re.search(r"eyJ[\w-]+\.eyJ", text)  # how every JWT begins


def entry(
    method: str, url: str, status: int, body: str = "", at: int = 0, **more: Any
) -> dict[str, Any]:
    headers = [{"name": "Content-Type", "value": "application/json"}] if body else []
    return {
        "startedDateTime": f"2026-01-01T00:00:{at:02}.000Z",
        "time": 5,
        "request": {"method": method, "url": url, "headers": [], "httpVersion": "HTTP/1.1"},
        "response": {
            "status": status,
            "statusText": "",
            "httpVersion": "HTTP/1.1",
            "headers": headers,
            "content": {"size": len(body), "mimeType": "", "text": body},
        },
        **more,
    }


ID = "7e382d02-4454-436b-b700-59c7dd77f466"
BASE = "https://graph.microsoft.com/beta/security/securityActions"


def foreign(tmp_path: Path, *entries: dict[str, Any]) -> dict[str, tuple[str, int]]:
    path = tmp_path / "foreign.har"
    path.write_text(json.dumps({"log": {"version": "1.2", "entries": list(entries)}}), "utf-8")
    report = tmp_path / "r.json"
    main(["judge", str(path), "--contract", "security-action", "--report-json", str(report)])
    found = json.loads(report.read_text("utf-8"))
    assert found["exit_code"] in (1, 4)
    clauses = found["contracts"][0]["clauses"] if found["contracts"] else []
    return {c["id"]: (c["verdict"], c["violations"]) for c in clauses}


def test_a_foreign_recording_shows_a_body_where_none_belongs(tmp_path: Path) -> None:
    verdicts = foreign(
        tmp_path,
        entry("GET", "https://graph.microsoft.com/beta/me", 200, "{}"),
        entry("POST", f"{BASE}/{ID}/cancelSecurityAction", 200, "null", 1),
    )
    assert verdicts["SA-18"] == ("violated", 1)
    assert verdicts["SA-32"][0] == "not-exercised"


def test_a_get_before_the_cancel_tells_its_state(tmp_path: Path) -> None:
    shows = json.dumps({"id": ID, "status": "Completed"})
    changed = json.dumps({"id": ID, "status": "Failed"})
    verdicts = foreign(
        tmp_path,
        entry("GET", f"{BASE}/{ID}", 200, shows),
        entry("POST", f"{BASE}/{ID}/cancelSecurityAction", 201, "", 1),
        entry("GET", f"{BASE}/{ID}", 200, changed, 2),
    )
    assert verdicts["SA-16"] == ("violated", 1)  # 201 is no success here


def test_other_routes_are_counted_and_ignored(tmp_path: Path, capsys: Capture) -> None:
    foreign(
        tmp_path,
        entry("GET", "https://example.com/", 200, "x"),
        entry("POST", f"{BASE}/{ID}/cancelSecurityAction", 200),
    )
    assert "on no route of the contracts: 1 on other hosts" in " ".join(
        capsys.readouterr().out.split()
    )


BAD: dict[str, bytes] = {
    "empty": b"",
    "no JSON": b"{",
    "a list": b"[]",
    "no log": b"{}",
    "text": b"hello",
    "another format of ours": b'{"log": {"_contracts": {"format": 99}, "entries": []}}',
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_recording_is_one_line_and_exit_2(
    name: str, tmp_path: Path, capsys: Capture
) -> None:
    path = tmp_path / "bad.har"
    path.write_bytes(BAD[name])
    assert main(["judge", str(path)]) == 2, capsys.readouterr().out
    err = capsys.readouterr().err.strip()
    assert "\n" not in err
    assert str(path) in err


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["log", "entries", "request", "response", "url", "headers", "_contracts", "content"]),
        inner, max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(value=JSON)
def test_a_fuzzed_recording_raises_nothing_but_usage_errors(value: Any, tmp_path: Path) -> None:
    path = tmp_path / "fuzz.har"
    path.write_text(json.dumps({"log": {"entries": [value]}}), "utf-8")
    try:
        read(path, CONTRACTS)
    except UsageError:
        pass  # the one error that is for the user


@pytest.mark.slow
def test_a_large_recording_is_streamed(tmp_path: Path) -> None:
    """120 MB of other people's traffic, read in far less memory than that."""
    path = tmp_path / "large.har"
    big = json.dumps(entry("GET", "https://example.com/video", 200, "x" * 1_000_000))
    with path.open("w", encoding="utf-8") as out:
        out.write('{"log": {"version": "1.2", "entries": [')
        out.write(",".join([big] * 120))
        out.write("]}}")
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from cancel_contracts.har import read\n"
        "from cancel_contracts.contract.load import load, shipped\n"
        "contracts = [load(p) for p in shipped()]\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "assert read(Path(sys.argv[1]), contracts).others.total() == 120\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert int(done.stdout) < 60_000  # KiB
