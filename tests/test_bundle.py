"""Bundles: a result that can be judged again comes to the same verdicts, and what was changed in it is told."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from cancel_contracts.builtin import mock_target
from cancel_contracts.bundle import parts, reading, writing
from cancel_contracts.bundle.parting import dump, parted, verdicts
from cancel_contracts.cli import main
from cancel_contracts.cli.papers import Papers, write
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.redact.secrets import Redactor
from cancel_contracts.report.record import record
from cancel_contracts.targets import file as targets
from cancel_contracts.targets.shown import LEFT_OUT, without_secrets
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from report_sample import CONTRACT, every_verdict, outcome_of, result_of
from yaml_text import document_of, text_of

pytestmark = pytest.mark.slow

Capture = pytest.CaptureFixture[str]
SPECS = {path.stem: path for path in shipped()}
SECURITY = "security-action"
SPEC = f"specs/{SECURITY}.yaml"


@contextmanager
def mock(folder: Path, *faults: str, **more: Any) -> Iterator[list[str]]:
    """Yield the command that verifies the mock with faults, with more in its target file."""
    contract = load(SPECS[SECURITY])
    with mock_target([contract], list(faults)) as target:
        file = folder / "target.yaml"
        file.write_text(json.dumps({**target.raw, **more}), "utf-8")
        yield ["verify", "--contract", SECURITY, "--target", str(file)]


def files_of(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(path: Path, files: dict[str, bytes], *, signed: bool = False) -> Path:
    """Write files as a bundle; `signed`: its statement is made anew."""
    if signed:
        told = json.loads(files[parts.STATEMENT])
        for row in told["subject"]:
            row["digest"]["sha256"] = hashlib.sha256(files[row["name"]]).hexdigest()
        files = {**files, parts.STATEMENT: json.dumps(told).encode()}
    with path.open("wb") as out:
        writing.write(out, files)
    return path


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of a run with a violated clause and three upheld ones."""
    folder = tmp_path_factory.mktemp("bundle")
    path = folder / "out.zip"
    with mock(folder, "success-as-204") as argv:
        assert main([*argv, "--only", "SA-16,SA-18,SA-20,SA-06", "--bundle", str(path)]) == 1
    return path


def told(capsys: Capture, *argv: str) -> tuple[int, str]:
    """Return the exit code of a recheck, and what it says on one line."""
    capsys.readouterr()
    code = main(["recheck", *argv])
    said = capsys.readouterr()
    assert said.err.count("\n") == (code == 2), said.err
    return code, " ".join((said.out + said.err).split())


# --- The same verdicts ----------------------------------------------------------------------------

# What a run is made with beside the fault: flags, and more of the target file.
RUNS: dict[str, tuple[list[str], dict[str, Any]]] = {
    "as it is": ([], {}),
    "strict, with a figure to come up to": (["--strict", "--min-covered", "99.5"], {}),
    "a pinned dialect": (["--dialect", f"{SECURITY}=application-only"], {}),
    "another edition": (["--edition", "2019-12"], {}),
    "a target that holds to one": ([], {"edition": 2018}),
    "what it cannot be asked": ([], {"not_testable": {"observe": "there is no GET"}}),
    "a baseline": (["--baseline", "{B}"], {}),
    "no clause at all": (["--skip", "SA-16,SA-06,SA-18,SA-20"], {}),
    "few calls": (["--max-requests", "1"], {}),
}


@pytest.mark.parametrize("name", RUNS)
def test_a_bundle_comes_to_the_same_verdicts_byte_for_byte(
    name: str, tmp_path: Path, capsys: Capture
) -> None:
    flags, more = RUNS[name]
    baseline = tmp_path / "baseline.yaml"
    row = {
        "contract": SECURITY,
        "clause": "SA-16",
        "reason": "comes: next year",
        "issue": "https://example.test/1",
    }
    baseline.write_text(yaml.safe_dump({"violations": [row]}), "utf-8")
    path, again, live = (tmp_path / n for n in ("out.zip", "again.json", "live.json"))
    with mock(tmp_path, "success-as-204", **more) as argv:
        flags = [flag.replace("{B}", str(baseline)) for flag in flags]
        ask = ["--only", "SA-16,SA-18,SA-20,SA-06", "--bundle", str(path)]
        code = main([*argv, *ask, *flags, "--report-json", str(live)])
    assert told(capsys, str(path), "--report-json", str(again))[0] == 0
    then, now = (json.loads(file.read_text("utf-8")) for file in (live, again))
    assert dump(verdicts(then)) == dump(verdicts(now))
    assert now["exit_code"] == code
    assert now["sentence"] == then["sentence"] or not then["contracts"]
    assert json.loads(files_of(path)[parts.REPORT]) == then
    assert "the same verdicts, byte for byte (exit code 0)" in told(capsys, str(path))[1]


@pytest.mark.slow
def test_the_bundle_of_a_whole_gate_comes_to_the_same_verdicts(
    tmp_path: Path, capsys: Capture
) -> None:
    path = tmp_path / "out.zip"
    with mock(tmp_path, "error-echoes-the-token") as argv:
        assert main([*argv, "--bundle", str(path)]) == 1
    code, said = told(capsys, str(path))
    assert (code, "byte for byte" in said) == (0, True), said


def test_the_same_result_gives_the_same_bytes(tmp_path: Path) -> None:
    contract = load(SPECS[SECURITY])
    result = result_of([(CONTRACT, *every_verdict())], redactor=Redactor())
    written = record(result, outcome_of(result))
    papers = Papers.of([contract], targets.of_url("http://127.0.0.1:8080"), [])
    for name in ("a.zip", "b.zip"):
        write(written, result, papers, tmp_path / name)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        rows = archive.infolist()
        assert [row.filename for row in rows] == sorted(archive.namelist())
        assert {row.date_time for row in rows} == {(1980, 1, 1, 0, 0, 0)}


def test_a_bundle_says_what_it_was_made_with(bundle: Path) -> None:
    files = files_of(bundle)
    assert set(files) == {*parts.NEEDED, SPEC}
    assert files[SPEC] == SPECS[SECURITY].read_bytes()
    about = json.loads(files[parts.ABOUT])
    assert (about["seed"], about["profile"], about["strict"]) == (0, "gate", False)
    assert about["judged"] == datetime.now(UTC).date().isoformat()
    assert {"click", "hypothesis", "schemathesis"} <= about["dependencies"].keys()
    assert "ruff" not in about["dependencies"], "what an extra brings is no part of it"
    assert about["python"].count(".") == 2


def test_the_statement_is_an_in_toto_test_result(bundle: Path) -> None:
    files = files_of(bundle)
    found = json.loads(files[parts.STATEMENT])
    assert found["_type"] == "https://in-toto.io/Statement/v1"
    assert found["predicateType"] == "https://in-toto.io/attestation/test-result/v0.1"
    digests = {row["name"]: row["digest"]["sha256"] for row in found["subject"]}
    assert digests == {
        name: hashlib.sha256(data).hexdigest()
        for name, data in files.items()
        if name != parts.STATEMENT
    }
    predicate = found["predicate"]
    assert predicate["result"] == "FAILED"
    assert predicate["failedTests"] == [f"{SECURITY}::SA-06", f"{SECURITY}::SA-16"]
    assert predicate["passedTests"] == [f"{SECURITY}::SA-18", f"{SECURITY}::SA-20"]
    assert predicate["warnedTests"] == []
    named = {row["name"]: row["digest"]["sha256"] for row in predicate["configuration"]}
    assert named == {n: digests[n] for n in (SPEC, parts.TARGET, parts.BASELINE)}


@pytest.mark.parametrize(
    ("fault", "more", "only", "word"),
    [
        (None, {}, "SA-16", "PASSED"),
        ("success-as-204", {"edition": 2018}, "SA-16", "WARNED"),  # newer than what it holds to
        ("success-as-204", {}, "SA-16", "FAILED"),
        (None, {"base_url": "http://127.0.0.1:9"}, "SA-16", "FAILED"),  # a gap is no success
    ],
)
def test_the_statement_says_how_it_came_out(
    fault: str | None, more: dict[str, Any], only: str, word: str, tmp_path: Path
) -> None:
    path = tmp_path / "out.zip"
    with mock(tmp_path, *filter(None, [fault]), **more) as argv:
        main([*argv, "--only", only, "--bundle", str(path)])
    predicate = json.loads(files_of(path)[parts.STATEMENT])["predicate"]
    assert predicate["result"] == word
    tests = [predicate[f"{kind}Tests"] for kind in ("passed", "warned", "failed")]
    at = ("PASSED", "WARNED", "FAILED").index(word)
    assert tests == [[f"{SECURITY}::SA-16"] if i == at else [] for i in range(3)]


# --- What was changed -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", [parts.RECORDING, parts.REPORT, parts.TARGET, parts.BASELINE, parts.ABOUT, SPEC]
)
def test_a_changed_file_is_told(name: str, bundle: Path, tmp_path: Path, capsys: Capture) -> None:
    files = files_of(bundle)
    files[name] += b"\n"
    code, said = told(capsys, str(packed(tmp_path / "x.zip", files)))
    assert code == 1
    assert f"! {name} is not the file of the statement" in said
    assert "byte for byte; the bundle was changed (exit code 1)" in said, "nothing else has changed"
    assert told(capsys, str(packed(tmp_path / "y.zip", files, signed=True)))[0] == 0


def test_a_file_too_many_or_too_few_for_the_statement_is_told(
    bundle: Path, tmp_path: Path, capsys: Capture
) -> None:
    files = files_of(bundle)
    more = {**files, "specs/other-thing.yaml": files[SPEC]}
    code, said = told(capsys, str(packed(tmp_path / "x.zip", more)))
    assert (code, "specs/other-thing.yaml is not in the statement" in said) == (1, True)
    named = json.loads(files[parts.STATEMENT])
    named["subject"].append({"name": "specs/gone.yaml", "digest": {"sha256": "0" * 64}})
    files[parts.STATEMENT] = json.dumps(named).encode()
    code, said = told(capsys, str(packed(tmp_path / "y.zip", files)))
    assert (code, "'specs/gone.yaml' of the statement is missing" in said) == (1, True)


@pytest.mark.parametrize(
    ("name", "old", "new", "part_of"),
    [
        # The success as it was, the id that was unknown, a call that never was; a verdict made good.
        (parts.RECORDING, '"status": 204', '"status": 200', "SA-16: verdict: violated -> "),
        (parts.RECORDING, '"status": 404', '"status": 204', "SA-20: verdict: upheld -> violated"),
        (parts.REPORT, '"verdict": "violated"', '"verdict": "accepted"', "verdict: accepted -> violated"),
        (parts.REPORT, '"exercised": 1', '"exercised": 2', "exercised: 2 -> 1"),
        (parts.REPORT, '"exit_code": 1', '"exit_code": 0', "the run: exit_code: 0 -> 1"),
        (parts.REPORT, '"outcome": "violated"', '"outcome": "conforms"', "the run: outcome: conforms -> violated"),
    ],
)  # fmt: skip
def test_what_was_changed_with_its_statement_parts(
    name: str, old: str, new: str, part_of: str, bundle: Path, tmp_path: Path, capsys: Capture
) -> None:
    files = files_of(bundle)
    assert old in files[name].decode()
    files[name] = files[name].decode().replace(old, new).encode()
    code, said = told(capsys, str(packed(tmp_path / "x.zip", files, signed=True)))
    assert code == 1, said
    assert part_of in said, said
    assert "the verdicts part in " in said
    path = str(packed(tmp_path / "x.zip", files))
    assert f"{name} is not the file of the statement" in told(capsys, path)[1]


def test_a_recheck_is_data_too(bundle: Path, tmp_path: Path, capsys: Capture) -> None:
    code, said = told(capsys, str(bundle), "--format", "json")
    found = json.loads(said)
    assert (code, found["same"], found["parted"], found["changed"]) == (0, True, [], [])
    assert (found["clauses"], found["suite"]["then"]) == ("bundled", found["suite"]["now"])
    files = files_of(bundle)
    files[parts.REPORT] = files[parts.REPORT].replace(b'"exercised": 1', b'"exercised": 7')
    code, said = told(capsys, str(packed(tmp_path / "x.zip", files)), "--format", "json")
    found = json.loads(said)
    assert (code, found["same"], len(found["changed"])) == (1, False, 1)
    assert {(row["key"], row["then"], row["now"]) for row in found["parted"]} == {
        ("exercised", 7, 1)
    }


# --- By other clauses -----------------------------------------------------------------------------


def other_spec(folder: Path, change: Callable[[dict[str, Any]], None]) -> str:
    document = document_of(SPECS[SECURITY])
    change(document)
    path = folder / "specs" / f"{SECURITY}.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text_of(document), "utf-8")
    return str(path)


def rows_of(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in document["x-clauses"]}


def test_other_clauses_judge_the_same_traffic(
    bundle: Path, tmp_path: Path, capsys: Capture
) -> None:
    def allows_204(document: dict[str, Any]) -> None:
        rows_of(document)["SA-16"]["expect"] = {"status": [200, 204, "4xx"]}

    installed = ("--clauses", "installed", "--spec")
    code, said = told(capsys, str(bundle), *installed, other_spec(tmp_path, allows_204))
    assert code == 1
    assert f"! {SECURITY} SA-16: verdict: violated -> upheld" in said
    assert "kept" in said
    code, said = told(capsys, str(bundle), *installed, str(SPECS[SECURITY]))
    assert (code, "by the clauses installed here" in said) == (0, True)
    assert told(capsys, str(bundle), "--spec", str(SPECS[SECURITY]))[0] == 0


@pytest.mark.parametrize(
    ("level", "status", "since", "code"),
    [("must", 200, None, 1), ("must", 204, None, 0), ("should", 200, None, 0), ("must", 200, "9999-01-01", 0)],
)  # fmt: skip
def test_a_new_clause_is_judged_and_counts_where_it_is_violated(
    level: str,
    status: int,
    since: str | None,
    code: int,
    bundle: Path,
    tmp_path: Path,
    capsys: Capture,
) -> None:
    def one_more(document: dict[str, Any]) -> None:
        row = {**rows_of(document)["SA-16"], "id": "SA-99", "level": level}
        row |= {"expect": {"status": [status, "4xx"]}, **({"since": since} if since else {})}
        document["x-clauses"] = [*document["x-clauses"], row]

    spec = other_spec(tmp_path, one_more)
    found, said = told(capsys, str(bundle), "--clauses", "installed", "--spec", spec)
    assert found == code, said
    word = "upheld" if status == 204 else "violated"
    new = f"{SECURITY} SA-99: verdict: not asked -> {word}"
    assert (new in said) is (since is None), said
    assert "SA-17" not in said, "what the run left out is left out"


def test_a_newer_edition_judges_the_same_traffic(
    bundle: Path, tmp_path: Path, capsys: Capture
) -> None:
    installed = (str(bundle), "--clauses", "installed")
    code, said = told(capsys, *installed, "--edition", "2018")
    assert (code, f"{SECURITY} SA-16: verdict: violated -> not asked" in said) == (0, True), said
    code, said = told(capsys, str(bundle), "--edition", "2026")
    assert (code, "add --clauses installed" in said) == (2, True)

    def ended(document: dict[str, Any]) -> None:
        rows_of(document)["SA-16"]["until"] = "2020-01-01"

    spec = other_spec(tmp_path, ended)
    assert told(capsys, str(bundle), "--clauses", "installed", "--spec", spec)[0] == 0
    code, said = told(capsys, str(bundle), "--spec", spec, "--edition", "2019-12")
    assert "SA-16" not in said, "by that edition it is judged as it was"


def test_an_ended_clause_is_judged_as_on_the_day_of_the_run(
    bundle: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clause of the bundle may end before it is judged again."""
    files = files_of(bundle)
    text = files[SPEC].decode()
    at = text.index("- id: SA-16")
    files[SPEC] = (text[:at] + "- until: 9998-01-01\n    " + text[at + 2 :]).encode()
    path = packed(tmp_path / "x.zip", files, signed=True)
    later = datetime(9999, 1, 1, tzinfo=UTC).date()
    monkeypatch.setattr("cancel_contracts.contract.edition.today", lambda: later)
    assert told(capsys, str(path))[0] == 0


# --- A bundle that anybody may have made ----------------------------------------------------------


def zipped(change: Callable[[zipfile.ZipFile, dict[str, bytes]], None]) -> Any:
    """Return how to write an archive of changed files, as no writer of bundles would."""

    def written(path: Path, files: dict[str, bytes]) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            change(archive, files)
            for name, data in files.items():
                archive.writestr(name, data)

    return written


def without(name: str) -> Any:
    return zipped(lambda _, files: files.__delitem__(name))


def with_more(name: str, data: bytes = b"x") -> Any:
    return zipped(lambda archive, _: archive.writestr(name, data))


def with_text(name: str, text: str | bytes) -> Any:
    data = text.encode() if isinstance(text, str) else text
    return zipped(lambda _, files: files.__setitem__(name, data))


def octets(change: Callable[[bytes], bytes]) -> Any:
    """Return how to write the octets of an archive, changed."""

    def written(path: Path, files: dict[str, bytes]) -> None:
        out = io.BytesIO()
        writing.write(out, files)
        path.write_bytes(change(out.getvalue()))

    return written


def many(archive: zipfile.ZipFile, _: dict[str, bytes]) -> None:
    for number in range(100):
        archive.writestr(f"specs/s{number}.yaml", "")


def twice(path: Path, files: dict[str, bytes]) -> None:
    """One name has two rows in the directory."""
    name = parts.RECORDING.encode()
    out = io.BytesIO()
    writing.write(out, {**files, "recordinx.har": b"x"})
    path.write_bytes(out.getvalue().replace(b"recordinx.har", name))


def lies_of_size(path: Path, files: dict[str, bytes]) -> None:
    """One file holds more than both its heads say."""
    out = io.BytesIO()
    writing.write(out, {**files, parts.TARGET: b"base_url: x\n" * 50_000})
    size = (600_000).to_bytes(4, "little")
    data = out.getvalue()
    assert data.count(size) >= 2
    path.write_bytes(data.replace(size, (12).to_bytes(4, "little")))


def encrypted(data: bytes) -> bytes:
    at = data.index(b"PK\1\2")
    return data[: at + 8] + b"\1" + data[at + 9 :]


def unknown_method(data: bytes) -> bytes:
    at = data.index(b"PK\1\2")
    return data[: at + 10] + b"\x5b" + data[at + 11 :]


DEEP = "[" * 5000 + "]" * 5000
SUBJECT = '{"_type": "https://in-toto.io/Statement/v1", "predicateType": "https://in-toto.io/attestation/test-result/v0.1", "subject": %s}'
HOSTILE: dict[str, tuple[Any, str]] = {
    "nothing": (octets(lambda _: b""), "is no zip file, or is damaged"),
    "text": (octets(lambda _: b"hello " * 9), "is no zip file, or is damaged"),
    "half of one": (octets(lambda d: d[: len(d) // 2]), "is no zip file, or is damaged"),
    "an end alone": (octets(lambda d: d[-22:]), "is no zip file, or is damaged"),
    "a comment": (octets(lambda d: d + b"x"), "is no zip file, or is damaged"),
    "a directory without end": (octets(lambda d: d[:-10] + b"\xff" * 4 + d[-6:]), "more than 100 files"),
    "ZIP64": (octets(lambda d: d[:-14] + b"\xff" * 8 + d[-6:]), "more than 100 files"),
    "a bit turned": (octets(lambda d: d[:200] + bytes([d[200] ^ 1]) + d[201:]), "damaged"),
    "encrypted": (octets(encrypted), "damaged"),
    "packed otherwise": (octets(unknown_method), "damaged"),
    "a lie about a size": (lies_of_size, "damaged (Bad CRC-32"),
    "a path out of it": (with_more("../../evil.yaml"), "'../../evil.yaml', which no bundle does"),
    "a path from the root": (with_more("/etc/evil"), "which no bundle does"),
    "a path of Windows": (with_more("specs\\..\\..\\evil.yaml"), "which no bundle does"),
    "a folder of a spec": (with_more("specs/a/../../b.yaml"), "which no bundle does"),
    "a name for a terminal": (with_more("\x1b]0;pwned\x07"), "which no bundle does"),
    "a name like a flag": (with_more("specs/-x.yaml"), "which no bundle does"),
    "many files": (zipped(many), "more than 100 files"),
    "a file twice": (twice, "holds recording.har twice"),
    "no spec": (without(SPEC), "holds no spec"),
    **{f"no {name}": (without(name), f"holds no {name}") for name in parts.NEEDED},
    "a bomb": (with_text(parts.RECORDING, b"0" * 3_000_000), "unpacks to more than"),
    "a statement of something else": (with_text(parts.STATEMENT, "{}"), "is no in-toto statement"),
    "a statement that is deep": (with_text(parts.STATEMENT, DEEP), "is no in-toto statement"),
    "a statement of no digest": (with_text(parts.STATEMENT, SUBJECT % '[{"name": "x", "digest": {"sha256": 1}}]'), "is no in-toto statement"),
    "a statement of texts": (with_text(parts.STATEMENT, SUBJECT % '["x"]'), "is no in-toto statement"),
    "a statement of a list": (with_text(parts.STATEMENT, "[1]"), "is no in-toto statement"),
    "another format": (with_text(parts.ABOUT, '{"format": 2}'), "is not of this format"),
    "a day that is none": (with_text(parts.ABOUT, '{"format": 1, "strict": false, "min_covered": 0, "judged": "x"}'), "is not of this format"),
    "a flag that is none": (with_text(parts.ABOUT, '{"format": 1, "strict": 1, "min_covered": 0, "judged": "2026-01-01"}'), "is not of this format"),
    "about nothing": (with_text(parts.ABOUT, "null"), "is not of this format"),
    "a report that is none": (with_text(parts.REPORT, "{}"), "is no report of this schema"),
    "a report that is deep": (with_text(parts.REPORT, DEEP), "is no JSON"),
    "a recording that is none": (with_text(parts.RECORDING, "{}"), "is no HTTP Archive"),
    "a spec that is none": (with_text(SPEC, "a: b"), "is a required property"),
    "a baseline that is none": (with_text(parts.BASELINE, "a: b"), "has no key 'a'"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_bundle_is_one_line(
    name: str, bundle: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "UNPACKED_BYTES", 2_500_000)
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    write_, part_of = HOSTILE[name]
    write_(folder / "x.zip", files_of(bundle))
    code, said = told(capsys, "x.zip")
    assert code == 2, said
    assert part_of in said
    assert said.startswith("cancel-contracts: x.zip")
    assert "\x1b" not in said
    assert [p.name for p in sorted(tmp_path.rglob("*")) if p.is_file()] == ["x.zip"]


@given(st.data())
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_turned_octets_end_in_an_exit_code(
    bundle: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "turned.zip"
    files = files_of(bundle)
    name = data.draw(st.sampled_from(["", parts.RECORDING, parts.REPORT, parts.ABOUT, SPEC]))
    octets_ = bytearray(files[name] if name else bundle.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        # An archive's directory, at its end, decides more than what is packed.
        low = 0 if name or data.draw(st.booleans()) else len(octets_) - 700
        octets_[data.draw(st.integers(low, len(octets_) - 1))] = data.draw(st.integers(0, 255))
    if name:
        packed(path, {**files, name: bytes(octets_)}, signed=True)
    else:
        path.write_bytes(octets_)
    assert main(["recheck", str(path)]) in (0, 1, 2)


def test_what_is_no_file_to_write_or_to_read_is_told_first(
    bundle: Path, tmp_path: Path, capsys: Capture
) -> None:
    nowhere = ["verify", "http://127.0.0.1:9", "--only", "SA-20"]
    for path, why in (
        ("-", "name a file"),
        (str(tmp_path), "is a folder"),
        ("/no/x.zip", "its folder does not"),
    ):
        assert main([*nowhere, "--bundle", path]) == 2
        assert why in capsys.readouterr().err
    assert main([*nowhere, "--bundle", "x.zip", "--record", "x.zip"]) == 2
    assert "is the file of --record too" in capsys.readouterr().err
    os.mkfifo(tmp_path / "pipe")
    assert told(capsys, str(tmp_path / "pipe")) == (
        2,
        f"cancel-contracts: BUNDLE {tmp_path / 'pipe'}: is a pipe; name a file",
    )
    assert "No such file" in told(capsys, str(tmp_path / "none.zip"))[1]
    for report, why in (("-", "name a file"), ("/no/r.json", "its folder does not exist")):
        code, said = told(capsys, str(bundle), "--report-json", report)
        assert (code, why in said) == (2, True)
    assert main(["judge", str(bundle)]) == 1, "the recording in it is found"
    assert main(["judge", str(bundle), "--bundle", "y.zip"]) == 2, "only a run has one"
    capsys.readouterr()


# --- No secret in it ------------------------------------------------------------------------------

KEY = "k3y-that-nobody-may-see"
TARGETS: dict[str, dict[str, Any]] = {
    "a token": {"identities": {"admin": {"token": KEY}, "app": {"token_env": "APP"}}},
    "a command": {"identities": {"admin": {"token_command": ["curl", "-H", KEY]}}},
    "a key": {"mint": {"algorithm": "HS256", "key": KEY}},
    "headers": {"headers": {"X-Key": KEY, "X-Other": {"env": "OTHER"}}},
    "a handler": {
        "provider_states": {
            "url": f"http://me:{KEY}@127.0.0.1/states", "headers": {"X-Key": KEY}, "basic": {"user": "me", "password": KEY},
        }
    },
    "a handler's URL": {"provider_states": f"http://me:{KEY}@127.0.0.1/states"},
    "one contract's": {
        "contracts": {
            SECURITY: {
                "base_url": f"http://:{KEY}@127.0.0.1", "identities": {"admin": {"token": KEY}}, "headers": {"X": KEY},
                "mint": {"algorithm": "HS256", "key": KEY},
            }
        }
    },
}  # fmt: skip


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_file_is_shown_without_secrets(name: str, tmp_path: Path) -> None:
    raw = {"base_url": "http://127.0.0.1:8080", "edition": 2026, **TARGETS[name]}
    shown = without_secrets(raw)
    text = yaml.safe_dump(shown)
    assert KEY not in text
    assert LEFT_OUT in text
    assert shown.keys() == raw.keys()
    for kept in ("APP", "OTHER"):
        assert (kept in text) is (kept in json.dumps(raw)), "where one comes from is no secret"
    file = tmp_path / "target.yaml"
    file.write_text(text.replace(f"{LEFT_OUT}@", ""), "utf-8")
    assert targets.load(file).raw, "it is a target file still"


def test_what_nothing_may_show_is_shown_as_it_is() -> None:
    raw = {
        "base_url": "http://127.0.0.1:8080", "serves": [SECURITY], "primary": {SECURITY: "app"},
        "not_testable": {"mint": "no key"}, "identities": {"app": {"token_file": "app.token"}},
        "contracts": {SECURITY: {"provider_states": {"Running": ["1"]}, "unknown_id": "0"}},
        "client_certificate": "client.pem",
    }  # fmt: skip
    assert without_secrets(raw) == raw


# --- Where verdicts part --------------------------------------------------------------------------


def test_each_difference_is_told_once() -> None:
    result = result_of([(CONTRACT, *every_verdict())])
    written = record(result, outcome_of(result))
    old, new = verdicts(written), verdicts(written)
    assert parted(old, new, alike=True) == []
    name = next(filter(None, old))
    clause = next(iter(old[name]["clauses"]))
    for key in (*new[name]["clauses"][clause],):
        changed = json.loads(dump(new))
        changed[name]["clauses"][clause][key] = "other"
        (found,) = parted(old, changed, alike=True)
        assert (found.contract, found.clause, found.key, found.now) == (name, clause, key, "other")
        assert bool(parted(old, changed, alike=False)) is (key == "verdict")
    bare = {"": old[""]}
    assert [p.counts for p in parted(old, bare, alike=False)] == [True]
    assert [p.counts for p in parted(bare, new, alike=False)] == [False]
    other = {**new, "": {**new[""], "outcome": "conforms"}}
    assert [(p.sentence(), p.counts) for p in parted(old, other, alike=True)] == [
        ("the run: outcome: violated -> conforms", True)
    ]


def test_a_run_that_crashed_is_judged_as_far_as_it_came(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "out.zip"

    def fails(*_: object, **__: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch, mock(tmp_path) as argv:
        patch.setattr("cancel_contracts.run.calls.cancel_request", fails)
        assert main([*argv, "--only", "SA-16,SA-20", "--bundle", str(path)]) == 3
    predicate = json.loads(files_of(path)[parts.STATEMENT])["predicate"]
    assert (predicate["result"], predicate["passedTests"]) == ("FAILED", [])
    assert told(capsys, str(path))[0] == 0


def test_a_baseline_is_held_as_of_the_day_of_the_run(tmp_path: Path, capsys: Capture) -> None:
    """What has expired since then was accepted then."""
    path, baseline = tmp_path / "out.zip", tmp_path / "baseline.yaml"
    row = {"contract": SECURITY, "clause": "SA-16", "reason": "later", "expires": "9998-12-31"}
    baseline.write_text(yaml.safe_dump({"violations": [row]}), "utf-8")
    with mock(tmp_path, "success-as-204") as argv:
        ask = ["--only", "SA-16", "--baseline", str(baseline), "--bundle", str(path)]
        assert main([*argv, *ask]) == 0
    assert told(capsys, str(path))[0] == 0
    files = files_of(path)
    about = json.loads(files[parts.ABOUT])
    files[parts.ABOUT] = json.dumps({**about, "judged": "9999-01-01"}).encode()
    code, said = told(capsys, str(packed(tmp_path / "x.zip", files, signed=True)))
    assert (code, "SA-16: verdict: accepted -> violated" in said) == (1, True), said


def test_a_secret_in_a_reason_leaves_the_baseline_one(tmp_path: Path, capsys: Capture) -> None:
    path, baseline = tmp_path / "out.zip", tmp_path / "baseline.yaml"
    row = {"contract": SECURITY, "clause": "SA-16", "reason": f"{KEY}: as it came"}
    baseline.write_text(yaml.safe_dump({"violations": [row]}), "utf-8")
    identities = {"admin": {"token": KEY}}
    with mock(tmp_path, "success-as-204", identities=identities) as argv:
        ask = ["--only", "SA-16", "--baseline", str(baseline), "--bundle", str(path)]
        main([*argv, *ask])
    assert told(capsys, str(path))[0] == 0
    assert not any(KEY.encode() in data for data in files_of(path).values())
