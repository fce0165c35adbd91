"""Bad input, row by row: one line that names the place and the fix, exit 2, nothing sent.

A row is what is given, a part of the place, and a word of the fix. `{T}` is the file under test.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sized
from contextlib import suppress
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cancel_contracts.cli import main
from cancel_contracts.contract import load as loading
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.contract.yaml_file import parse_yaml
from cancel_contracts.errors import UsageError
from cancel_contracts.har import read
from cancel_contracts.schemas import shape
from cancel_contracts.targets.file import load as load_target
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

Capture = pytest.CaptureFixture[str]
SPEC = next(path for path in shipped() if path.stem == "security-action")
ONE = ("--only", "SA-20")
SECRET = "s3cret-in-the-file"
URL = "base_url: http://127.0.0.1:1\n"
MINE = "contracts: {security-action: "

# --- Flags ----------------------------------------------------------------------------------------

FLAGS: dict[str, tuple[list[str], str, str]] = {
    "a flag that is not there": (["verify", "--nope"], "--nope", "--help"),
    "a command that is not there": (["verfy"], "verfy", "--help"),
    "an argument too many": (["verify", "http://127.0.0.1", "x"], "(x)", "--help"),
    "a flag without its value": (["verify", "--seed"], "--seed", "--help"),
    "a profile that is not there": (["verify", "--profile", "huge"], "--profile", "smoke"),
    "a URL without scheme": (["verify", "127.0.0.1:80"], "BASE_URL", "write http://host:port"),
    "a URL of another scheme": (["verify", "ftp://127.0.0.1"], "BASE_URL", "write http"),
    "a port past the last": (["verify", "http://127.0.0.1:99999"], "BASE_URL", "write http"),
    "half an IPv6 address": (["verify", "http://[::1"], "BASE_URL", "write http"),
    "a host that is no name": (["verify", "http://a..b"], "BASE_URL", "write http"),
    "a host too long": (["verify", f"http://{'a' * 300}.x"], "BASE_URL", "write http"),
    "a space in the URL": (["verify", "http://127.0.0.1/a b"], "BASE_URL", "write http"),
    "a NUL in the URL": (["verify", "http://127.0.0.1/a\0b"], "BASE_URL", "write http"),
    "a lone surrogate in the URL": (["verify", "http://127.0.0.1/\udcff"], "BASE_URL", "write"),
    "a URL with a password": (["verify", f"http://u:{SECRET}@h"], "BASE_URL", "identities"),
    "a URL with a query": (["verify", "http://127.0.0.1/?a=b"], "BASE_URL", "alone"),
    "a target that is not there": (["verify", "--target", "/no/t.yaml"], "/no/t.yaml", "readable"),
    "a target that is a folder": (["verify", "--target", "{D}"], "{D}", "readable"),
    "a target that goes in circles": (["verify", "--target", "{L}"], "{L}", "readable"),
    "a target that cannot be read": (
        ["verify", "--target", "/proc/self/mem"], "/proc/self/mem", "readable"),
    "a NUL in a path": (["verify", "--target", "a\0b"], "--target", "without"),
    "a path too long": (["verify", "--target", "a" * 5000], "aaa", "readable"),
    "a spec that is not there": (["verify", "--spec", "/no/s.yaml"], "/no/s.yaml", "readable"),
    "the same spec twice": (["verify", "--spec", str(SPEC), "--spec", str(SPEC)], "--spec", "one"),
    "a contract that is not there": (["verify", "--contract", "x"], "--contract", "use one of"),
    "a clause that is not there": (["verify", "--only", "XX-1"], "--only", "clauses`"),
    "a clause that cannot be tested": (["verify", "--only", "MA-12"], "--only", "clauses`"),
    "a clause to skip that is not there": (["verify", "--skip", "XX-1"], "--skip", "clauses`"),
    "no calls": (["verify", "--max-requests", "0"], "--max-requests", "--help"),
    "calls that are no number": (["verify", "--max-requests", "many"], "--max-requests", "--help"),
    "no jobs": (["verify", "--jobs", "0"], "--jobs", "1<=x<=64"),
    "a seed below zero": (["verify", "--seed", "-1"], "--seed", "x>=0"),
    "a seed past every number": (["verify", "--seed", "9" * 5000], "--seed", "--help"),
    "a time that is no number": (["verify", "--timeout", "nan"], "--timeout", "give one"),
    "a time without end": (["verify", "--timeout", "inf"], "--timeout", "0.1<=x<=600"),
    "a wait without end": (["verify", "--max-wait", "inf"], "--max-wait", "86400"),
    "a wait that is no number": (["verify", "--max-wait", "nan"], "--max-wait", "give one"),
    "a rate that is none": (["verify", "--rate", "fast"], "--rate", "100/min"),
    "a rate of nothing": (["verify", "--rate", "0/s"], "--rate", "100/min"),
    "a rate in other digits": (["verify", "--rate", "\u0661/s"], "--rate", "100/min"),
    "a store that is no URL": (["verify", "--quota-store", "here"], "--quota-store", "redis://"),
    "a store of another kind": (
        ["verify", "--quota-store", f"http://:{SECRET}@h"], "--quota-store http://h", "redis://"),
    "a dialect without contract": (["verify", "--dialect", "prose"], "--dialect", "C"),
    "a dialect that is not there": (
        ["verify", "--dialect", "machine-action=x"], "--dialect", "use one of"),
    "a report into nowhere": (["verify", "--report-json", "/no/r"], "--report-json /no/r", "make"),
    "a report onto a folder": (["verify", "--report-html", "{D}"], "--report-html {D}", "name"),
    "a report of a name too long": (["verify", "--record", "a" * 300], "--record aaa", "name"),
    "two reports in one file": (
        ["verify", "--report-json", "{T}", "--report-junit", "{T}"], "--report-junit", "another"),
    "a ledger onto a folder": (["verify", "--ledger", "{D}"], "--ledger {D}", "name a file"),
    "certificates that are not there": (["verify", "--cacert", "/no/ca"], "/no/ca", "PEM file"),
    "certificates that are none": (["verify", "--cacert", str(SPEC)], str(SPEC), "PEM file"),
    "certificates in a folder": (["verify", "--cacert", "{D}"], "--cacert {D}", "PEM file"),
    "a clause to explain that is not there": (["explain", "XX-1"], "CLAUSE", "clauses`"),
    "a fault that is not there": (["mock", "--fault", "nope"], "nope", "--list"),
    "a port that is none": (["mock", "--port", "99999"], "--port", "0<=x<=65535"),
    "a host that is not this machine's": (["mock", "--host", "256.1.1.1"], "256.1.1.1", "choose"),
    "a format that is not there": (["clauses", "--format", "xml"], "--format", "markdown"),
    "a proof of nothing": (["prove", "--only", "nope"], "nope", "--list"),
    "a ledger to read that is not there": (["ledger", "/no/l"], "/no/l", "name a ledger"),
    "a ledger to read that is none": (["ledger", str(SPEC)], f"{SPEC}:1", "--ledger"),
    "a tear-down without target": (["ledger", "{K}", "--tear-down"], "--tear-down", "--target"),
    "a place that is taken": (["init", "--output", "{T}"], "{T}", "another"),
}  # fmt: skip

# --- Target files ---------------------------------------------------------------------------------

TARGETS: dict[str, tuple[str | bytes, str, str]] = {
    "nothing": ("", "{T}", "init`"),
    "no mapping": ("- a\n", "{T}", "init`"),
    "no YAML": ("a: [\n", "{T}:2:1", "fix that line"),
    "two documents": (f"{URL}---\n{URL}", "{T}:2:1", "fix that line"),
    "UTF-16": (URL.encode("utf-16"), "{T}", "UTF-8"),
    "bytes that are no text": (b"base_url: \xff\xfe\n", "{T}", "UTF-8"),
    "a NUL": (URL.encode() + b"\0", "{T}", "fix the file"),
    "nested past measure": (f"{URL}identities: {'{a: ' * 200}1{'}' * 200}\n", "{T}", "fix"),
    "a number past measure": (f"{URL}primary: {'9' * 5000}\n", "{T}", "fix the file"),
    "an alias of itself": (f"{URL}identities: &a {{admin: *a}}\n", "{T}:2:", "fix that line"),
    "an alias of nothing": (f"{URL}identities: *{SECRET}\n", "{T}:2:", "fix that line"),
    "a bomb of aliases": (
        "a: &a [x, x]\n" + "".join(
            f"b{n}: &b{n} [*{f'b{n - 1}' if n else 'a'}, *{f'b{n - 1}' if n else 'a'}]\n"
            for n in range(60)), "{T}:16: holds more than", "fix that line"),
    "a tag of Python": ("!!python/object/apply:os.system [ls]\n", "{T}:1:1", "fix that line"),
    "a key that is a list": (f"{URL}? [a]\n: b\n", "{T}", "fix the file"),
    "a key twice": (f"{URL}{URL}", "{T}:2:1: is no YAML: key 'base_url'", "fix that line"),
    "an unknown key": (f"{URL}base: x\n", "{T}: (top level): has no key 'base'", "init`"),
    "no base URL": ("identities: {}\n", "{T}", "add `base_url:`"),
    "a URL that is none": ("base_url: localhost\n", "{T}:1: base_url", "http"),
    "a URL that is a number": ("base_url: 5\n", "{T}:1: base_url: is read as a number", "quote it"),
    "a URL of a contract that is none": (
        f"{URL}{MINE}{{base_url: 'http://h:99999'}}}}\n",
        "{T}:2: contracts/security-action/base_url", "write http"),
    "a handler that is no URL": (
        f"{URL}provider_states: http://h:x/\n", "{T}:2: provider_states", "write http"),
    "a handler with a password": (
        f"{URL}provider_states: http://u:{SECRET}@h/\n", "{T}:2: provider_states", "identities"),
    "a token of two sources": (
        f"{URL}identities: {{admin: {{token: {SECRET}, token_env: B}}}}\n",
        "{T}:2: identities/admin: must have only one of token, token_env", "init`"),
    "a token of no source": (f"{URL}identities: {{admin: {{}}}}\n", "{T}:2: identities/admin: must have one of token, ", "init`"),
    "a token that is a number": (
        f"{URL}identities: {{admin: {{token: 5}}}}\n",
        "{T}:2: identities/admin/token: is read as a number", "quote it"),
    "a token with a line break": (
        f'{URL}identities: {{admin: {{token: "{SECRET}\\nb"}}}}\n', "{T}: identities/admin", "fix"),
    "a token file that is not there": (
        f"{URL}identities: {{admin: {{token_file: /no}}}}\n", "{T}: identities/admin", "readable"),
    "a token file of nobody": (
        f"{URL}identities: {{admin: {{token_file: ~nobody-such/t}}}}\n",
        "{T}: identities/admin", "readable"),
    "a token file with a NUL in its name": (
        f'{URL}identities: {{admin: {{token_file: "a\\0b"}}}}\n',
        "{T}: identities/admin", "readable"),
    "a command that fails": (
        f'{URL}identities: {{admin: {{token_command: ["false"]}}}}\n',
        "{T}: identities/admin", "by hand"),
    "a command that is not there": (
        f"{URL}identities: {{admin: {{token_command: [no-such-command]}}}}\n",
        "{T}: identities/admin", "by hand"),
    "a command that says two words": (
        f"{URL}identities: {{admin: {{token_command: [echo, {SECRET}, b]}}}}\n",
        "{T}: identities/admin", "fix"),
    "an algorithm that is none": (
        f"{URL}mint: {{algorithm: none, key: {SECRET}}}\n", "{T}:2: mint/algorithm: must be one of HS256, ", "init`"),
    "a mint without key": (
        f"{URL}mint: {{algorithm: HS256}}\n",
        "{T}:2: mint: must have exactly one of key, key_env, key_file", "init`"),
    "a mint of two keys": (
        f"{URL}mint: {{algorithm: HS256, key: {SECRET}, key_env: B}}\n",
        "{T}:2: mint: must have exactly one of key, key_env, key_file", "init`"),
    "a misspelt key deep inside": (
        f"{URL}contracts:\n  security-action:\n    unknown_ids: x\n",
        "{T}:3: contracts/security-action: has no key 'unknown_ids'; did you mean 'unknown_id'?", "init`"),
    "two secrets of Azure": (
        f"{URL}identities: {{admin: {{azure: {{tenant_id: t, client_id: c, client_secret_env: A, certificate_file: b}}}}}}\n",
        "{T}:2: identities/admin/azure: names two ways to one thing", "init`"),
    "a key of another kind": (
        f"{URL}mint: {{algorithm: RS256, key: {SECRET}}}\n", "{T}: mint/key", "RS256"),
    "a contract that is not there": (
        f"{URL}contracts: {{nothing: {{}}}}\n", "{T}: contracts", "use one of"),
    "a primary of no contract": (
        f"{URL}primary: {{nothing: app}}\n", "{T}: primary", "use one of"),
    "a state that is none": (
        f"{URL}{MINE}{{provider_states: {{Paused: [a]}}}}}}\n",
        "{T}: contracts/security-action/provider_states", "use one of"),
    "an id that is a fraction": (
        f"{URL}{MINE}{{provider_states: {{Running: [1.5]}}}}}}\n",
        "{T}:2: contracts/security-action/provider_states/Running/0: is read as a number", "quote it"),
    "an id that is a date": (
        f"{URL}{MINE}{{unknown_id: !!timestamp 2026-01-01}}}}\n",
        "{T}:2: contracts/security-action/unknown_id: is read as a date", "quote it"),
    "an id that is a word": (
        f"{URL}{MINE}{{provider_states: {{Running: [a, no]}}}}}}\n",
        "{T}:2: contracts/security-action/provider_states/Running/1: is read as yes or no", "quote it"),
    "an identity of nothing": (f"{URL}identities:\n  admin:\n", "{T}:3: identities/admin", "init`"),
    "a token without its colon": (
        f"{URL}identities: {{admin: {{token {SECRET}}}}}\n",
        "{T}:2: identities/admin: holds a key that it does not know", "init`"),
    "a token in place of a key": (f"{URL}{SECRET}: x\n", "{T}: (top level)", "init`"),
    "a merge of a merge of a merge": (
        "contracts:\n  a: &a0 {x: 1}\n" + "".join(
            f"  b{n}: &a{n + 1} {{<<: [{', '.join([f'*a{n}'] * 9)}]}}\n" for n in range(20)),
        "{T}:7: holds more than 200000 values, aliases unfolded", "fix that line"),
    "a merge twice": (
        f"{URL}contracts: {{machine-action: &m {{}}, security-action: {{<<: *m, <<: *m}}}}\n",
        "{T}:2:", "fix that line"),
    "a pattern in two places": (
        f"{URL}{MINE}{{provider_states: {{Running: ['a#b#']}}}}}}\n",
        "{T}: provider_states/Running", "one run of #"),
    "something to create that nobody knows": (
        f"{URL}{MINE}{{provision: {{nothing: x}}}}}}\n",
        "{T}: contracts/security-action/provision", "use one of"),
    "an excuse without reason": (
        f"{URL}not_testable: {{SA-20: ''}}\n", "{T}:2: not_testable/SA-20: must not be empty", "init`"),
    "an excuse for nothing": (
        f"{URL}not_testable: {{XX-1: because}}\n", "{T}: not_testable", "a clause id"),
}  # fmt: skip

# --- Specs ----------------------------------------------------------------------------------------

TEXT = SPEC.read_text("utf-8")
SPECS: dict[str, tuple[str, str, str]] = {
    "nothing": ("", "{T}", "shipped"),
    "a list": ("[]\n", "{T}", "shipped"),
    "another version of OpenAPI": (
        TEXT.replace("openapi: 3.1", "openapi: 2.0", 1), "{T}:{N}: openapi: must fit", "vocabulary"),
    "no clauses": (TEXT.partition("x-clauses:")[0], "{T}: (top level)", "vocabulary"),
    "a typo in a clause": (
        TEXT.replace("    expect:", "    expct:", 1), "{T}:{N}: x-clauses/0: has no key 'expct'; did you mean 'expect'?", "vocabulary"),
    "a level that is none": (
        TEXT.replace("level: must", "level: shall", 1), "{T}:{N}: x-clauses/0/level: must be one of must, should, info", "vocabulary"),
    "an id twice": (TEXT.replace("id: SA-06", "id: SA-05", 1), "{T}: x-clauses/SA-05", "never reused"),
    "a state that is none": (
        TEXT.replace("cancellable: [NotStarted", "cancellable: [5, NotStarted", 1),
        "{T}:{N}: x-lifecycle/cancellable/0: is read as a number", "vocabulary"),
}  # fmt: skip

# --- Recordings -----------------------------------------------------------------------------------


def har(*entries: object, **about: object) -> str:
    return json.dumps({"log": {"version": "1.2", **about, "entries": entries}})


def entry(**response: object) -> dict[str, Any]:
    return {
        "startedDateTime": "2026-01-01T00:00:00Z",
        "time": 1,
        "request": {"method": "POST", "url": "http://h/security/securityActions/1/cancelSecurityAction"},
        "response": {"status": 200, "headers": [], "content": {}, **response},
    }  # fmt: skip


HARS: dict[str, tuple[str | bytes, str, str]] = {
    "nothing": ("", "{T}", ".har"),
    "no JSON": ("log:\n", "{T}", ".har"),
    # With its mark UTF-16 is read (test_recorders.py).
    "UTF-16 without a mark": (har().encode("utf-16-le"), "{T}", ".har"),
    "UTF-32": (har().encode("utf-32"), "{T}", ".har"),
    "a list": ("[]", "{T}", ".har"),
    "a log that is none": ('{"log": []}', "{T}", ".har"),
    "no entries": ('{"log": {}}', "{T}", ".har"),
    "half of it": (har(entry())[:-20], "{T}", ".har"),
    "nested past measure": ('{"log": {"entries": [' + "[" * 100_000, "{T}", "again"),
    "a number past measure": ('{"log": {"entries": [' + "9" * 5000 + "]}}", "{T}", ".har"),
    "no number": ('{"log": {"entries": [NaN]}}', "{T}", ".har"),
    "a recording of another format": (har(_contracts={"format": 9}), "{T}: log/_contracts", "again"),
    "settings of another type": (
        har(_contracts={"format": 2, "journals": [], "settings": {"seed": "five"}}),
        "{T}: log/_contracts", "again"),
    "an own entry that is a list": (har({**entry(), "_contracts": []}), "{T}: entry 1", "again"),
}  # fmt: skip

# --- The environment, and other files -------------------------------------------------------------

ENVIRONMENT: dict[str, tuple[str, str, str, str]] = {
    "certificates that are not there": ("REQUESTS_CA_BUNDLE", "/no/ca", "REQUESTS_CA_BUNDLE", "PEM"),
    "certificates that are none": ("CURL_CA_BUNDLE", str(SPEC), "CURL_CA_BUNDLE", "PEM"),
    "a proxy of another kind": ("HTTP_PROXY", "socks5://127.0.0.1:1", "proxy", "NO_PROXY"),
    "a proxy that is no URL": ("HTTP_PROXY", f"http://me:{SECRET}@:x", "http://192.0.2.7", "proxy"),
    "an empty token": ("BAD_TOKEN", " ", "{T}: identities/admin", "fix"),
    "a token beyond ASCII": ("BAD_TOKEN", f"{SECRET}é", "{T}: identities/admin", "fix"),
    "a token that is not set": ("NOT_IT", "x", "{T}: identities/admin", "set it"),
    "a key that is none": ("BAD_KEY", SECRET, "{T}: mint/key_env", "ES256"),
}  # fmt: skip
ENVIRONMENT_TARGETS = {
    "HTTP_PROXY": "base_url: http://192.0.2.7\n",  # TEST-NET-1: nothing is sent there
    "BAD_KEY": f"{URL}mint: {{algorithm: ES256, key_env: BAD_KEY}}\n",
}
OTHERS: dict[str, tuple[list[str], str, str, str]] = {
    "a baseline of nothing": (["verify", "--baseline", "{T}"], "", "{T}: (top level)", "accept"),
    "a baseline of an unknown key": (
        ["verify", "--baseline", "{T}"], "accepted: []\n", "{T}: (top level)", "accept"),
    "a report that is no JSON": (["compare", "{T}", "{T}"], "{", "{T}", "--report-json"),
    "a report of another kind": (["compare", "{T}", "{T}"], "[]", "{T}", "--report-json"),
    "a report nested past measure": (["baseline", "{T}"], "[" * 100_000, "{T}", "--report-json"),
    "a ledger of something else": (["ledger", "{T}"], '{"event": "end"}\n', "{T}:1", "--ledger"),
}  # fmt: skip

TABLES: tuple[Sized, ...] = (FLAGS, TARGETS, SPECS, HARS, ENVIRONMENT, OTHERS)
COUNT = sum(map(len, TABLES))


def test_there_are_rows_enough() -> None:
    assert COUNT >= 60


@pytest.fixture(scope="module", autouse=True)
def specs_are_read_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loading, "load", cache(load))
        yield


class Desk:
    """The files of a row, and the check that is the same for all."""

    def __init__(self, folder: Path, capsys: Capture) -> None:
        self.capsys, self.file = capsys, folder / "file"
        self.names = {"{T}": str(self.file), "{D}": str(folder), "{L}": str(folder / "loop")}
        self.names["{K}"] = str(folder / "ledger")
        (folder / "loop").symlink_to("loop")
        rows = (
            {"event": "run", "ledger": 1},
            {"event": "set-up", "n": 1, "contract": "security-action", "state": "Running",
             "where": "http://h", "how": "handler", "params": {}},
            {"event": "made", "of": 1, "values": {"id": "a-1"}},
        )  # fmt: skip
        at = {"at": "2026-01-01T00:00:00.000+00:00"}
        text = "".join(json.dumps({**at, **row}) + "\n" for row in rows)
        (folder / "ledger").write_text(text, "utf-8")

    def fill(self, text: str) -> str:
        for name, path in self.names.items():
            text = text.replace(name, path)
        return text

    def write(self, data: str | bytes) -> None:
        self.file.write_bytes(data if isinstance(data, bytes) else data.encode())

    def check(self, argv: list[str], place: str, fix: str) -> None:
        code = main([self.fill(word) for word in argv])
        told = self.capsys.readouterr()
        assert code == 2, told.out + told.err
        (line,) = told.err.splitlines()
        assert line.startswith("cancel-contracts: ")
        wanted = re.escape(self.fill(place)).replace(re.escape("{N}"), r"[1-9]\d*")
        assert re.search(wanted, line), line
        assert fix in line, line
        assert SECRET not in line
        assert "Traceback" not in line
        assert len(line) < 2000
        assert "calls sent" not in told.out.replace(": 0 calls sent", "")


@pytest.fixture
def desk(tmp_path: Path, capsys: Capture) -> Desk:
    return Desk(tmp_path, capsys)


@pytest.mark.parametrize("name", FLAGS)
def test_flags(name: str, desk: Desk) -> None:
    argv, place, fix = FLAGS[name]
    desk.write("")
    desk.check(argv, place, fix)


@pytest.mark.parametrize("name", TARGETS)
def test_target_files(name: str, desk: Desk) -> None:
    data, place, fix = TARGETS[name]
    desk.write(data)
    desk.check(["verify", *ONE, "--target", "{T}"], place, fix)


@pytest.mark.parametrize("name", SPECS)
def test_specs(name: str, desk: Desk) -> None:
    data, place, fix = SPECS[name]
    assert data != TEXT, "the row changes something"
    desk.write(data)
    desk.check(["clauses", "--spec", "{T}"], place, fix)


@pytest.mark.parametrize("name", HARS)
def test_recordings(name: str, desk: Desk) -> None:
    data, place, fix = HARS[name]
    desk.write(data)
    desk.check(["judge", "{T}"], place, fix)


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_the_environment(name: str, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    variable, value, place, fix = ENVIRONMENT[name]
    for other in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv(variable, value)
    own = f"{URL}identities: {{admin: {{token_env: BAD_TOKEN}}}}\n"
    trust = URL if variable.endswith("BUNDLE") else own
    desk.write(ENVIRONMENT_TARGETS.get(variable, trust))
    desk.check(["verify", *ONE, "--target", "{T}"], place, fix)


@pytest.mark.parametrize("name", OTHERS)
def test_other_files(name: str, desk: Desk) -> None:
    argv, data, place, fix = OTHERS[name]
    desk.write(data)
    desk.check(argv, place, fix)


def test_the_same_through_the_installed_command(tmp_path: Path) -> None:
    code = "from cancel_contracts.cli import console_main; console_main()"
    command = [sys.executable, "-c", code, "verify", "--target", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1


# --- Whatever else --------------------------------------------------------------------------------

CONTRACTS = [load(path) for path in shipped()]
KEYS = st.sampled_from(
    "base_url provider_states identities mint primary contracts not_testable token token_env azure"
    " security-action admin key algorithm provision Running SA-20 log entries request response"
    " url headers content text size status _contracts format journals received situation".split()
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12)
    | st.sampled_from(["http://127.0.0.1:1", "POST", "2026-01-01", "base64", "HS256"])
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(max_size=8), inner, max_size=5)
    ),
    max_leaves=25,
)
FUZZ = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def graft(value: Any, path: list[int], leaf: Any) -> Any:
    """Return a value with another one in place of a part of it, chosen by a path of numbers."""
    if not path or not isinstance(value, (dict, list)) or not value:
        return leaf
    if isinstance(value, dict):
        key = sorted(value)[path[0] % len(value)]
        return {**value, key: graft(value[key], path[1:], leaf)}
    at = path[0] % len(value)
    return [*value[:at], graft(value[at], path[1:], leaf), *value[at + 1 :]]


GOOD_TARGET = {
    "base_url": "http://127.0.0.1:1",
    "provider_states": "http://127.0.0.1:1/states",
    "identities": {"admin": {"token": "abcdefgh"}, "app": {"token_env": "NOT_SET"}},
    "mint": {"algorithm": "HS256", "key": "0123456789abcdef"},
    "primary": {"security-action": "app"},
    "contracts": {"security-action": {"provider_states": {"Running": ["a"]}, "unknown_id": "b"}},
    "not_testable": {"SA-20": "because"},
}
SITUATION = {"resource": "cancellable", "state": "Running", "identity": "primary"}
OWN = {
    "contract": "security-action", "scenario": 1, "position": 1, "kind": "cancel", "role": "target",
    "situation": SITUATION, "identity": "admin", "resource": "1", "failure": None, "reused": False, "way_in": False,
    "started": 0.1, "body": "", "received": {
        "body": "", "stray": "", "wire": "", "interim": [], "error": None, "version": "1.1"},
}  # fmt: skip
ABOUT = {
    "format": 1, "base_url": "http://h", "profile": "gate", "seed": 0, "seconds": 1.0,
    "started": "2026-01-01T00:00:00+00:00", "pinned": {"security-action": []},
    "contracts": {"security-action": {
        "base_url": "http://h", "clauses": ["SA-16"], "not_testable": {}, "seconds": 1.0}},
    "journals": [{
        "contract": "security-action", "missing": [[SITUATION, "x"]], "broken": [], "stopped": None,
        "minted": True, "setups": 1, "notes": []}],
}  # fmt: skip
GOOD_ENTRY = entry(statusText="OK", headers=[{"name": "A", "value": "b"}])
GOOD_ENTRY["request"]["headers"] = []
GOOD_HAR = {
    "log": {"_contracts": ABOUT, "entries": [GOOD_ENTRY, {**GOOD_ENTRY, "_contracts": OWN}]}
}
PATHS = st.lists(st.integers(0, 30), max_size=6)


@FUZZ
@given(st.builds(graft, st.just(GOOD_TARGET), PATHS, VALUES) | VALUES)
def test_a_target_file_of_any_values(tmp_path: Path, value: Any) -> None:
    path = tmp_path / "t.yaml"
    path.write_text(json.dumps(value), "utf-8")
    with suppress(UsageError):
        target = load_target(path)
        target.check_names(CONTRACTS)
        for contract in CONTRACTS:
            target.endpoint(contract)


@FUZZ
@given(st.binary(max_size=80) | st.text(max_size=80).map(lambda t: t.encode("utf-8", "replace"))
       | st.text("{}[]:,-&*!?|>'\"%#\n ab1~", max_size=60).map(str.encode))  # fmt: skip
def test_a_target_file_of_any_bytes(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "t.yaml"
    path.write_bytes(URL.encode() + data)
    with suppress(UsageError):
        load_target(path)


@FUZZ
@given(st.builds(graft, st.just(GOOD_HAR), PATHS, VALUES))
def test_a_recording_of_any_values(tmp_path: Path, value: Any) -> None:
    path = tmp_path / "t.har"
    path.write_text(json.dumps(value), "utf-8")
    assert main(["judge", str(path), "--contract", "security-action"]) in (0, 1, 2, 4, 5)


@FUZZ
@given(st.binary(max_size=80), st.integers(0, 2000))
def test_a_recording_of_any_bytes(tmp_path: Path, data: bytes, at: int) -> None:
    path = tmp_path / "t.har"
    good = json.dumps(GOOD_HAR).encode()
    path.write_bytes(good[: at % len(good)] + data + good[at % len(good) + len(data) :])
    with suppress(UsageError):
        read(path, CONTRACTS)


# --- two validators of one schema -------------------------------------------------------------------

INSTEAD: tuple[Any, ...] = (
    None,
    True,
    1.0,
    -1,
    "",
    "x\n",
    "http://a",
    [],
    [{}],
    {"x": 1},
    {1: 2},
    date(2026, 1, 1),
)


def altered(value: Any) -> Iterator[Any]:
    """Return a document with each of its parts left out, or something else."""
    yield from INSTEAD
    parts: dict[Any, Any] = value if isinstance(value, dict) else {}
    for key, part in parts.items() or enumerate(value if isinstance(value, list) else ()):
        rest: Any = dict(value) if isinstance(value, dict) else list(value)
        for other in altered(part):
            rest[key] = other
            yield rest
        del rest[key]
        yield rest


def test_what_the_quick_validator_lets_through_fits() -> None:
    examples = Path(__file__).resolve().parent.parent / "examples"
    form, document = shape("target"), parse_yaml(examples / "mountebank" / "target.yaml")
    assert form.errors(document) == []
    let, kept = 0, 0
    for changed in altered(document):
        fits = form.validator.is_valid(changed)
        assert (form.errors(changed) == []) is fits, changed
        let, kept = let + fits, kept + (not fits)
    assert min(let, kept) > 5
