"""No token stands in any report, whatever form it came back in."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from cancel_contracts.report.annotations import lines
from cancel_contracts.report.html import write_html
from cancel_contracts.report.json_report import write_json
from cancel_contracts.report.junit import write_junit
from cancel_contracts.report.markdown import append_summary, write_markdown
from report_sample import TOKEN, UNKNOWN_TOKEN, screen, secretive


def forms(token: str) -> list[str]:
    coded = {
        base64.b64encode(b"\0" * i + token.encode()).decode()[4 * (i > 0) : -4] for i in range(3)
    }
    return [
        token,
        quote(token, safe=""),
        quote_plus(token),
        token[:12],
        json.dumps(token)[1:-1],
        *coded,
    ]


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("reports")
    written = secretive()
    write_json(written, folder / "json")
    write_junit(written, folder / "junit")
    write_markdown(written, folder / "markdown")
    write_html(written, folder / "html")
    append_summary(written, {"GITHUB_STEP_SUMMARY": str(folder / "summary")})
    texts = {path.name: path.read_text("utf-8") for path in Path(folder).iterdir()}
    texts["terminal"] = screen(written)
    texts["annotations"] = "\n".join(lines(written, {"GITHUB_ACTIONS": "true"}))
    return texts


@pytest.mark.parametrize("token", [TOKEN, UNKNOWN_TOKEN], ids=["known", "never told"])
def test_no_output_holds_a_token_in_any_form(outputs: dict[str, str], token: str) -> None:
    assert len(outputs) == 7
    for name, text in outputs.items():
        for form in forms(token):
            assert form not in text, f"{name} holds {form!r}"


def test_the_bytes_under_base64_hold_none_either(outputs: dict[str, str]) -> None:
    wires = re.findall(r'"wire": "([^"]+)"', outputs["json"])

    assert len(wires) == 5, "four of clauses, one of their defect"
    for wire in map(base64.b64decode, wires):
        assert TOKEN.encode() not in wire
        assert UNKNOWN_TOKEN.encode() not in wire


def test_the_hexdump_holds_none_either(outputs: dict[str, str]) -> None:
    digits = re.sub(
        r"\s", "", "".join(re.findall(r"^[0-9a-f]{6}  ([0-9a-f ]{48})", outputs["html"], re.M))
    )

    assert digits
    assert TOKEN.encode().hex() not in digits


def test_coded_bytes_that_hide_a_secret_are_left_out() -> None:
    pieces = [row["evidence"][0] for row in secretive()["contracts"][0]["clauses"][:4]]
    cuts = [piece["response"]["cut"] for piece in pieces]

    assert [cut is not None and "secret" in cut for cut in cuts] == [False, True, True, False]
    wires = [base64.b64decode(piece["response"]["wire"]) for piece in pieces]
    assert wires[1].endswith(b"Content-Encoding: gzip\r\n\r\n")


def test_what_is_left_can_still_be_read() -> None:
    piece = secretive()["contracts"][0]["clauses"][0]["evidence"][0]

    assert piece["response"]["body"] == '{"message": "who sent [redacted]?"}'
    assert piece["actual"] == '200, 60 bytes: \'{"message": "who sent [redacted]…'
    assert piece["request"]["url"].startswith("http://[redacted]@127.0.0.1:8080/things/[redacted]/")
