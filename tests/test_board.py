"""A board: many reports on one page, without a browser. What each row says is what the reports say."""

from __future__ import annotations

import json
import random
import re
import tracemalloc
from collections.abc import Sequence
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from board_sample import OF_BEFORE, contract, report, saved, upheld
from cancel_contracts.board import feed
from cancel_contracts.board.matrix import matrix, reasons
from cancel_contracts.board.model import Part
from cancel_contracts.board.output import badge, document, write
from cancel_contracts.board.page import RECENT, render
from cancel_contracts.board.reading import TEXT_CHARS, Found, read
from cancel_contracts.board.targets import Target, slug, targets
from cancel_contracts.cli import main
from cancel_contracts.compare import load as load_report
from cancel_contracts.errors import UsageError
from cancel_contracts.report.text import HIDDEN
from cancel_contracts.schemas import shape
from report_sample import HOSTILE, sample

ATOM = "{http://www.w3.org/2005/Atom}"
UPHELD = contract(upheld())
BROKEN = contract(upheld(EX_02="violated"))


def board(folder: Path, *reports: Any) -> tuple[Found, list[Target]]:
    found = read(saved(folder, *reports))
    return found, targets(found.runs)


def names(rows: Sequence[Target]) -> list[tuple[str, int]]:
    return [(target.name, len(target.runs)) for target in rows]


# --- what is read -------------------------------------------------------------------------------


def test_a_report_of_today_and_one_of_the_first_version_stand_on_one_board(tmp_path: Path) -> None:
    today = sample()
    with pytest.raises(UsageError, match="is no report of this schema"):
        load_report(*saved(tmp_path, OF_BEFORE))

    found, (before, now) = board(
        tmp_path, today, OF_BEFORE | {"target": {"base_url": "http://127.0.0.1:1"}}
    )

    assert (before.name, now.name) == ("http://127.0.0.1:1", today["target"]["base_url"])
    assert (now.kept, now.covered) == (Part(**today["kept"]), Part(**today["covered"]))
    assert before.kept == Part(1, 3), "an accepted violation is judged, and not kept"
    assert before.covered == Part(3, 4)
    assert (before.outcome, before.suites) == ("violated", ["0.0.9"])
    assert [s.judged.spec_sha256 for s in before.standings] == [None]
    assert before.dialects == ["prose"]
    assert found.says["thing"]["EX-02"] == "Promise number 2 is kept."
    both = {row.id: row.marks for row in matrix([before, now], found.says)["thing"]}
    assert both["EX-02"][0] is not None
    assert both["EX-02"][0].verdict == "violated"
    assert both["EX-11"][0] is None, "the first version had no such clause"


def test_figures_that_the_report_gives_are_taken_as_they_are(tmp_path: Path) -> None:
    """Whatever a later version leaves out of them: the report decides, and a board counts nothing anew."""
    row = contract(upheld(EX_02="violated")) | {"kept": {"count": 2, "of": 2}}

    _, (target,) = board(tmp_path, report(1, row))

    assert target.kept == Part(2, 2)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is no JSON"),
        ("{", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("[]", "(top level): is no report: must be of type object"),
        ("{}", "(top level): is no report: 'schema_version' is a required property"),
        (json.dumps(OF_BEFORE | {"schema_version": 2}), "schema_version: is no report: must be 1"),
        (json.dumps(OF_BEFORE | {"tool": {"name": "other", "version": "1"}}), "tool/name"),
        (json.dumps(OF_BEFORE | {"started": "yesterday"}), "started: is no moment in UTC"),
        (json.dumps(OF_BEFORE | {"started": "2026-13-01T00:00:00Z"}), "started: is no moment"),
        (json.dumps(OF_BEFORE | {"started": "2026-11-01"}), "started: is no moment"),
        (json.dumps(OF_BEFORE | {"contracts": [{"name": "x"}]}), "contracts/0: is no report"),
        (json.dumps(OF_BEFORE | {"outcome": "splendid"}), "outcome: is no report: must be one of"),
        (json.dumps(report(1, contract({"EX-01": "fine"}))), "contracts/0/clauses/0/verdict"),
        (json.dumps({"schemaVersion": 2, "runs": []}), "is no board of schemaVersion 1"),
        (json.dumps({"schemaVersion": 1}), "is no board of schemaVersion 1"),
        (json.dumps({"schemaVersion": 1, "runs": [{}]}), "runs/0/: is no run: runs/0/ has no"),
        (json.dumps({"schemaVersion": 1, "runs": ["x"]}), "runs/0/"),
    ],
)
def test_what_is_no_report_is_refused_on_one_line(
    text: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "in.json"
    path.write_text(text, "utf-8")

    assert (
        main(["board", *map(str, saved(tmp_path, report(1))), str(path), "-o", str(tmp_path)]) == 2
    )

    out, err = capsys.readouterr()
    assert not out
    assert err.count("\n") == 1
    assert told in err
    assert str(path) in err
    assert not (tmp_path / "index.html").exists(), "nothing is written where something is wrong"


def test_a_file_that_is_missing_and_a_folder_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in (tmp_path / "none.json", tmp_path):
        assert main(["board", str(path), "-o", str(tmp_path / "out")]) == 2
        assert str(path) in capsys.readouterr().err


def test_a_run_that_is_given_twice_counts_once(tmp_path: Path) -> None:
    one, other = report(1), report(2)
    again = tmp_path / "again.json"
    again.write_text(json.dumps(one, indent=4), "utf-8")
    paths = saved(tmp_path, one, other, one)

    assert len(read([*paths, again]).runs) == 2
    # Two runs that began at once, apart by their seed alone, are two.
    assert len(read(saved(tmp_path, one, one | {"seed": 1})).runs) == 2


def test_a_board_is_read_as_the_runs_that_it_was_made_of(tmp_path: Path) -> None:
    paths = saved(tmp_path, OF_BEFORE, report(1), report(2, BROKEN), sample())
    write(read(paths), tmp_path / "one", "Board")
    earlier = tmp_path / "one" / "board.json"

    write(read([earlier, paths[2]]), tmp_path / "two", "Board")

    for path in sorted((tmp_path / "one").rglob("*.*")):
        assert (
            path.read_bytes()
            == (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes()
        )
    found = read([earlier, *saved(tmp_path, report(3))])
    assert [len(target.runs) for target in targets(found.runs)] == [5], "one URL"


def test_board_json_fits_its_schema(tmp_path: Path) -> None:
    found, rows = board(tmp_path, OF_BEFORE, report(1), report(2, BROKEN), sample())
    made = json.loads(json.dumps(document(rows, found, "Board")))
    shape("board").validator.validate(made)
    assert not shape("board").errors(made)
    broken = made | {"targets": [{**made["targets"][0], "slug": "../x"}]}
    assert shape("board").errors(broken)


# --- rows ---------------------------------------------------------------------------------------


def test_reports_are_grouped_by_the_target_s_name(tmp_path: Path) -> None:
    _, rows = board(
        tmp_path,
        report(1, name="Prism", url="http://127.0.0.1:1"),
        report(2, name="Prism", url="http://127.0.0.1:2"),
        report(3, name="Mockoon", url="http://127.0.0.1:1"),
    )
    assert names(rows) == [("Mockoon", 1), ("Prism", 2)]


def test_a_report_without_a_name_is_the_target_s_that_has_its_url(tmp_path: Path) -> None:
    own, shared, alone = (f"http://127.0.0.1:{port}" for port in (1, 2, 3))
    _, rows = board(
        tmp_path,
        report(1, name=None, url=own),
        report(2, name="Prism", url=own),
        report(3, name="Mockoon", url=shared),
        report(4, name="WireMock", url=shared),
        report(5, name=None, url=shared),
        report(6, name=None, url=alone),
        report(7, name=None, url=alone),
    )
    assert names(rows) == [
        (shared, 1), (alone, 2), ("Mockoon", 1), ("Prism", 2), ("WireMock", 1),
    ]  # fmt: skip


def test_the_newest_run_makes_the_row_in_whatever_order_the_files_come(tmp_path: Path) -> None:
    reports = [
        report(1, BROKEN, version="1"),
        report(2, version="2"),
        report(3, BROKEN, version="3"),
    ]
    for seed in range(3):
        random.Random(seed).shuffle(reports)
        _, (target,) = board(tmp_path, *reports)
        assert [run.version for run in target.runs] == ["1", "2", "3"]
        assert (target.versions, target.outcome) == (["3"], "violated")
        assert (target.kept, target.covered) == (Part(2, 3), Part(3, 3))


def test_kept_and_covered_are_added_up_and_never_blended(tmp_path: Path) -> None:
    other = contract(upheld(EX_01="not-exercised", EX_02="inconclusive"), name="other")

    _, (target,) = board(tmp_path, report(1, BROKEN, other))

    assert (target.kept, target.covered) == (Part(3, 4), Part(4, 6))
    assert [s.judged.kept for s in target.standings] == [Part(1, 1), Part(2, 3)]
    assert badge(target)["message"] == "kept 3 of 4, covered 4 of 6"


def test_contracts_that_are_run_by_themselves_make_one_row(tmp_path: Path) -> None:
    parts = [
        contract(upheld(), name=name, sha256=letter * 64) for name, letter in ("xa", "yb", "zc")
    ]

    _, (target,) = board(tmp_path, *(report(day, row) for day, row in enumerate(parts, 1)))

    assert [s.judged.name for s in target.standings] == ["x", "y", "z"]
    assert target.covered == Part(9, 9)
    assert [s.judged.spec_sha256 for s in target.standings] == ["a" * 64, "b" * 64, "c" * 64]
    assert [run.started[8:10] for run in target.standing_runs] == ["03", "02", "01"]


def test_a_run_that_skips_a_few_clauses_takes_the_row_which_says_so(tmp_path: Path) -> None:
    """Else a target that is run so every night would stand for ever on what it was before."""
    most = contract({"EX-01": "upheld", "EX-02": "violated"})

    _, (target,) = board(tmp_path, report(1), report(2, most))

    assert (target.covered, target.outcome) == (Part(2, 2), "violated")
    assert not target.judged_whole
    assert badge(target)["message"] == "kept 1 of 2, covered 2 of 2 (a selection)"


@pytest.mark.parametrize("told", [True, False], ids=["says-so", "earlier-version"])
def test_a_run_of_a_selection_takes_no_row_and_stands_in_the_history(
    told: bool, tmp_path: Path
) -> None:
    whole, part = contract(upheld(EX_02="violated")), contract({"EX-01": "upheld"})
    if not told:
        del whole["selected"], part["selected"]

    _, (target,) = board(tmp_path, report(1, whole), report(2, part))

    assert (target.covered, target.outcome) == (Part(3, 3), "violated")
    assert target.judged_whole
    assert [(step.whole, step.covered) for step in target.steps] == [
        (True, Part(3, 3)),
        (False, Part(1, 1)),
    ]


def test_where_there_is_nothing_but_a_selection_the_row_and_the_badge_say_so(
    tmp_path: Path,
) -> None:
    found, (target,) = board(tmp_path, report(1, contract({"EX-01": "upheld"})))

    assert not target.judged_whole
    assert badge(target) == {
        "schemaVersion": 1,
        "label": "cancel-contracts",
        "message": "kept 1 of 1, covered 1 of 1 (a selection)",
        "color": "yellowgreen",
    }
    assert "of a selection" in render([target], found.says, "Board")


def test_what_is_outdated_of_a_run_is_not_held_against_the_target(tmp_path: Path) -> None:
    """One contract was violated, and is mended in a newer run of it alone."""
    good = contract(upheld(), name="other")
    _, (target,) = board(tmp_path, report(1, BROKEN, good), report(2, UPHELD))
    assert target.outcome == "conforms"

    bad = contract(upheld(EX_01="violated"), name="other")
    _, (target,) = board(tmp_path, report(1, BROKEN, bad), report(2, UPHELD))
    assert target.outcome == "violated"

    open_ = contract(upheld(EX_01="inconclusive"), name="other")
    _, (target,) = board(tmp_path, report(1, BROKEN, open_), report(2, UPHELD))
    assert target.outcome == "inconclusive"


def test_a_run_whose_every_contract_stands_counts_by_its_own_outcome(tmp_path: Path) -> None:
    """A stale excuse fails it although no clause is violated."""
    _, (target,) = board(tmp_path, report(1, UPHELD, outcome="violated", exit_code=1))
    assert target.outcome == "violated"
    assert badge(target)["color"] == "red"

    _, (target,) = board(tmp_path, report(1, contracts=[], outcome="nothing-selected", exit_code=5))
    assert (target.outcome, target.kept, target.standings) == ("nothing-selected", Part(0, 0), ())
    assert badge(target)["color"] == "lightgrey"


@pytest.mark.parametrize(
    ("verdicts", "colour"),
    [
        (upheld(), "brightgreen"),
        (upheld(EX_04="violated"), "brightgreen"),
        (upheld(EX_02="accepted"), "yellowgreen"),
        (upheld(EX_02="not-exercised"), "yellowgreen"),
    ],
)
def test_the_badge_is_bright_only_where_all_is_kept_and_covered(
    verdicts: dict[str, str], colour: str, tmp_path: Path
) -> None:
    _, (target,) = board(tmp_path, report(1, contract(verdicts), outcome="conforms"))
    assert badge(target)["color"] == colour


def test_a_clause_that_is_newer_than_the_target_s_edition_is_not_held_against_it(
    tmp_path: Path,
) -> None:
    newer = contract(upheld(EX_02="violated")) | {"kept": {"count": 2, "of": 2}}
    newer["clauses"][1]["newer"] = True
    other = contract(upheld(), name="other")

    _, (target,) = board(
        tmp_path, report(1), report(2, newer, other, outcome="conforms"), report(3, other)
    )

    assert target.outcome == "conforms"
    assert [(c.clause, c.worse) for c in target.steps[1].changes] == [("EX-02", False)]


# --- history ------------------------------------------------------------------------------------


def kinds(target: Target) -> list[list[tuple[str, str | None, bool]]]:
    return [[(c.kind, c.clause, c.worse) for c in step.changes] for step in target.steps]


def test_each_run_tells_what_it_changed_and_what_is_worse(tmp_path: Path) -> None:
    _, (target,) = board(
        tmp_path,
        report(1),
        report(2, contract(upheld(EX_02="violated", EX_04="violated"))),
        report(3, contract(upheld(EX_02="violated", EX_04="violated"))),
        report(4, contract(upheld(EX_04="violated"))),
    )
    assert kinds(target) == [
        [],
        [("newly violated", "EX-02", True), ("newly violated", "EX-04", False)],
        [],
        [("newly upheld", "EX-02", False)],
    ]
    assert [step.tells for step in target.steps] == [True, True, False, True]
    assert [step.worse for step in target.steps] == [0, 1, 0, 0]


def test_what_else_is_not_the_same_stands_beside_the_changes(tmp_path: Path) -> None:
    """So that nobody blames the target for what a newer suite or another spec file has brought."""
    found, (target,) = board(
        tmp_path,
        report(1, version="1.0"),
        report(2, version="1.0"),
        report(3, BROKEN, version="1.1"),
        report(
            4, contract(upheld(), sha256="b" * 64), version="1.1",
            tool={"name": "cancel-contracts", "version": "0.2.0"},
        ),
        report(5, contract(upheld(), sha256=None)),
    )  # fmt: skip

    told = [
        (),
        (),
        ("target version: 1.0 -> 1.1",),
        ("suite: 0.1.0 -> 0.2.0", "spec of thing: aaaaaaaaaaaa -> bbbbbbbbbbbb"),
        (
            "target version: 1.1 -> not told",
            "suite: 0.2.0 -> 0.1.0",
            "spec of thing: bbbbbbbbbbbb -> not told",
        ),
    ]
    assert [step.beside for step in target.steps] == told
    text = feed.atom([target], "Board")
    assert "suite: 0.1.0 -&amp;gt; 0.2.0" in text
    page = render([target], found.says, "Board")
    assert "target version: 1.0 → 1.1" in page


def test_a_clause_that_was_not_selected_is_neither_missing_nor_new(tmp_path: Path) -> None:
    part = contract({"EX-02": "violated"})
    _, (target,) = board(tmp_path, report(1), report(2, part), report(3, BROKEN))

    assert kinds(target) == [
        [],
        [("newly violated", "EX-02", True)],
        [("newly violated", "EX-02", True)],
    ]


@pytest.mark.parametrize(("sha256", "seen"), [("b" * 64, True), ("a" * 64, False), (None, False)])
def test_a_clause_is_missing_or_new_where_the_spec_is_known_to_have_changed(
    sha256: str | None, seen: bool, tmp_path: Path
) -> None:
    before = contract({"EX-01": "upheld", "EX-02": "upheld"}, of=2)
    after = contract({"EX-01": "upheld", "EX-03": "violated"}, sha256=sha256, of=2)

    _, (target,) = board(tmp_path, report(1, before), report(2, after))

    told = [("clause new", "EX-03", True), ("clause missing", "EX-02", True)]
    assert kinds(target)[1] == (told if seen else [])


def test_another_dialect_is_told(tmp_path: Path) -> None:
    other = contract(upheld()) | {"dialects": [{"of": "success", "name": "example", "says": ""}]}

    _, (target,) = board(tmp_path, report(1), report(2, other))

    assert [(c.kind, c.a, c.b) for c in target.steps[1].changes] == [
        ("dialect changed", "prose", "example")
    ]
    assert target.dialects == ["example"]


def test_why_a_clause_is_not_upheld_is_told_once_a_reason(tmp_path: Path) -> None:
    rows = contract(
        upheld(EX_01="accepted", EX_02="not-exercised", EX_03="violated", EX_04="accepted")
    )
    for row, (reason, excused) in zip(
        rows["clauses"],
        [("known.", None), ("unseen", "cannot be asked"), ("x", None), ("known", None)],
        strict=True,
    ):
        row |= {"reason": reason, "excused": excused}
    _, (target,) = board(tmp_path, report(1, rows))

    assert reasons(target.standings[0].judged) == [
        ("not kept", "known", ["EX-01", "EX-04"]),
        ("not asked", "cannot be asked", ["EX-02"]),
        ("not kept", "not accounted for", ["EX-03"]),
    ]


# --- the feed -----------------------------------------------------------------------------------


def entries(found: Found, rows: Sequence[Target]) -> list[ET.Element]:
    return ET.fromstring(feed.atom(rows, "Board").encode()).findall(f"{ATOM}entry")


def test_the_feed_has_an_entry_for_each_run_that_changed_something(tmp_path: Path) -> None:
    found, rows = board(
        tmp_path, report(1, version="1.0"), report(2), report(3, BROKEN), report(4, name="Other")
    )
    told = entries(found, rows)

    assert [entry.findtext(f"{ATOM}title") for entry in told] == [
        "Other: the first run, conforms",
        "Mock: 1 change, 1 for the worse; violated",
        "Mock 1.0: the first run, conforms",
    ]
    summary = told[1].findtext(f"{ATOM}summary") or ""
    assert "kept 2 of 3, covered 3 of 3 must-clauses (suite 0.1.0)" in summary
    assert "newly violated: thing EX-02: upheld -&gt; violated" in summary


def test_the_feed_has_what_rfc_4287_asks_for(tmp_path: Path) -> None:
    found, rows = board(tmp_path, report(1), report(2, BROKEN), report(3))
    root = ET.fromstring(feed.atom(rows, "Board").encode())

    assert root.tag == f"{ATOM}feed"
    assert root.findtext(f"{ATOM}author/{ATOM}name") == "cancel-contracts"
    ids = [root.findtext(f"{ATOM}id"), *(e.findtext(f"{ATOM}id") for e in entries(found, rows))]
    assert len(set(ids)) == 4
    assert all(re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", id_ or "") for id_ in ids)
    for element in (root, *entries(found, rows)):
        assert element.findtext(f"{ATOM}title")
        moment = datetime.fromisoformat(element.findtext(f"{ATOM}updated") or "")
        assert moment.utcoffset() is not None
        links = element.findall(f"{ATOM}link")
        assert all(link.get("href") for link in links)
        assert sum(link.get("rel", "alternate") == "alternate" for link in links) == 1
    assert root.findtext(f"{ATOM}updated") == "2026-11-03T12:00:00+00:00"


def test_an_entry_keeps_its_id_when_a_run_comes_in(tmp_path: Path) -> None:
    def ids(*reports: Any) -> set[str | None]:
        return {entry.findtext(f"{ATOM}id") for entry in entries(*board(tmp_path, *reports))}

    assert ids(report(1), report(2, BROKEN)) < ids(report(1), report(2, BROKEN), report(3))


def test_the_feed_is_bounded(tmp_path: Path) -> None:
    many = [report(day % 28 + 1, name=f"Mock {day:03}") for day in range(feed.ENTRIES + 10)]
    found, rows = board(tmp_path, *many)
    assert len(entries(found, rows)) == feed.ENTRIES


# --- hostile names ------------------------------------------------------------------------------

BIDI = "safe\u202egnp.exe\u2066\u200b\ufeff"
XML_ILLEGAL = "a\x00b\x0bc\x1b[31m\ufffe\ud800"
CLOSING = "</script><script>alert(1)</script><!--<script>--> ]]> </style></title>\"'><img src=x>"


@pytest.mark.parametrize(
    "text", [HOSTILE, BIDI, XML_ILLEGAL, CLOSING], ids=["all", "bidi", "xml", "close"]
)
def test_no_text_of_a_report_takes_effect_anywhere(text: str, tmp_path: Path) -> None:
    rows = contract(upheld(EX_02="violated"), name=f"thing {text}")
    rows["dialects"] = [{"of": "x", "name": text, "says": text}]
    for row in rows["clauses"]:
        row |= {"says": text, "reason": text, "excused": None}
    rows["clauses"][2] |= {"id": text, "verdict": "accepted"}
    bad = report(
        2, rows, name=text, version=text, url=f"javascript:{text}", profile=text,
        tool={"name": "cancel-contracts", "version": text},
    )  # fmt: skip
    good = report(1, rows, name=text, version="1")
    paths = saved(tmp_path, good, bad)
    found = read(paths)
    write(found, tmp_path / "out", "Board")
    for path in (tmp_path / "out").rglob("*.*"):
        content = path.read_text("utf-8")
        assert not [c for c in content if c not in "\n" and unicode_hidden(c)], path
        assert "<img" not in content or path.suffix == ".json"
    ET.parse(tmp_path / "out" / "changes.atom")
    page = Page()
    page.feed((tmp_path / "out" / "index.html").read_text("utf-8"))
    assert page.tags.count("script") == 2
    assert "img" not in page.tags
    assert not [href for href in page.hrefs if not re.match(r"#|board\.json|changes\.atom", href)]
    data = json.loads(page.data)
    assert len(data["runs"]) == 2
    json.loads((tmp_path / "out" / "board.json").read_text("utf-8"))
    assert read([tmp_path / "out" / "board.json"]).runs == found.runs


def unicode_hidden(char: str) -> bool:
    import unicodedata

    return unicodedata.category(char) in HIDDEN


class Page(HTMLParser):
    """The tags and addresses of a page, and the data that its script reads."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.hrefs: list[str] = []
        self.data = ""
        self.inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.hrefs += [value or "" for name, value in attrs if name in ("href", "src")]
        self.inside = tag == "script" and ("type", "application/json") in attrs
        assert not [name for name, _ in attrs if name.startswith("on") or name == "style"]

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.data += data

    def handle_endtag(self, tag: str) -> None:
        self.inside = False


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("prism", r"prism"),
        ("our-mock-2", r"our-mock-2"),
        ("Prism", r"prism-[0-9a-f]{8}"),
        ("../../etc/passwd", r"etc-passwd-[0-9a-f]{8}"),
        ("http://127.0.0.1:8080/beta", r"http-127-0-0-1-8080-beta-[0-9a-f]{8}"),
        ("", r"target-[0-9a-f]{8}"),
        ("...", r"target-[0-9a-f]{8}"),
        ("模拟", r"target-[0-9a-f]{8}"),
        ("x" * 300, r"x{60}-[0-9a-f]{8}"),
    ],
)
def test_a_slug_is_a_plain_file_name_and_hangs_on_the_name_alone(name: str, told: str) -> None:
    assert re.fullmatch(told, slug(name))
    assert slug(name) == slug(name)
    assert slug("Prism") != slug("prism") != slug("PRISM")


def test_a_target_that_is_called_as_another_s_slug_has_a_badge_of_its_own(tmp_path: Path) -> None:
    taken = slug("Prism")
    found, rows = board(tmp_path, report(1, name="Prism"), report(1, BROKEN, name=taken))
    write(found, tmp_path / "out", "Board")

    colours = {
        target.name: json.loads((tmp_path / "out" / "badges" / f"{target.slug}.json").read_text())[
            "color"
        ]
        for target in rows
    }
    assert colours == {"Prism": "brightgreen", taken: "red"}


@pytest.mark.parametrize("name", ["clauses", "data", "contract-1", "targets-title"])
def test_no_id_of_the_page_is_a_target_s(name: str, tmp_path: Path) -> None:
    found, rows = board(tmp_path, report(1, name=name), report(2, name=f"target-{name}"))
    page = render(rows, found.says, "Board")

    ids = re.findall(r'\sid="([^"]*)"', page)
    assert len(ids) == len(set(ids))
    assert {f"target-{name}", f"target-target-{name}"} <= set(ids)
    assert page.startswith("<!doctype html>")


def test_a_long_text_is_cut(tmp_path: Path) -> None:
    _, (target,) = board(tmp_path, report(1, name="n" * 5000))
    assert target.name == "n" * (TEXT_CHARS - 1) + "…"


# --- much of it ---------------------------------------------------------------------------------


def test_hundreds_of_runs_need_no_more_room_than_their_verdicts(tmp_path: Path) -> None:
    """Twelve large reports are read in less room than the JSON of four takes."""
    (path,) = saved(tmp_path, report(1, UPHELD | {"timeline": {"requests": ["x" * 100] * 3_000}}))
    text = path.read_text("utf-8")
    paths = []
    for number in range(12):
        paths.append(tmp_path / f"{number}.json")
        paths[-1].write_text(text.replace("T12:00:00", f"T12:00:{number:02}"), "utf-8")
    tracemalloc.start()
    found = read(paths)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(found.runs) == 12
    assert peak < 4 * len(text)
    marks = {id(mark) for run in found.runs for mark in run.contracts[0].clauses.values()}
    assert len(marks) == 2, "equal marks are one object"


def test_a_long_history_is_whole_and_its_older_part_folded(tmp_path: Path) -> None:
    reports = [
        report(
            1,
            BROKEN if number % 2 else UPHELD,
            started=f"2026-{number % 12 + 1:02}-{number // 12 + 1:02}T00:00:00Z",
        )
        for number in range(60)
    ]
    found, (target,) = board(tmp_path, *reports)
    page = render([target], found.says, "Board")

    assert len(target.steps) == 60
    assert page.count('role="rowheader"><time') == 60
    assert f"{60 - RECENT} older runs" in page
    assert len(page) < 150_000


# --- the command --------------------------------------------------------------------------------


def test_the_command_writes_a_folder_and_tells_each_target(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = saved(tmp_path, report(1), report(2, BROKEN), report(1, name="Other <b>"))
    out = tmp_path / "new" / "site"

    assert main(["board", *map(str, paths), "--output", str(out), "--title", "Mocks & more"]) == 0

    assert capsys.readouterr().out.splitlines() == [
        "Mock: violated, kept 2 of 3, covered 3 of 3, 2 runs",
        "Other <b>: conforms, kept 3 of 3, covered 3 of 3, 1 run",
        f"wrote {out / 'index.html'}",
    ]
    files = sorted(path.relative_to(out).as_posix() for path in out.rglob("*.*"))
    badges = [f"badges/{slug(name)}.json" for name in ("Mock", "Other <b>")]
    assert files == [*badges, "board.json", "changes.atom", "index.html"]
    page = (out / "index.html").read_text("utf-8")
    assert "<h1>Mocks &amp; more</h1>" in page
    assert json.loads((out / "board.json").read_text("utf-8"))["title"] == "Mocks & more"


def test_a_folder_that_cannot_be_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (path,) = saved(tmp_path, report(1))
    for out in (path, path / "below"):
        assert main(["board", str(path), "-o", str(out)]) == 2
        assert capsys.readouterr().err.count("\n") == 1
    assert main(["board", "-o", str(tmp_path)]) == 2
    assert main(["board", str(path)]) == 2


def test_a_board_again_is_the_same_octets(tmp_path: Path) -> None:
    """Nothing of it hangs on when it is made, or on the order of the files."""
    paths = saved(tmp_path, report(1), report(2, BROKEN), OF_BEFORE)
    write(read(paths), tmp_path / "a", "Board")
    write(read(paths[::-1]), tmp_path / "b", "Board")
    for path in (tmp_path / "a").rglob("*.*"):
        assert path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes()
