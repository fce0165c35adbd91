"""`pages`: which clauses stand on text that has changed, and on that alone."""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path

import pytest
import yaml
from cancel_contracts.cli import main
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.contract.model import Contract
from cancel_contracts.contract.page import folded, headings
from cancel_contracts.pages.compare import Comparison, compare
from cancel_contracts.pages.read import dictionary
from pages_sample import NAME, PAGE, TEXT, copied, document, localised, spec, watching

pytestmark = pytest.mark.slow

Capture = pytest.CaptureFixture[str]
TITLE, INTRO = {"PJ-1"}, {"PJ-1", "PJ-2"}
RIGHTS, ROUTE, BODY = {"PJ-3", "PJ-4", "PJ-7"}, {"PJ-5"}, {"PJ-6", "PJ-7", "PJ-13"}
RESPONSE, LIMITS = {"PJ-8", "PJ-9"}, {"PJ-10"}
EXAMPLES = {"PJ-8", "PJ-15", "x-provision/queued"}


@pytest.fixture(scope="module")
def contract(tmp_path_factory: pytest.TempPathFactory) -> Contract:
    return watching(tmp_path_factory.mktemp("spec"))


def compared(contract: Contract, page: str) -> Comparison:
    found = compare(contract, copied(page), {})
    assert found is not None
    return found


def moved(comparison: Comparison) -> set[str]:
    return {promise.id for change in comparison.changes for promise in change.moved}


# What is edited, by what, and the promises whose ground that moves: these and no others.
MOVES: dict[str, tuple[str, str, set[str]]] = {
    "the title": ("# job: stop", "# job: halt", TITLE),
    "a word of the introduction": ("has not left", "has left", INTRO),
    "a state more": ("`printing`.", "`printing`, `held`.", INTRO),
    "a state less": (", `printing`", "", INTRO),
    "a sentence in the introduction": (
        "\n## Permissions",
        "\nThis call will be gone soon.\n\n## Permissions",
        INTRO,
    ),
    "a right added": ("Jobs.Manage", "Jobs.Manage<br>Jobs.All", RIGHTS),
    "a right taken away": ("<br>Jobs.Manage", "", RIGHTS),
    "a right of another kind of token": ("|Guest|None.", "|Guest|Jobs.Stop", RIGHTS),
    "a right that changes its row": (
        "|Jobs.Stop<br>Jobs.Manage|\n|Service|Jobs.Stop|",
        "|Jobs.Stop|\n|Service|Jobs.Stop<br>Jobs.Manage|",
        RIGHTS,
    ),
    "a row added": ("|Guest|None.|", "|Guest|None.|\n|Device|Jobs.Stop|", RIGHTS),
    "rows that change places": (
        "|Service|Jobs.Stop|\n|Guest|None.|",
        "|Guest|None.|\n|Service|Jobs.Stop|",
        RIGHTS,
    ),
    "one of these becomes all": ("one of these", "all of these", RIGHTS),
    "the route": ("POST /jobs/{job}/stop", "POST /print/jobs/{job}/stop", ROUTE),
    "the method": ("POST /jobs", "PUT /jobs", ROUTE),
    "a second route": ("/stop\n```\n\n## Req", "/stop\nPOST /j/{job}/stop\n```\n\n## Req", ROUTE),
    "a placeholder's name": ("POST /jobs/{job}", "POST /jobs/{jobId}", ROUTE),
    "a note in a quote": ("## Request body\n", "## Request body\n\n> [!NOTE]\n> Send one.\n", BODY),
    "a property's name": ("**reason**", "**cause**", BODY),
    "a property's value": ("of `mistake`", "of `Mistake`", BODY),
    "a negation": ("send no body", "send a body", BODY),
    "the status in the prose": ("`202 Accepted`", "`200 OK`", RESPONSE),
    "a sentence less": (" Nothing stands in the body.", "", RESPONSE),
    "sentences that change places": (
        "On success the answer is `202 Accepted`. Nothing stands in the body.",
        "Nothing stands in the body. On success the answer is `202 Accepted`.",
        RESPONSE,
    ),
    "words struck out": ("Nothing stands", "<del>Nothing</del> stands", RESPONSE),
    "words struck out as GFM has it": ("Nothing stands", "~~Nothing~~ stands", RESPONSE),
    "what a comment hid": ("ignored\" } -->", "ignored\" } -->\nOr `POST /halt`.\n", ROUTE),
    "a link's text": ("[Rights]", "[All rights]", RIGHTS),
    "a number in a limit": ("Thirty calls", "Sixty calls", LIMITS),
    "the status of the example": ("HTTP/1.1 202 Accepted", "HTTP/1.1 204 No Content", EXAMPLES),
    "the body of the example": ('"reason": "mistake"', '"reason": "error"', EXAMPLES),
    "a header in the example": ("jobs/17/stop\n", "jobs/17/stop\nPrefer: x\n", EXAMPLES),
    "the host of the example": ("https://print.example/v2/jobs/17", "https://p.example/17", EXAMPLES),
    "a heading within the examples": ("### Request", "### A call", EXAMPLES),
    "an example more": ("\n## See", "\n### Refused\n\n```http\nHTTP/1.1 409\n```\n\n## See", EXAMPLES),
    "a section renamed": ("## Response\n\nOn", "## Result\n\nOn", RESPONSE),
    "another section renamed": ("## HTTP request", "## Route", ROUTE),
    "a section that is gone": (
        "## Request body\n\nOperators send no body. Whoever is none sends a **reason** with a value of `mistake`.\n",
        "",
        BODY,
    ),
    "sections merged": ("## Limits\n\n", "", RESPONSE | LIMITS),
    "a heading that stands twice": (
        "## See also",
        "## Response\n\nOr else `200 OK`.\n\n## See also",
        RESPONSE,
    ),
}  # fmt: skip


@pytest.mark.parametrize("form", ["english", "localised"])
@pytest.mark.parametrize("name", MOVES)
def test_exactly_the_clauses_move_that_rest_on_what_was_edited(
    name: str, form: str, contract: Contract
) -> None:
    old, new, expected = MOVES[name]
    assert PAGE.count(old) == 1
    page = PAGE.replace(old, new)
    found = compared(contract, localised(page) if form == "localised" else page)
    assert moved(found) == expected
    assert found.moved == (expected != LIMITS)  # whose clause is a should


def test_the_ground_of_several_sections_moves_at_once(contract: Contract) -> None:
    page = PAGE.replace("Thirty", "Sixty").replace("# job: stop", "# Stop")
    assert moved(compared(contract, page)) == LIMITS | TITLE


# What is edited and moves nothing.
STAYS = {
    "nothing": ("", ""),
    "front matter": ("ms.date: 06/01/2025", "ms.date: 11/01/2026\nauthor: somebody"),
    "an include": ("preview.md)]", "beta.md)]\n[!include[more](../more.md)]"),
    "an include between sentences": ("rights. To", "rights. [!INCLUDE [x](y.md)] To"),
    "a link's target": ("(../rights.md)", "(/docs/rights#top)"),
    "a link's target beside a title": ("(../rights.md)", '(../rights.md "All rights")'),
    "a link by reference": ("[Rights](../rights.md).", "[Rights][r].\n\n[r]: ../rights.md\n"),
    "a line break": ("Operators send", "Operators\nsend"),
    "a sentence on a line of its own": ("rights. To", "rights.\nTo"),
    "no blank between sentences": ("rights. To", "rights.To"),
    "a paragraph of its own": ("`202 Accepted`. Nothing", "`202 Accepted`.\n\nNothing"),
    "blanks": ("Thirty calls are", "Thirty  calls\tare"),
    "blank lines": ("## Limits\n", "\n\n## Limits\n\n\n"),
    "the layout of a table": ("|Guest|None.|", "| Guest   |  None. |"),
    "the alignment of a table": ("|:--|:--|", "|---|--:|"),
    "a blank beside a line's end in a cell": ("Jobs.Stop<br>", "Jobs.Stop <br/> "),
    "the layout of an example": ('{\n  "reason": "mistake"\n}', '{ "reason": "mistake" }'),
    "the language of a block": ("```http\nPOST /jobs", "``` HTTP\nPOST /jobs"),
    "emphasis": ("`queued`", "**queued**"),
    "a comment": ("Thirty calls", "<!-- checked -->Thirty calls"),
    "an anchor": ("## Limits", '## <a name="limits"></a>Limits'),
    "the case of a heading": ("## HTTP request", "## HTTP Request"),
    "learn's own lines": ("## Limits\n", '## Limits\n\n::: moniker range="x"\n'),
    "an entity": ("Nothing stands", "Nothing&#32;stands"),
    "the ends of lines": ("\n", "\r\n"),
    "a mark of the order of bytes": ("---\ntitle", "\ufeff---\ntitle"),
    "no front matter": ('---\ntitle: "job: stop"\nms.date: 06/01/2025\n---\n', "\ufeff"),
    "wording that carries nothing": ("[Read a job]", "[Read one job]"),
    "a section that carries nothing": ("\n## See also", "\n## Notes\n\nNew words.\n\n## See also"),
    "a section without clauses that is gone": (
        "## See also\n\n- [Read a job](job-read.md)\n- [Jobs](jobs.md)\n",
        "",
    ),
    "a tab, and what the others say": (
        "```http\nPOST https",
        "# [HTTP](#tab/http)\n\n```http\nPOST https",
    ),
    "other tabs": (
        "### Response\n\nHere",
        "# [C#](#tab/csharp)\n\nIn C#.\n\n# [Go](#tab/go)\n\nIn Go.\n\n---\n\n### Response\n\nHere",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STAYS)
def test_wording_elsewhere_and_what_is_no_text_moves_nothing(name: str, contract: Contract) -> None:
    old, new = STAYS[name]
    page = PAGE.replace(old, new) if old else PAGE
    assert page != PAGE or not old
    if name == "other tabs":  # which begin with the one that is read
        page = page.replace(*STAYS["a tab, and what the others say"])
    found = compared(contract, page)
    assert moved(found) == set()
    assert not found.moved


def test_a_page_is_sentences_below_headings() -> None:
    """A cell's line stands beside what its row begins with, behind as many bars as it is columns
    away: of one right less and of one privileged more the texts differ.
    """
    rights = (
        "|Kind|Least|More|\n|-|-|-|\n|Person|Jobs.Stop|Jobs.All<br>Jobs.Manage|\n"
        "|Service||None.|\n|Guest|||\n\n1. First, e.g. this. Then `that`!\n   - Third\n"
    )
    page = document(f"# A\n\nB <id>. C\nd.\n\n## Rights\n\n{rights}\n### Code\n\n    x\n     y\n")
    assert [(s.name, s.sentences) for s in page.sections] == [
        ("(title)", ("A",)),
        ("(introduction)", ("B <id>.", "C d.")),
        (
            "Rights",
            ("Kind | Least | More", "Person | Jobs.Stop", "Person | | Jobs.All", "Person | | Jobs.Manage",
             "Service | | None.", "Guest", "First, e.g. this.", "Then that!", "Third"),
        ),
        ("Code", ("x y",)),
    ]  # fmt: skip
    assert page.headings == ("(title)", "(introduction)", "Rights")
    assert page.text("rights") == (*page.sections[2].sentences, "Code", "x y")
    assert page.text("Code") == ("x y",)
    assert page.text("No heading") is None


def test_a_localised_page_is_read_by_its_english_spans(contract: Contract) -> None:
    page = localised(PAGE)
    assert page.count("sxs-lookup") > 20
    assert document(page) == document(PAGE)
    translated = page.replace("Auf Deutsch", "En français")
    assert moved(compared(contract, translated)) == set()


def test_each_section_is_told_for_what_became_of_it(contract: Contract) -> None:
    page = (
        PAGE.replace("## Response\n\nOn", "## Result\n\nOn").replace("Thirty", "Sixty")
        .replace("## See also", "## More").replace("- [Jobs](jobs.md)", "- [All](jobs.md)")
        + "\n## History\n\nIt is new.\n"
    ).replace("- [Read a job](job-read.md)", "- [Another](x.md)")  # fmt: skip
    kinds = {change.name: (change.kind, change.now) for change in compared(contract, page).changes}
    assert kinds == {
        "(title)": ("same", "(title)"),
        "(introduction)": ("same", "(introduction)"),
        "Permissions": ("same", "Permissions"),
        "HTTP request": ("same", "HTTP request"),
        "Request body": ("same", "Request body"),
        "Response": ("renamed", "Result"),
        "Limits": ("changed", "Limits"),
        "Examples": ("same", "Examples"),
        "See also": ("gone", None),
        "More": ("new", "More"),
        "History": ("new", "History"),
    }


def test_of_a_section_that_is_gone_a_namesake_within_another_is_not_the_rest(
    contract: Contract,
) -> None:
    old = "## Response\n\nOn success the answer is `202 Accepted`. Nothing stands in the body.\n"
    found = compared(contract, PAGE.replace(old, ""))
    assert moved(found) == RESPONSE
    assert [(c.name, c.kind) for c in found.changes if c.kind != "same"] == [("Response", "gone")]
    nested = PAGE.replace("## Request body", "## Rules\n\n### Request body")
    assert moved(compared(contract, nested)) == set()
    nested = nested.replace("send no body", "send a body")
    assert [(c.name, c.kind) for c in compared(contract, nested).changes if c.moved] == [
        ("Request body", "changed")
    ]


def test_the_hashes_tell_what_is_new_and_how_much_is_gone(contract: Contract) -> None:
    page = PAGE.replace("Jobs.Manage", "Jobs.All").replace("|Guest|None.|\n", "")
    (rights,) = [c for c in compared(contract, page).changes if c.name == "Permissions"]
    first, second = rights.edits
    assert (first.gone, first.new) == ((None,), ("Person | Jobs.All",))
    assert (second.gone, second.new) == ((None,), ())
    assert rights.kept == 5


def test_an_older_copy_shows_what_is_gone_word_by_word(contract: Contract) -> None:
    page = PAGE.replace("Thirty calls are", "Sixty calls are").replace("Service", "Daemon")
    older = dictionary([document(localised(PAGE))])
    found = compare(contract, copied(page), older)
    assert found is not None
    edits = {change.name: change.edits for change in found.changes if change.edits}
    (limit,) = edits["Limits"]
    assert limit.gone == ("Thirty calls are served in a minute.",)
    assert limit.words == (
        ("-", "Thirty"), ("+", "Sixty"), ("=", " calls are served in a minute."),
    )  # fmt: skip
    (right,) = edits["Permissions"]
    assert right.words == (("-", "Service"), ("+", "Daemon"), ("=", " | Jobs.Stop"))


def test_of_what_was_rewritten_what_is_alike_is_paired(contract: Contract) -> None:
    page = PAGE.replace(
        "On success the answer is `202 Accepted`. Nothing stands in the body.",
        "Jobs are slow. On success the answer is `200 OK`. An empty body follows it at once!",
    )
    found = compare(contract, copied(page), dictionary([document(PAGE)]))
    assert found is not None
    (response,) = [change for change in found.changes if change.name == "Response"]
    gone = [edit.gone for edit in response.edits]
    assert gone == [
        (),
        ("On success the answer is 202 Accepted.",),
        ("Nothing stands in the body.",),
    ]
    assert [bool(edit.words) for edit in response.edits] == [False, True, False]


def test_a_section_that_a_source_names_and_nobody_has_read_is_no_ground(contract: Contract) -> None:
    """As where a clause was moved to another section, and the page was not accepted since."""
    text = Path(contract.path_of_file).read_text("utf-8")
    file = Path(contract.path_of_file).with_name("print-other.yaml")
    file.write_text(re.sub(r"^      Limits: .*\n", "", text, flags=re.MULTILINE), "utf-8")
    found = compared(load(file), PAGE)
    assert moved(found) == LIMITS
    assert [c.name for c in found.changes if c.kind != "same"] == ["Limits"]


def test_who_names_a_section_by_its_new_heading_rests_on_it_too(contract: Contract) -> None:
    """As where a clause's source was corrected, and the page was not accepted since."""
    text = Path(contract.path_of_file).read_text("utf-8")
    file = Path(contract.path_of_file).with_name("print-corrected.yaml")
    file.write_text(text.replace("section: Response}", "section: Result}"), "utf-8")
    page = PAGE.replace("## Response\n\nOn", "## Result\n\nOn").replace(
        "202 Accepted`.", "200 OK`."
    )
    assert moved(compared(load(file), page)) == RESPONSE


# --- the command --------------------------------------------------------------------------------


@pytest.fixture
def at(contract: Contract, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder to be in, with the page and the spec that watches it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / f"{NAME}.md").write_text(PAGE, "utf-8")
    text = Path(contract.path_of_file).read_text("utf-8")
    (tmp_path / "print-job.yaml").write_text(text, "utf-8")
    return tmp_path


def run(*argv: str) -> int:
    return main(["pages", "--spec", "print-job.yaml", *argv])


def usage(capsys: Capture, *argv: str) -> str:
    code = run(*argv)
    told = capsys.readouterr()
    assert code == 2, told.out + told.err
    assert told.out == ""
    (said,) = told.err.splitlines()
    assert said.startswith("cancel-contracts: ")
    return said


def test_what_has_not_moved_ends_0(at: Path, capsys: Capture) -> None:
    assert run(f"{NAME}.md") == 0
    assert capsys.readouterr().out == (
        "print-job: job-stop (job-stop.md)\n"
        "  same: (title), (introduction), Permissions, HTTP request, Request body, Response, Limits,"
        " Examples, See also\n"
        "not watched: errors, job-stop, (preview note), RFC 9110 (3 promises)\n"
        "nothing has moved that a clause rests on, in 1 copy of pages\n"
    )


def test_what_has_moved_ends_1_and_names_the_clauses(at: Path, capsys: Capture) -> None:
    (at / "old.md").write_text(PAGE, "utf-8")
    page = PAGE.replace("`202 Accepted`", "`200 OK`")
    (at / f"{NAME}.md").write_text(page, "utf-8")
    assert run(f"{NAME}.md", "--since", "old.md") == 1
    told = capsys.readouterr().out
    assert (
        "  changed: Response (read 2025-06-01)\n"
        "    ~ On success the answer is [-202-]{+200+} [-Accepted-]{+OK+}.\n"
        "    rests on it: PJ-8 (must), PJ-9 (must)\n"
    ) in told
    assert told.endswith("the ground of 2 promises has moved, 2 must, in 1 copy of pages\n")
    assert run(f"{NAME}.md") == 1
    told = capsys.readouterr().out
    assert "    - 1 sentence gone\n    + On success the answer is 200 OK.\n" in told
    assert "what is gone the spec does not keep; --since shows it" in told


def test_a_should_clause_whose_ground_moves_is_told_and_ends_0(at: Path, capsys: Capture) -> None:
    (at / f"{NAME}.md").write_text(PAGE.replace("Thirty", "Sixty"), "utf-8")
    assert run(f"{NAME}.md") == 0
    told = capsys.readouterr().out
    assert "rests on it: PJ-10 (should)" in told
    assert told.endswith("the ground of 1 promise has moved, 0 must, in 1 copy of pages\n")


def test_json_has_all_of_it(at: Path, capsys: Capture) -> None:
    (at / f"{NAME}.md").write_text(PAGE.replace("Thirty", "Sixty"), "utf-8")
    assert run(f"{NAME}.md", "--format", "json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["moved"], told["absent"], told["untranslated"]) == (False, [], [])
    assert told["unwatched"] == {"errors": 1, "job-stop, (preview note)": 1, "RFC 9110": 1}
    (page,) = told["pages"]
    assert (page["contract"], page["page"], page["file"]) == ("print-job", NAME, f"{NAME}.md")
    (limits,) = [row for row in page["sections"] if row["change"] != "same"]
    assert limits == {
        "section": "Limits", "change": "changed", "now": "Limits", "read": "2025-06-01", "kept": 0,
        "edits": [{"gone": [None], "new": ["Sixty calls are served in a minute."], "words": []}],
        "clauses": [{"id": "PJ-10", "level": "should", "says": "It is promise 10."}],
    }  # fmt: skip


def test_markdown_is_for_an_issue_and_nothing_in_it_takes_effect(at: Path, capsys: Capture) -> None:
    hostile = "Sixty @team <b>x</b> [a](http://b.example) | *c* `d`"
    (at / "old.md").write_text(PAGE, "utf-8")
    (at / f"{NAME}.md").write_text(PAGE.replace("Thirty", hostile), "utf-8")
    assert run(f"{NAME}.md", "--since", "old.md", "--format", "markdown") == 0
    told = capsys.readouterr().out
    assert told.startswith("## print-job: job-stop (job-stop.md)\n\n### changed: Limits (read 2025")
    assert "- rests on it: PJ-10 (should)" in told
    assert "<del>Thirty</del>" in told
    assert "@" not in told
    assert not re.search(r"<(?!/?(del|ins)>)", told)


def test_standard_input_is_known_by_its_title(
    at: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def given(text: str) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))

    given(PAGE)
    assert run("-") == 0
    assert "job-stop (-)" in capsys.readouterr().out
    given(PAGE.replace("# job: stop", "# Stop"))
    assert "-: is none of the pages that the contracts name" in usage(capsys, "-")
    given(PAGE.replace("# job: stop", "# Stop"))
    assert run("-", "--page", NAME) == 1
    assert "rests on it: PJ-1 (must)" in capsys.readouterr().out


def test_a_page_is_found_in_a_checkout_by_name_and_by_folder(at: Path, capsys: Capture) -> None:
    """Another version of the API has a page of the same name; what is hidden is none."""
    text = (at / "print-job.yaml").read_text("utf-8")
    text = re.sub(r"(    url: .*job-stop.*\n)", r"\1    file: docs/beta/api/job-stop.md\n", text)
    (at / "print-job.yaml").write_text(text, "utf-8")
    checkout = at / "checkout"
    for folder, page in (("beta/api", PAGE), ("v1.0/api", "# Other\n"), (".git/beta/api", "#")):
        (checkout / folder).mkdir(parents=True)
        (checkout / folder / "Job-Stop.md").write_text(page, "utf-8")
    (checkout / "README.md").write_text("# Docs\n", "utf-8")
    assert run("checkout") == 0
    told = capsys.readouterr().out
    assert "(checkout/beta/api/Job-Stop.md)" in told
    assert "v1.0" not in told


def test_in_a_folder_a_page_of_another_name_is_known_by_its_title(
    at: Path, capsys: Capture
) -> None:
    (at / f"{NAME}.md").unlink()
    (at / "docs").mkdir()
    (at / "docs" / "004.txt").write_text(localised(PAGE), "utf-8")
    (at / "docs" / "binary.md").write_bytes(b"\xff\0")
    assert run("docs") == 0
    assert "job-stop (docs/004.txt)" in capsys.readouterr().out


def test_a_page_that_no_folder_has_any_more_ends_4(at: Path, capsys: Capture) -> None:
    (at / f"{NAME}.md").rename(at / "job-hold.md")
    (at / "job-hold.md").write_text("# job: hold\n\nWords.\n", "utf-8")
    assert run(".") == 4
    told = capsys.readouterr().out
    assert "not found in the folder: job-stop; gone, or to be left out by --contract" in told
    assert told.endswith("nothing was compared\n")


def test_a_translation_without_its_english_text_is_said_and_is_no_error(
    at: Path, capsys: Capture
) -> None:
    russian = PAGE.replace("title:", "ms.contentlocale: ru-RU\ntitle:", 1)
    (at / "003.txt").write_text(russian, "utf-8")
    assert run("003.txt", f"{NAME}.md") == 0
    said = "not compared, a translation without its English text: 003.txt (ru-RU)\n"
    assert said in capsys.readouterr().out
    assert run(".") == 0
    assert run("003.txt") == 4  # nothing at all was compared
    assert said in capsys.readouterr().out
    (at / "003.txt").write_bytes(russian.replace("\n", "\r\n").encode("utf-8-sig"))
    assert run("003.txt") == 4
    (at / "003.txt").write_text(russian.replace("ru-RU", "en-US"), "utf-8")
    assert run("003.txt") == 0


def test_a_part_that_a_page_includes_is_read_with_it(at: Path, capsys: Capture) -> None:
    """Learn keeps tables of permissions so. What many pages include is no part of one."""
    table = PAGE[PAGE.index("|Kind") : PAGE.index("\n## HTTP")]
    include = "[!INCLUDE [rights](../includes/rights/job-stop-rights.md)]\n"
    (at / "api").mkdir()
    (at / "includes" / "rights").mkdir(parents=True)
    page, part = at / "api" / f"{NAME}.md", at / "includes" / "rights" / "job-stop-rights.md"
    page.write_text(PAGE.replace(table, include), "utf-8")
    (at / "includes" / "preview.md").write_text("It may change.\n", "utf-8")
    part.write_text(f"---\nms.date: 1\n---\n{table}", "utf-8")
    assert run("api/job-stop.md") == 0
    part.write_text(table.replace("None.", "Jobs.Stop"), "utf-8")
    capsys.readouterr()
    assert run("api/job-stop.md") == 1
    assert "rests on it: PJ-3 (must), PJ-4 (must), PJ-7 (must)" in capsys.readouterr().out
    part.unlink()
    assert run("api/job-stop.md") == 1
    assert "  lacks job-stop-rights.md: give the whole checkout" in capsys.readouterr().out
    said = usage(capsys, "api/job-stop.md", "--accept")
    assert "includes job-stop-rights.md, which is not there" in said


# --- accepting ----------------------------------------------------------------------------------


def test_accepting_writes_the_sections_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                        capsys: Capture) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    file = spec(tmp_path)
    (tmp_path / f"{NAME}.md").write_text(PAGE, "utf-8")
    assert "is a page that no contract watches (job-stop)" in usage(capsys, f"{NAME}.md")
    assert run(f"{NAME}.md", "--accept", "--read", "2025-06-01") == 0
    before, after = TEXT.splitlines(), file.read_text("utf-8").splitlines()
    at = next(i for i, row in enumerate(after) if row.startswith("  job-stop:"))
    assert after[at : at + 4] == [
        "  job-stop:",
        '    url: "https://print.example/docs/job-stop?view=2"',
        "    sections:",
        '      (title): {read: "2025-06-01", hash: "9be3838e", sentences: "9be3838e"}',
    ]
    added = len(after) - len(before) + 1
    assert after[:at] == before[:at]
    assert after[at + added :] == before[at + 1 :]
    assert run(f"{NAME}.md") == 0


def test_accepting_anew_keeps_comments_and_the_days_of_what_stayed(
    at: Path, capsys: Capture
) -> None:
    file = at / "print-job.yaml"
    text = file.read_text("utf-8")
    text = re.sub(r"(      Limits: .*)", r"      # Of calls.\n\1  # per caller", text)
    text = re.sub(r"(      See also: .*\n)", r"      # No clause.\n\1", text)
    file.write_text(text, "utf-8")
    page = PAGE.replace("Thirty", "Sixty").replace("## See also", '## More: "all" # of it')
    (at / f"{NAME}.md").write_text(page, "utf-8")
    assert run(f"{NAME}.md") == 0  # a should-clause alone has moved
    assert run(f"{NAME}.md", "--accept", "--read", "2026-01-02") == 0
    rows = file.read_text("utf-8").splitlines()
    old = text.splitlines()
    assert [row for row in old if row not in rows] == [
        next(row for row in old if row.startswith("      Limits:")),
        next(row for row in old if row.startswith("      See also:")),
    ]
    fresh = [row for row in rows if row not in old]
    assert fresh[0].startswith('      Limits: {read: "2026-01-02", hash: "')
    assert fresh[0].endswith('"}  # per caller')
    assert rows[rows.index(fresh[0]) - 1] == "      # Of calls."
    assert fresh[1].startswith('      "More: \\"all\\" # of it": {read: "2026-01-02"')
    assert len(fresh) == 2
    capsys.readouterr()
    assert run(f"{NAME}.md") == 0
    assert "nothing has moved" in capsys.readouterr().out


@pytest.mark.parametrize(
    "row",
    [
        '  job-stop: {url: "https://print.example/docs/job-stop", sections: {}}',
        '  job-stop:\n    url: https://print.example/docs/job-stop  # the page\n',
        '  "job-stop":\n      sections: {Gone: {read: "2020-01-01", hash: "00000000", sentences: ""}}\n      url: "https://a.example/job-stop"',
        "  job-stop:\n    url: https://print.example/job-stop\n    sections:\n      Gone:\n        read: \"2020-01-01\"\n        hash: \"12345678\"\n        sentences: >-\n          aaaaaaaa\n          bbbbbbbb\n      # the last\n\n    file: docs/job-stop.md",
    ],
)  # fmt: skip
def test_accepting_fits_the_layouts_of_people(
    row: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / f"{NAME}.md").write_text(PAGE, "utf-8")
    text = re.sub(r"^  job-stop: .*$", lambda _: row, TEXT, flags=re.MULTILINE)
    file = spec(tmp_path, text.replace(", sections: {}", ""))
    assert run(f"{NAME}.md", "--accept", "--read", "2025-06-01") == 0
    before, after = yaml.safe_load(text), yaml.safe_load(file.read_text("utf-8"))
    assert len(after["x-pages"][NAME].pop("sections")) == 9
    before["x-pages"][NAME].pop("sections", None)
    assert after == before
    for comment in re.findall("#.*", text):
        assert comment in file.read_text("utf-8")
    assert run(f"{NAME}.md") == 0


def test_a_long_section_takes_several_lines(at: Path) -> None:
    words = " ".join(f"Sentence {i} stands here." for i in range(60))
    page = PAGE.replace("Thirty calls", f"{words} Thirty calls")
    (at / f"{NAME}.md").write_text(page, "utf-8")
    assert run(f"{NAME}.md", "--accept") == 0
    text = (at / "print-job.yaml").read_text("utf-8")
    assert max(len(row) for row in text.splitlines() if "sentences" in row) <= 120
    (read,) = [
        r
        for name, r in load(at / "print-job.yaml").pages[NAME].sections.items()
        if name == "Limits"
    ]
    assert len(read.sentences) == 61
    assert run(f"{NAME}.md") == 0


def test_one_page_is_accepted_at_a_time_and_only_with_its_sources(
    at: Path, capsys: Capture
) -> None:
    before = (at / "print-job.yaml").read_bytes()
    (at / "job-stop.txt").write_text(PAGE, "utf-8")
    said = usage(capsys, "job-stop.md", "job-stop.txt", "--accept")
    assert "takes one page, and found job-stop.md, job-stop.txt" in said
    (at / "job-stop.md").write_text(PAGE.replace("## Limits", "## Quota"), "utf-8")
    said = usage(capsys, "job-stop.md", "--accept")
    assert (
        "print-job.yaml: x-clauses: PJ-10 rests on a section 'Limits' that job-stop.md has not"
        in said
    )
    assert (at / "print-job.yaml").read_bytes() == before


def test_a_page_of_two_contracts_is_accepted_in_both(at: Path) -> None:
    text = (at / "print-job.yaml").read_text("utf-8")
    (at / "other-job.yaml").write_text(text, "utf-8")
    (at / f"{NAME}.md").write_text(PAGE.replace("Thirty", "Sixty"), "utf-8")
    assert run("--spec", "other-job.yaml", f"{NAME}.md", "--accept") == 0
    assert (at / "print-job.yaml").read_text("utf-8") == (at / "other-job.yaml").read_text("utf-8")
    assert (at / "print-job.yaml").read_text("utf-8") != text


def test_another_page_is_watched_once_it_was_accepted(at: Path, capsys: Capture) -> None:
    """Beside the first, and with a comment at its row."""
    page = at / "errors.md"
    page.write_text("# Errors\n\n## Status Codes\n\nAn unknown id is `404`.\n", "utf-8")
    assert run(".") == 0  # nobody watches it yet
    assert "errors.md" not in capsys.readouterr().out
    assert run(".", "--page", "errors", "--accept", "--read", "2025-07-01") == 0
    assert "  errors:  # shared by many\n" in (at / "print-job.yaml").read_text("utf-8")
    assert load(at / "print-job.yaml").pages["errors"].sections["Status Codes"].day == "2025-07-01"
    page.write_text(page.read_text("utf-8").replace("404", "410"), "utf-8")
    capsys.readouterr()
    assert run(".") == 1
    told = capsys.readouterr().out
    assert "errors (errors.md)\n  changed: Status Codes (read 2025-07-01)\n" in told
    assert "rests on it: PJ-11 (must)" in told
    assert run(".", "--page", NAME) == 0
    assert run("errors.md", "job-stop.md", "--page", NAME) == 0


# --- coverage -----------------------------------------------------------------------------------


def test_coverage_prints_the_page_and_what_rests_on_each_sentence(
    at: Path, capsys: Capture
) -> None:
    assert run(f"{NAME}.md", "--coverage") == 0
    told = capsys.readouterr().out
    assert "  Limits: PJ-10 (should)\n    + Thirty calls are served in a minute.\n" in told
    assert "  See also: no clause\n    - Read a job\n    - Jobs\n" in told
    # A nested heading carries what rests on the one above it, and not what rests on its namesake.
    assert (
        "  Response: PJ-8 (must), PJ-15 (not testable), x-provision/queued (provision)\n"
        "    + Here is what it is answered.\n    + HTTP/1.1 202 Accepted\n"
    ) in told
    assert told.endswith("  19 of 21 sentences carry clauses\n")


def test_coverage_of_a_translation_alone_says_why_there_is_nothing(
    at: Path, capsys: Capture
) -> None:
    (at / "003.txt").write_text(
        PAGE.replace("title:", "ms.contentlocale: ru-RU\ntitle:", 1), "utf-8"
    )
    said = usage(capsys, "003.txt", "--coverage")
    assert "--coverage: found no page to show: 003.txt in ru-RU alone" in said
    (at / "docs").mkdir()
    assert "--coverage: found no page to show; name" in usage(capsys, "docs", "--coverage")


def test_coverage_knows_the_verdicts_of_a_report(at: Path, capsys: Capture) -> None:
    argv = ["verify", "--spec", "print-job.yaml", "--only", "PJ-5,PJ-10", "--report-json", "r.json"]
    main(argv)
    verdicts = {
        row["id"]: row["verdict"]
        for row in json.loads((at / "r.json").read_text("utf-8"))["contracts"][0]["clauses"]
    }
    capsys.readouterr()
    assert run(f"{NAME}.md", "--coverage", "--report", "r.json") == 0
    assert f"  Limits: PJ-10 {verdicts['PJ-10']}\n" in capsys.readouterr().out
    assert run(f"{NAME}.md", "--coverage", "--report", "r.json", "--format", "json") == 0
    (page,) = json.loads(capsys.readouterr().out)
    (route,) = [row for row in page["sections"] if row["section"] == "HTTP request"]
    assert [(c["id"], c["verdict"]) for c in route["clauses"]] == [("PJ-5", verdicts["PJ-5"])]
    assert (page["carried"], page["sentences"]) == (19, 21)
    assert run(f"{NAME}.md", "--coverage", "--format", "markdown") == 0
    assert "| See also | Jobs | no clause |" in capsys.readouterr().out


# --- what is no page ----------------------------------------------------------------------------

HOSTILE: dict[str, tuple[bytes, str]] = {
    "huge": (b"# job: stop\n\n" + b"word " * 60_000, "is larger than 256 KiB"),
    "binary": (b"\x89PNG\r\n\x1a\n\0\xff\xfe", "is no UTF-8 text"),
    "a NUL": (b"# job: stop\0", "is no text: it holds a NUL"),
    "empty": (b"", "has no headings"),
    "no headings": (b"Just words.\n\nAnd more.\n", "has no headings"),
    "tabs alone": (b"# [A](#tab/a)\n\nWords.\n", "has no headings"),
    "front matter alone": (b"---\ntitle: x\n---\n", "has no headings"),
    "HTML": (b"<html><body><h1>job: stop</h1></body></html>", "has no headings"),
    "quotes in quotes": (b"# job: stop\n\n" + b">" * 5000 + b" a\n", "is nested deeper than 20"),
    "lists in lists": (
        b"# a\n\n" + b"".join(b"  " * i + b"- a\n" for i in range(300)),
        "is nested deeper than 20",
    ),
    "many headings": (b"# a\n" * 600, "has more than 500 sections"),
    "many sentences": (b"# a\n\n" + b"A. " * 20_000, "has more than 5000 sentences"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_page_is_one_line_and_exit_2(name: str, at: Path, capsys: Capture) -> None:
    data, problem = HOSTILE[name]
    (at / f"{NAME}.md").write_bytes(data)
    assert f"{NAME}.md: {problem}" in usage(capsys, f"{NAME}.md")
    if name not in ("quotes in quotes", "lists in lists"):  # which a second reading only repeats
        assert problem in usage(capsys, ".")


# Markup that could take time without end, and whether it shows as text before what follows it.
@pytest.mark.parametrize(
    ("text", "shows"),
    [
        ("[" * 4_000, True), ("![" * 4_000, True), ("<" * 20_000, True), ("<a " * 20_000, True),
        ("*a " * 10_000, True), ("\\" * 20_000, True), ("[!INCLUDE [" * 2_000, True),
        ("|a" * 9_000 + "\n" + "|-" * 9_000, True), ('<span data-ttu-id="a">' * 5_000, False),
        ('<span class="sxs-lookup">' * 5_000, False), ("---\n" * 20_000, False),
    ],
    ids=lambda value: str(value)[:8],
)  # fmt: skip
def test_hostile_markup_is_read_in_time(text: str, shows: bool, contract: Contract) -> None:
    found = compared(contract, PAGE.replace("Thirty", f"\n\n{text}\n\nThirty"))
    assert moved(found) == (LIMITS if shows else set())


@pytest.mark.parametrize("text", ["<!--" * 20_000, "`" * 20_000])
def test_what_is_never_closed_hides_what_follows(text: str, contract: Contract) -> None:
    found = compared(contract, PAGE.replace("Thirty", f"\n\n{text}\n\nThirty"))
    assert moved(found) == LIMITS | EXAMPLES
    assert [c.name for c in found.changes if c.kind == "gone"] == ["Examples", "See also"]


def test_flags_that_do_not_go_together_are_refused(at: Path, capsys: Capture) -> None:
    page = f"{NAME}.md"
    for argv, said in (
        (["--accept", "--coverage"], "--accept: goes without --coverage"),
        (["--since", page, "--coverage"], "--since: shows what has changed"),
        (["--since", page, "--accept"], "--since: shows what has changed"),
        (["--read", "2025-01-01"], "--read: says something of --accept"),
        (["--report", "r.json"], "--report: says something of --coverage"),
        (["--page", "job-stopp"], "--page: no page is named 'job-stopp'"),
        (["--accept", "--read", "yesterday"], "does not match the format"),
        (["no-such.md"], "no-such.md: No such file"),
    ):
        assert said in usage(capsys, page, *argv)
    assert "Missing argument" in usage(capsys)


# --- the shipped contracts ----------------------------------------------------------------------


@pytest.mark.parametrize("path", shipped(), ids=lambda path: path.stem)
def test_the_page_of_each_shipped_contract_is_watched_in_every_section_that_is_named(
    path: Path,
) -> None:
    contract = load(path)
    (page,) = [name for name, row in contract.pages.items() if row.sections]
    watched = contract.pages[page]
    assert watched.file is not None
    assert watched.file.endswith(f"/{page}.md")
    known = {folded(heading) for heading in watched.sections}
    named = {folded(h) for s in contract.sources if s.page == page for h in headings(s.section)}
    assert named <= known
    assert {"(title)", "(introduction)"} <= known
    assert len(named) >= 7
    assert {read.day for read in watched.sections.values()} == {
        contract.document["info"]["version"]
    }
