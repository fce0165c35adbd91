"""Derive the verdicts and the findings back from each report, as a reader would: from what it shows.

`from_` functions return ({(contract, clause): verdict}, exit code), `findings_` functions the
findings in order, each its sentence and the ids of its clauses. Nothing here imports the reports.
"""

from __future__ import annotations

import html
import json
import re
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

from markdown_it import MarkdownIt

COLUMNS = ["clause", "level", "verdict", "exercised", "says"]
Found = list[tuple[str, list[str]]]
Derived = tuple[dict[tuple[str, str], str], int]
WORD = r"(upheld|violated|not-exercised|inconclusive|accepted)"


def from_json(text: str) -> Derived:
    data = json.loads(text)
    rows = [(c["name"], r) for c in data["contracts"] for r in c["clauses"]]
    return {(name, r["id"]): r["verdict"] for name, r in rows}, data["exit_code"]


def from_junit(text: str) -> Derived:
    """A case without a child is upheld; else its child's text begins with the verdict."""
    root = ET.fromstring(text)
    verdicts: dict[tuple[str, str], str] = {}
    children = []
    for case in root.iter("testcase"):
        endings = [child for child in case if child.tag in ("failure", "error", "skipped")]
        assert len(endings) <= 1, "readers keep one child of a case"
        children += [ending.tag for ending in endings]
        word = "upheld"
        if endings:
            assert endings[0].text
            assert endings[0].get("message")
            if case.get("name") == "outcome":
                codes = {"violated": 1, "inconclusive": 4, "nothing-selected": 5}
                return verdicts, codes[endings[0].get("type", "")]
            found = re.match(rf"\S+ {WORD} \(", endings[0].text)
            assert found, endings[0].text
            word = found.group(1)
        verdicts[case.get("classname", ""), case.get("name", "")] = word
    for tag, name in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        assert children.count(tag) == int(root.get(name, "-1")), name
    code = 1 if "failure" in children else 4 if "error" in children else 0
    return verdicts, code


def from_markdown(text: str) -> Derived:
    """Read the tables that GFM sees, under the summaries that name their contracts."""
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(text)
    verdicts: dict[tuple[str, str], str] = {}
    contract = ""
    cells: list[str] = []
    headers: list[str] = []
    for index, token in enumerate(tokens):
        if token.type == "html_block":
            found = re.search(r"<summary>([^:<]+): ", token.content)
            contract = found.group(1) if found else contract
        if token.type in ("table_open", "tr_open"):
            cells = []
        if token.type == "inline" and tokens[index - 1].type in ("th_open", "td_open"):
            shown = "".join(c.content for c in token.children or [] if c.type != "html_inline")
            cells.append(shown)
        if token.type == "thead_close":
            headers = cells
        if token.type == "tr_close" and headers == COLUMNS:
            assert len(cells) == len(headers), cells
            if cells != headers:
                verdicts[contract, cells[0]] = cells[2]
    title = tokens[1].content
    return verdicts, _code(title)


def from_terminal(text: str) -> Derived:
    verdicts = {}
    contract = ""
    rows = text.splitlines()
    for index, row in enumerate(rows):
        if index + 1 < len(rows) and rows[index + 1].startswith("  POST"):
            contract = row
        if found := re.match(rf"  (\S+) +(?:must|should|info) +{WORD} +\d+  \S", row):
            verdicts[contract, found.group(1)] = found.group(2)
    return verdicts, _code(" ".join(rows[-4:]))


class _Page(HTMLParser):
    """Text by element, as far as the verdicts need it."""

    def __init__(self) -> None:
        super().__init__()
        self.clauses: dict[tuple[str, str], str] = {}
        self.cells: dict[tuple[str, str], str] = {}
        self.code = ""
        self._contract = self._id = self._at = self._cell = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        a = {name: value or "" for name, value in attrs}
        classes = a.get("class", "").split()
        self._contract = a.get("data-contract", self._contract)
        if tag == "li" and "data-for" in a:
            self._cell = a["data-for"]
        if "id" in classes:
            self._at = "id"
        elif "word" in classes and tag == "span" and self._id:
            self._at = "word"
        elif a.get("id") == "exit-code":
            self._at = "code"
        elif tag == "span" and self._cell:
            self._at = "cell"

    def handle_data(self, data: str) -> None:
        if self._at == "id":
            self._id = data
        elif self._at == "word":
            self.clauses[self._contract, self._id] = data
            self._id = ""
        elif self._at == "code":
            self.code = data
        elif self._at == "cell":
            self.cells[self._contract, self._cell.rpartition("/")[2]] = data
            self._cell = ""
        self._at = ""


def from_html(text: str) -> Derived:
    """Read each clause's own word; the matrix must say the same."""
    page = _Page()
    page.feed(text)
    assert page.cells == page.clauses
    return page.clauses, int(page.code)


def _code(text: str) -> int:
    found = re.search(r"\(exit code (\d)\)", text)
    assert found, text
    return int(found.group(1))


# --- findings -----------------------------------------------------------------------------------


def _ids(breaks: str) -> list[str]:
    return re.findall(r"[A-Z][A-Z0-9]*-\d+", breaks)


def findings_json(text: str) -> Found:
    return [(d["sentence"], [c["id"] for c in d["clauses"]]) for d in json.loads(text)["defects"]]


def findings_markdown(text: str) -> Found:
    row = r"^\d+\. \w+: <code>(.*)</code>\n(?:   - .*\n)*?   - breaks (.*)$"
    found = re.findall(row, text, re.MULTILINE)
    return [(html.unescape(told), _ids(html.unescape(breaks))) for told, breaks in found]


def findings_html(text: str) -> Found:
    items = re.findall(r'<li class="finding.*?</dl>', text, re.DOTALL)
    found = []
    for item in items:
        lead = re.search(r'<p class="lead"><span[^>]*>\w+</span> (.*?)</p>', item, re.DOTALL)
        assert lead
        found.append(
            (html.unescape(lead[1]), _ids(re.sub("<[^>]*>", " ", item.split("Breaks")[1])))
        )
    return found


def findings_terminal(text: str) -> Found:
    """Read a screen that is wide enough. The worst stands last there."""
    row = r"^(\d+)\. \w+: (.*)\n(?:  .*\n)*?  breaks +(.*)$"
    found = [
        (int(n), told, _ids(breaks)) for n, told, breaks in re.findall(row, text, re.MULTILINE)
    ]
    assert [n for n, _, _ in found] == list(range(len(found), 0, -1))
    return [(told, ids) for _, told, ids in reversed(found)]


def findings_annotations(rows: list[str]) -> Found:
    found = []
    for row in rows:
        if match := re.match(
            r"::\w+ title=\S+ violated [^:]*::(.*?)%0A.*%0ABreaks (.*?)(%0A|$)", row
        ):
            found.append((match[1].replace("%25", "%"), _ids(match[2])))
    return found


def findings_junit(text: str) -> Found:
    """Join the cases that name one finding: each names its own, by number and sentence."""
    named: dict[int, tuple[str, list[str]]] = {}
    for case in ET.fromstring(text).iter("testcase"):
        for row in case.iterfind("properties/property[@name='defect']"):
            number, _, told = row.get("value", "").partition(". ")
            named.setdefault(int(number), (told, []))[1].append(case.get("name", ""))
            assert named[int(number)][0] == told
    return [named[number] for number in sorted(named)]


def findings_pytest(texts: list[str]) -> Found:
    """Join the items that begin with one sentence, in the order of the items."""
    found: dict[str, list[str]] = {}
    for text in texts:
        told, breaks = text.split("\n")[:2]
        assert breaks.startswith("  breaks "), text
        assert found.setdefault(told, _ids(breaks)) == _ids(breaks)
    return list(found.items())
