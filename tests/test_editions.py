"""Editions: a run judges by the clauses and dialects of a day, and nothing that is newer than the edition of a target
file is held against it.
"""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from cancel_contracts import compare
from cancel_contracts.baseline import draft
from cancel_contracts.builtin import mock_target
from cancel_contracts.cli import main
from cancel_contracts.contract.edition import at, in_force, last_day, newer, today
from cancel_contracts.contract.load import every_shipped, load
from cancel_contracts.contract.model import Clause, Contract, Dialect, Source
from cancel_contracts.report.annotations import lines as annotated
from cancel_contracts.targets import file as target_file
from test_pytest_door import run as run_pytest
from yaml_text import document_of, text_of

pytestmark = pytest.mark.slow

Capture = pytest.CaptureFixture[str]
SPECS = {path.stem: path for path in every_shipped()}
SECURITY, PACKAGES = "security-action", "access-package-assignment-request"
DAY = date(2021, 5, 10)
# The highest number among each contract's clauses when editions came.
FIRST_EDITION, LAST = date(2026, 11, 26), {"AP": 84, "AR": 93, "MA": 83, "SA": 83}


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2021", "2021-12-31"),
        ("2021-05", "2021-05-31"),
        ("2021-02", "2021-02-28"),
        ("2024-02", "2024-02-29"),
        ("2021-12", "2021-12-31"),
        ("2021-05-10", "2021-05-10"),
    ],
)
def test_an_edition_is_a_year_a_month_or_a_day(text: str, day: str) -> None:
    assert last_day("--edition", text).isoformat() == day


@pytest.mark.parametrize(
    "text",
    ["", "21", "2021-13", "2021-00", "2021-02-30", "2021-5", "0000", "May 2021", "2021-05-10T00:00", "２０２１", "-2021"],
)  # fmt: skip
def test_what_is_no_edition_is_one_line(text: str, capsys: Capture) -> None:
    assert main(["clauses", "--edition", text]) == 2
    told = capsys.readouterr().err
    assert told.startswith("cancel-contracts: --edition: ")
    assert told.count("\n") == 1
    assert "write it as 2021, 2021-05 or 2021-05-10" in told


# --- What is in force on a day --------------------------------------------------------------------


def clause(id_: str, since: str | None = None, until: str | None = None, **expect: Any) -> Clause:
    begins, ends = (date.fromisoformat(text) if text else None for text in (since, until))
    said, source = "It is kept.", Source("page", "Response")
    return Clause(id_, "must", said, source, {}, expect or {"status": 200}, begins, ends)


def contract_with(clauses: list[Clause], dialects: list[Dialect] | None = None) -> Contract:
    return replace(
        load(SPECS[SECURITY]).whole, clauses=tuple(clauses), dialects=tuple(dialects or [])
    )


def test_a_clause_is_in_force_from_its_first_day_to_the_day_before_its_last() -> None:
    one = clause("EX-1", "2021-05-10", "2023-01-26")
    days = ("2021-05-09", "2021-05-10", "2023-01-25", "2023-01-26")
    assert [in_force(one, date.fromisoformat(d)) for d in days] == [False, True, True, False]
    assert in_force(clause("EX-2"), date.min)
    assert in_force(clause("EX-2"), date.max)
    assert not in_force(clause("EX-3", until="2020-01-01"), DAY)


def test_an_edition_has_its_clauses_and_the_default_those_of_today() -> None:
    contract = contract_with(
        [clause("EX-1"), clause("EX-2", until="2022-01-01"), clause("EX-3", "2022-01-01"),
         clause("EX-4", "9999-01-01")]
    )  # fmt: skip

    def ids(day: date | None) -> list[str]:
        return [c.id for c in at(contract, day).clauses]

    assert ids(DAY) == ["EX-1", "EX-2"]
    assert ids(date(2022, 1, 1)) == ids(None) == ["EX-1", "EX-3"]
    assert ids(date.max) == ["EX-1", "EX-3", "EX-4"]
    assert at(at(contract, DAY), None) is at(contract, None), "an edition of an edition is none"
    assert at(contract, DAY).knows("EX-4"), "a target file may name it in any edition"


def test_a_contradiction_of_which_one_reading_is_left_is_none() -> None:
    dialects = [
        Dialect("a", "x", "a", until=date(2020, 1, 1)),
        Dialect("b", "x", "b"),
        Dialect("c", "x", "c", since=date(2022, 1, 1)),
        Dialect("d", "x", "d", since=date(2022, 1, 1), by_edition=True),
    ]
    readings = {d.name: {"status": number} for number, d in enumerate(dialects, 200)}
    contract = contract_with([clause("EX-1", readings=readings)], dialects)

    def left(day: date | None) -> tuple[list[str], Any]:
        found = at(contract, day)
        return [d.name for d in found.dialects], found.clauses[0].expect

    assert left(date(2019, 1, 1)) == (["a", "b"], {"readings": {k: readings[k] for k in "ab"}})
    assert left(DAY) == ([], {"status": 201}), "b alone"
    assert left(date.max) == (["b", "c", "d"], {"readings": {k: readings[k] for k in "bcd"}})
    # Where none is named a server may follow any page but what the spec's own knows nothing of.
    assert left(None) == (["a", "b", "c"], {"readings": {k: readings[k] for k in "abc"}})
    alone = contract_with([clause("EX-1", readings={"a": {"status": 200}, "d": {}})], dialects)
    assert at(alone, DAY).clauses == (), "no reading of it is of this day"


@pytest.mark.parametrize("name", SPECS)
def test_the_default_asks_every_clause_that_is_shipped(name: str) -> None:
    contract = load(SPECS[name])
    assert [c.id for c in contract.clauses] == [c.id for c in contract.whole.clauses]
    assert {d.name for d in contract.dialects} | {"no-application"} >= {
        d.name for d in contract.whole.dialects if not d.by_edition
    }
    assert contract.edition is None


@pytest.mark.parametrize("name", SPECS)
def test_a_clause_that_came_later_says_since_when(name: str) -> None:
    """Else a release of the suite would turn a pipeline red that holds to an older edition."""
    for row in (*load(SPECS[name]).whole.clauses, *load(SPECS[name]).whole.duties):
        kind, _, number = row.id.partition("-")
        if int(number) > LAST[kind]:
            assert (row.since or date.min) >= FIRST_EDITION, row.id


def test_the_pages_clauses_are_of_the_pages_day() -> None:
    for name, day in (
        (SECURITY, date(2019, 3, 1)),
        (PACKAGES, date(2021, 5, 10)),
        ("machine-action", date(2021, 6, 10)),
        ("assignment-request", date(2026, 11, 26)),
    ):
        contract = load(SPECS[name])
        assert contract.document["info"]["version"] == day.isoformat()
        numbered = ((c, c.id.split("-")) for c in contract.clauses)
        first = [c for c, (letters, number) in numbered if int(number) <= LAST[letters]]
        pages = {c.source.page for c in first if c.since == day}
        assert len(pages) == 1
        assert contract.pages.keys() >= pages
        assert all(c.since is None for c in first if c.source.page not in pages)


# --- In a spec file -------------------------------------------------------------------------------


def spec(
    folder: Path, change: dict[str, dict[str, Any]] | None = None, *edits: tuple[str, str]
) -> Path:
    """Write the spec of the security action with keys of clauses changed, and return its path."""
    document = document_of(SPECS[SECURITY])
    for row in document["x-clauses"]:
        row.update((change or {}).get(row["id"], {}))
    text = text_of(document)
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    path = folder / f"{SECURITY}.yaml"
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize("written", ["2024-02-29", "'2024-02-29'", '"2024-02-29"'])
def test_a_date_is_one_bare_or_quoted(written: str, tmp_path: Path) -> None:
    path = spec(tmp_path, {"SA-16": {"since": "DAY"}}, ("DAY", written))
    found = load(path).clause("SA-16")
    assert found is not None
    assert found.since == date(2024, 2, 29)


@pytest.mark.parametrize(
    ("times", "told"),
    [
        ({"since": "2021-02-30"}, "x-clauses/SA-16/since: '2021-02-30' is no date; write it as"),
        ({"since": "2021-05"}, "since: must fit"),
        ({"since": 2021}, "since: is read as a number where a text is wanted"),
        ({"since": "2022-01-01", "until": "2022-01-01"}, "x-clauses/SA-16: ends before it begins"),
        ({"until": "2019-02-28"}, "x-clauses/SA-16: ends before it begins"),  # its page came later
        ({"sinse": "2022-01-01"}, "did you mean 'since'?"),
    ],
)
def test_dates_that_mean_nothing_are_one_line(
    times: dict[str, Any], told: str, tmp_path: Path, capsys: Capture
) -> None:
    path = spec(tmp_path, {"SA-16": times})
    assert main(["clauses", "--spec", str(path)]) == 2
    said = capsys.readouterr().err
    assert told in said
    assert said.count("\n") == 1


def test_what_is_not_in_force_is_told_by_name(tmp_path: Path, capsys: Capture) -> None:
    path = spec(tmp_path, {"SA-16": {"until": "2025-01-01"}, "SA-18": {"since": "9999-01-01"}})
    ask = ["verify", "--plan", "--spec", str(path), "--only"]
    assert main([*ask, "SA-16"]) == 2
    assert "SA-16 is in force since 2019-03-01 until 2025-01-01 alone" in capsys.readouterr().err
    assert main([*ask, "sa-18"]) == 2
    assert "SA-18 is in force since 9999-01-01 alone" in capsys.readouterr().err
    assert main([*ask, "SA-16", "--edition", "2024"]) == 0
    assert main(["explain", "SA-16", "--spec", str(path)]) == 0
    assert "In force: since 2019-03-01 until 2025-01-01" in capsys.readouterr().out
    assert main(["clauses", "--spec", str(path), "--edition", "2024", "--format", "json"]) == 0
    rows = {row["id"]: row for row in json.loads(capsys.readouterr().out)}
    assert (rows["SA-16"]["since"], rows["SA-16"]["until"]) == ("2019-03-01", "2025-01-01")
    assert "SA-18" not in rows


# --- A run by an edition --------------------------------------------------------------------------


def verify(
    folder: Path, name: str, fault: str | None, *flags: str, path: Path | None = None, **more: Any
) -> tuple[int, dict[str, Any]]:
    """Return the exit code and the report of a run at the mock, with more in its target file."""
    contract = load(path or SPECS[name])
    report = folder / "report.json"
    with mock_target([contract], [fault] if fault else []) as target:
        file = folder / "target.yaml"
        file.write_text(json.dumps({**target.raw, **more}), "utf-8")
        argv = ["verify", "--target", str(file), "--spec", contract.path_of_file]
        code = main([*argv, "--report-json", str(report), *flags])
    return code, json.loads(report.read_text("utf-8"))


def row_of(report: dict[str, Any], id_: str) -> dict[str, Any]:
    found: dict[str, Any] = next(
        row for c in report["contracts"] for row in c["clauses"] if row["id"] == id_
    )
    return found


@pytest.mark.parametrize(("name", "id_"), [(PACKAGES, "AP-15"), ("assignment-request", "AR-32")])
def test_the_tip_on_applications_counts_where_an_edition_has_it(
    name: str, id_: str, tmp_path: Path, capsys: Capture
) -> None:
    serves, only = (tmp_path, name, "application-accepted"), ("--only", id_)
    assert verify(*serves, *only)[0] == 1, "the page that the clauses are of refuses applications"
    code, report = verify(*serves, *only, "--edition", "2026-12")
    assert code == 0
    assert report["contracts"][0]["dialect"] == "application-by-role"
    assert report["contracts"][0]["edition"] == "2026-12-31"
    assert "edition of 2026-12-31" in capsys.readouterr().out
    # Who refuses them follows the table, whatever the edition.
    code, report = verify(tmp_path, name, None, *only, "--edition", "2026-12")
    assert code == 0
    assert report["contracts"][0]["dialect"] is None
    pinned = ("--dialect", f"{name}=application-by-role")
    assert verify(*serves, *only, "--edition", "2026-12", *pinned)[0] == 0
    capsys.readouterr()
    assert main(["verify", "--contract", name, *pinned]) == 2
    assert "it is of editions since 2026-06-16: see --edition" in capsys.readouterr().err


def test_an_edition_before_the_tip_has_the_table_alone(tmp_path: Path) -> None:
    ask = (tmp_path, PACKAGES, "application-accepted", "--only", "AP-15", "--edition")
    assert [verify(*ask, day)[0] for day in ("2026-05", "2026-06")] == [1, 0]


def test_a_finding_of_an_edition_is_made_anew_by_it(tmp_path: Path, capsys: Capture) -> None:
    report = tmp_path / "r.json"
    argv = ["verify", "--only", "SA-06", "--report-json", str(report)]
    assert main([*argv, "--edition", "2019-03"]) == 0, "delegated tokens were documented once"
    assert main([*argv, "--edition", "2019-04"]) == 1
    assert main(["replay", str(report), "SA-06"]) == 1, "by today's dialects nothing would deviate"
    assert main(argv) == 0
    capsys.readouterr()


def test_a_recording_is_judged_by_the_edition_of_its_run(tmp_path: Path, capsys: Capture) -> None:
    har = str(tmp_path / "t.har")
    only = ("--only", "SA-06,SA-16")
    path = spec(tmp_path, NEW)
    judge = ["judge", har, "--spec", str(path)]
    more: dict[str, Any] = {"path": path, "edition": 2025}
    code, _ = verify(tmp_path, SECURITY, None, *only, "--record", har, "--edition", "2026", **more)
    assert code == main(judge) == 1, "delegated tokens are refused by then"
    capsys.readouterr()
    assert main([*judge, "--edition", "2019-03"]) == 0
    assert main([*judge, "--edition", "2019-04"]) == 1
    capsys.readouterr()
    code, _ = verify(tmp_path, SECURITY, FAULT, *ASK, "--record", har, **more)
    assert code == main(judge) == 0, "what is newer than the edition of the target is still so"
    assert "newer than the edition: SA-16 violated" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("day", ["2021-13-01", "soon", ""])
def test_a_recording_of_no_edition_is_one_line(day: str, tmp_path: Path, capsys: Capture) -> None:
    har = tmp_path / "t.har"
    assert main(["verify", "--only", "SA-20", "--edition", "2026", "--record", str(har)]) == 0
    text = har.read_text("utf-8")
    assert '"edition": "2026-12-31"' in text
    har.write_text(text.replace('"edition": "2026-12-31"', f'"edition": "{day}"'), "utf-8")
    capsys.readouterr()
    assert main(["judge", str(har)]) == (0 if day == "" else 2)
    told = capsys.readouterr().err
    assert told.count("\n") == (0 if day == "" else 1)


@pytest.mark.slow
def test_pytest_takes_an_edition() -> None:
    ask = ("--collect-only", "-q", str(SPECS[SECURITY]), "--contracts-edition")
    assert "::SA-16" in run_pytest(*ask, "2019-03").stdout
    done = run_pytest(*ask, "2019-02")
    assert "::SA-16" not in done.stdout
    assert done.returncode == 0
    assert "::SA-04" in done.stdout, done.stdout
    bad = run_pytest(*ask, "2019-13")
    assert bad.returncode != 0
    assert "'2019-13' is no edition; write it as" in bad.stdout


# --- A target that holds to an edition ------------------------------------------------------------

# SA-16: success is 200. The fault breaks it, and no other clause that is asked here.
FAULT, ASK, NEW = "success-as-204", ("--only", "SA-16"), {"SA-16": {"since": "2026-01-01"}}


@pytest.mark.parametrize(
    ("edition", "code"),
    [("2025", 0), (2025, 0), ("2025-12-31", 0), ("2026-01-01", 1), ("2026-01", 1), (None, 1)],
)
def test_what_is_newer_is_not_held_against_it(
    edition: Any, code: int, tmp_path: Path, capsys: Capture
) -> None:
    path = spec(tmp_path, NEW)
    more = {} if edition is None else {"edition": edition}
    found, report = verify(tmp_path, SECURITY, FAULT, *ASK, "--strict", path=path, **more)
    assert found == report["exit_code"] == code
    row = row_of(report, "SA-16")
    assert row["verdict"] == "violated", "it is judged all the same"
    assert row["newer"] is not bool(code)
    assert report["covered"] == {"count": code, "of": code}
    capsys.readouterr()


def test_every_report_tells_what_is_newer(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = spec(tmp_path, NEW)
    files = {kind: tmp_path / f"r.{kind}" for kind in ("junit", "markdown", "html")}
    flags = [part for kind, file in files.items() for part in (f"--report-{kind}", str(file))]
    own = {SECURITY: {"edition": 2025}}
    with mock_target([load(path)]) as target:
        own = {SECURITY: {**target.raw["contracts"][SECURITY], "edition": 2025}}
    code, report = verify(
        tmp_path, SECURITY, FAULT, "--only", "SA-16,SA-20", *flags,
        path=path, edition="9999", contracts=own,
    )  # fmt: skip
    assert code == 0
    told = "newer than the edition of 2025-12-31: in force since 2026-01-01"
    assert row_of(report, "SA-16")["reason"] == told
    assert report["newer"] == report["contracts"][0]["newer"] == {"violated": ["SA-16"]}
    assert report["contracts"][0]["held_to"] == "2025-12-31"
    assert report["defects"][0]["newer"] is True
    seen = " ".join(capsys.readouterr().out.split())
    assert (
        "kept 1 of 1, covered 1 of 1; newer than the edition: SA-16 violated (exit code 0)" in seen
    )
    assert "1. must, newer than the edition: " in seen
    assert "1 upheld · 1 newer" in seen
    suite = ET.parse(files["junit"]).getroot()[0]
    assert (suite.get("failures"), suite.get("errors"), suite.get("skipped")) == ("0", "0", "1")
    assert f"reason: {told}" in (suite.findtext("testcase/skipped") or "")
    properties = {p.get("name"): p.get("value") for p in suite.iterfind("properties/property")}
    assert properties["newer than the edition"] == "SA-16 violated"
    for kind in ("markdown", "html"):
        text = files[kind].read_text("utf-8")
        assert "SA-16 violated" in text, kind
        assert told in text, kind
    page = files["html"].read_text("utf-8")
    assert '<span class="badge info">must, newer than the edition</span>' in page, "not in red"
    lines = annotated(report, {"GITHUB_ACTIONS": "true"})
    assert [row.partition(" ")[0] for row in lines] == ["::warning"]
    assert "SA-16" not in draft(report), "a baseline has nothing to accept"


@pytest.mark.slow
def test_no_item_of_pytest_fails_for_what_is_newer(tmp_path: Path) -> None:
    path = spec(tmp_path, NEW)
    with mock_target([load(path)], [FAULT]) as target:
        file = tmp_path / "target.yaml"
        ask = ("-q", f"{path}::SA-16", "--contracts-target", str(file))
        for edition, code in ((2025, 0), (2026, 1)):
            file.write_text(json.dumps({**target.raw, "edition": edition}), "utf-8")
            done = run_pytest(*ask)
            assert done.returncode == code, done.stdout
            assert ("newer than the edition: SA-16 violated" in done.stdout) is (code == 0)


def test_what_is_newer_leaves_no_gap_and_needs_no_excuse(tmp_path: Path, capsys: Capture) -> None:
    path = spec(tmp_path, {"SA-12": {"since": "2026-01-01"}})
    raw = {"base_url": "http://127.0.0.1:9", "edition": 2025}  # nobody is there
    file = tmp_path / "target.yaml"
    ask = ["verify", "--target", str(file), "--spec", str(path), "--only", "SA-12"]
    report = tmp_path / "r.json"
    for edition, covered in ((2025, {"count": 0, "of": 0}), (2026, {"count": 0, "of": 1})):
        file.write_text(json.dumps({**raw, "edition": edition}), "utf-8")
        code = main([*ask, "--report-json", str(report)])
        told = json.loads(report.read_text("utf-8"))
        assert told["covered"] == covered
        assert row_of(told, "SA-12")["gap"] is (edition == 2026)
        assert code == (0 if edition == 2025 else 4)
    capsys.readouterr()


def test_a_newer_clause_makes_no_report_worse(tmp_path: Path, capsys: Capture) -> None:
    path = spec(tmp_path, NEW)
    _, bad = verify(tmp_path, SECURITY, FAULT, *ASK, path=path, edition=2025)
    _, good = verify(tmp_path, SECURITY, None, *ASK, path=path, edition=2025)
    _, held = verify(tmp_path, SECURITY, FAULT, *ASK, path=path)
    without = {**good, "contracts": [{**good["contracts"][0], "clauses": []}]}
    assert not compare.worse(compare.compare(good, bad))
    assert not compare.worse(compare.compare(without, bad))
    assert compare.worse(compare.compare(good, held))
    assert compare.worse(compare.compare(without, held))
    capsys.readouterr()


@pytest.mark.parametrize("edition", ["2021-13", "May", "2021-05-10T00:00Z", True, 20210510, 0, []])
def test_an_edition_of_a_target_file_that_is_none(
    edition: Any, tmp_path: Path, capsys: Capture
) -> None:
    file = tmp_path / "target.yaml"
    file.write_text(f"base_url: http://127.0.0.1:9\nedition: {json.dumps(edition)}\n", "utf-8")
    assert main(["verify", "--target", str(file), "--plan"]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert f"{file}" in told
    assert "edition" in told


def test_a_new_target_file_holds_to_the_edition_of_today(tmp_path: Path, capsys: Capture) -> None:
    for flags in ([], ["--ids"], ["--handler", "--contract", "machine-action"]):
        assert main(["init", *flags]) == 0
        file = tmp_path / "target.yaml"
        file.write_text(capsys.readouterr().out, "utf-8")
        raw = target_file.load(file).raw
        assert raw["edition"] == today().isoformat(), flags
        endpoint = target_file.load(file).endpoint(load(SPECS["machine-action"]))
        assert endpoint.edition == today()
        assert not any(newer(c, today()) for path in SPECS.values() for c in load(path).clauses)
