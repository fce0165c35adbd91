"""Ids that name nothing are nearly that of a resource that stands, where one does."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from cancel_contracts.assignment import Options
from cancel_contracts.builtin import mock_target
from cancel_contracts.contract.ids import Id, near
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.contract.words import IDS
from cancel_contracts.exchange import Exchange, Form, Received, Sent, Situation
from cancel_contracts.gate import decide
from cancel_contracts.identity.identities import Identities
from cancel_contracts.journal import Journal
from cancel_contracts.judge.judge import judge
from cancel_contracts.plan.near import near_ids, with_resource
from cancel_contracts.plan.steps import Acquire, Name, Scenario, in_a_row
from cancel_contracts.redact.secrets import Redactor
from cancel_contracts.report.recipe import recipe
from cancel_contracts.report.record import record
from cancel_contracts.report.script import write
from cancel_contracts.reproduce.again import again
from cancel_contracts.reproduce.cases import Case, cases
from cancel_contracts.run.attempt import Attempt
from cancel_contracts.run.naming import named
from cancel_contracts.targets.file import Target
from cancel_contracts.verify import Result, verify
from hypothesis import given, settings
from hypothesis import strategies as st
from report_sample import outcome_of

SECURITY, MACHINE = (
    next(c for c in map(load, shipped()) if c.name == name)
    for name in ("security-action", "machine-action")
)
KNOWN = "9a3f3c5e-1f0a-4a37-8f0c-4d0b6f6a2f10"
COUNTED = ["17", "1234567890", "00000000-0000-4000-8000-000000000012", "request-000000000000017"]
ANY, UUIDS = Id(), Id(row={"schema": {"type": "string", "format": "uuid"}})
NUMBERS = Id(row={"schema": {"type": "integer"}})


# --- What an id is, nearly ------------------------------------------------------------------------


@settings(max_examples=50)
@given(st.uuids(version=4) | st.integers(16**23, 16**24 - 1).map("{:x}".format), st.uuids())
def test_an_id_that_begins_alike_is_another_of_the_same_form(known: Any, by: UUID) -> None:
    text = str(known)
    if not ANY.can_be_near("{like}", text):
        assert not re.search("[a-f]", text)
        return
    made = near("{like}", text, by)
    assert len(made) == len(text)
    assert made[:-6] == text[:-6]
    assert made[-6] in "abcdef"
    assert made[-6] != text[-6]
    assert UUIDS.fits(made) == UUIDS.fits(text)


def test_it_is_written_in_the_case_of_the_known_one() -> None:
    by = uuid4()
    assert near("{like}", KNOWN.upper(), by) == near("{like}", KNOWN, by).upper()


@pytest.mark.parametrize("known", COUNTED)
def test_of_an_id_that_is_counted_up_no_part_and_no_like_is_asked_for(known: str) -> None:
    assert not ANY.can_be_near("{cut}", known)
    assert not ANY.can_be_near("{cut}*", known)
    assert not ANY.can_be_near("{like}", known)
    assert ANY.can_be_near("{id}%00def", known)
    assert ANY.can_be_near("{twice}", known)


def test_no_like_is_made_of_what_ids_may_not_be() -> None:
    short = Id(row={"schema": {"type": "string", "pattern": "^[0-9a-f-]{35}0$"}})
    assert not short.can_be_near("{like}", KNOWN)
    assert short.can_be_near("{cut}", KNOWN)
    assert not NUMBERS.can_be_near("{like}", "17")
    assert NUMBERS.can_be_near("{id}%27", "17")


@pytest.mark.parametrize(
    ("segment", "known", "made"),
    [
        ("{id}%00def", "a/b c", "a%2Fb%20c%00def"),
        ("{cut}*", KNOWN, KNOWN[:-4] + "*"),
        ("{twice}", KNOWN, "%2539" + KNOWN[1:]),
        ("{twice}", "é/1", "%25C3%25A9%2F1"),
        ("%zz%", KNOWN, "%zz%"),
    ],
)
def test_what_a_segment_is_filled_with(segment: str, known: str, made: str) -> None:
    assert near(segment, known, UUID(int=0)) == made


@pytest.mark.parametrize("word", [w for w, row in IDS.items() if row.near and w != "unknown"])
def test_no_near_id_is_the_known_one_and_each_has_a_stand_in(word: str) -> None:
    made = near(IDS[word].near, KNOWN, uuid4())
    assert made != KNOWN
    assert "{" not in made
    assert IDS[word].wire


# --- In scenarios ---------------------------------------------------------------------------------

NUL = Situation(resource="odd", id=Form("nul"))
UNKNOWN = Situation(resource="unknown", id=Form("unknown"))


def name(scenario: Scenario) -> Name:
    return next(step for step in scenario.steps if isinstance(step, Name))


def test_a_scenario_says_so_only_where_a_resource_stands() -> None:
    odd = in_a_row(NUL)
    assert near_ids(odd, ANY, None) is odd
    assert name(near_ids(odd, ANY, KNOWN)).id == Form("nul", "{id}%00def")
    assert near_ids(odd, ANY, KNOWN).calls == odd.calls, "clauses speak of it as before"


@pytest.mark.parametrize(
    "id_", [Form("raw", "%FF"), Form("number"), Form("dots"), Form("unknown", "an-id")]
)
def test_what_is_drawn_given_or_plain_stays(id_: Form) -> None:
    scenario = Scenario((Name(0, id_), *in_a_row(NUL).steps[1:]))
    assert near_ids(scenario, ANY, KNOWN) == scenario


def test_made_alone_it_takes_a_resource_of_its_own() -> None:
    scenario = with_resource(near_ids(in_a_row(NUL), ANY, KNOWN), "Pending")
    assert scenario.steps[0] == Acquire(1, "Pending")
    assert scenario.numbers == 2
    plain = in_a_row(NUL)
    assert with_resource(plain, "Pending") is plain


def test_the_target_files_own_id_of_nothing_goes_before() -> None:
    step = name(near_ids(in_a_row(UNKNOWN), ANY, KNOWN))
    attempt = Attempt(1, "seed", lambda _: None)
    assert named(MACHINE, step, attempt, KNOWN, "theirs").id == "theirs"
    made = named(MACHINE, step, attempt, KNOWN, None)
    assert made.id[:30] == KNOWN[:30]
    assert made.near == KNOWN
    assert not named(MACHINE, Name(0, Form("unknown")), attempt, None, None).near


# --- In a run -------------------------------------------------------------------------------------


def run(*faults: str, **options: Any) -> Result:
    with mock_target([SECURITY], faults) as target:
        return verify([SECURITY], target, Options(effect_seconds=0.3, **options))


def segments(result: Result) -> dict[str, str]:
    calls = [x for x in result.results[0].journal.exchanges if x.kind == "cancel"]
    odd = [x for x in calls if x.situation.resource in ("odd", "unknown")]
    return {x.situation.id.word: x.sent.url.split("/")[-2] for x in odd}


ABOUT_IDS = ("SA-05", "SA-20", "SA-21", "SA-191")


def test_a_run_asks_for_ids_that_are_nearly_its_sentinels() -> None:
    result = run(only=ABOUT_IDS)
    looks = [x for x in result.results[0].journal.exchanges if x.role == "neighbour"]
    (sentinel,) = {x.resource for x in looks}
    sent = segments(result)
    assert sent["word"] == sentinel[:-4]
    assert sent["pattern"] == sentinel[:-4] + "*"
    assert sent["unknown"][:30] == sentinel[:30]
    begins = ("long", "unicode", "nul", "quotes", "encoded-slash", "broken-percent")
    assert all(sent[word].startswith(sentinel) for word in begins)
    assert decide(result.judgements()).exit_code == 0


@pytest.mark.parametrize("options", [{"profile": "smoke"}, {"only": ("SA-20", "SA-21")}])
def test_where_nothing_stands_they_are_what_they_were(options: dict[str, Any]) -> None:
    sent = segments(run(**options))
    assert {sent[word] for word in ("word", "nul", "quotes")} == {
        "no-such-id", "abc%00def", "%27%22%3B--",
    }  # fmt: skip
    assert UUID(sent["unknown"])


def test_the_ledger_has_the_resource_that_an_id_is_nearly_that_of(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    result = run(only=ABOUT_IDS, ledger=path)
    calls = [x for x in result.results[0].journal.exchanges if x.kind == "cancel"]
    sentinel = segments(result)["nul"].removesuffix("%00def")
    plain = [x for x in calls if x.situation.id.word in ("number", "raw", "space", "dots")]
    lines = map(json.loads, path.read_text("utf-8").splitlines())
    announced = [line["resources"] for line in lines if "resources" in line]
    assert len(announced) == len(calls) - len(plain)
    assert announced.count([sentinel]) == len(calls) - len(plain) - 1, "all but the ordinary call"


def private(of: str, told: str, asked: str = "") -> str:
    """The verdict on a server that tells `told` whoever asks for `asked`: where that is left out,
    for `of`, which names a resource, encoded twice.
    """
    journal = Journal("machine-action")
    body = f'{{"error": {{"code": "X", "message": "{told}", "target": "t"}}}}'.encode()
    url = "http://127.0.0.1:1/api/machineactions/"
    for number, (segment, situation) in enumerate(
        [(of, Situation(state="Pending")), (asked or f"%25{ord(of[0]):02X}{of[1:]}", NUL)], 1
    ):
        sent = Sent("POST", f"{url}{segment}/cancel", (), b"{}")
        received = Received(404, body=body if number == 2 else b"")
        journal.exchanges.append(
            Exchange("machine-action", number, 1, "cancel", situation, "admin", segment, sent,
                     received=received)
        )  # fmt: skip
    verdicts = judge(MACHINE, journal, [c for c in MACHINE.clauses if "private" in c.expect])
    return verdicts.verdicts[0].word


@pytest.mark.parametrize("of", [KNOWN, KNOWN.upper(), "a" + KNOWN[1:]])
def test_what_was_asked_for_may_be_named_in_whatever_spelling(of: str) -> None:
    for told in (of, of.lower(), f"%{ord(of[0]):02X}{of[1:]}"):
        assert private(of, f"nothing has the id {told}") != "violated"


def test_what_was_not_asked_for_may_not() -> None:
    assert private(KNOWN, KNOWN, asked="no-such-id") == "violated"


# --- Made anew ------------------------------------------------------------------------------------


def made_anew(fault: str) -> Iterator[tuple[Case, Target]]:
    with mock_target([SECURITY], [fault]) as target:
        result = verify([SECURITY], target, Options(only=ABOUT_IDS, effect_seconds=0.3))
        for case in cases(record(result, outcome_of(result)), [SECURITY], None):
            yield case, target


@pytest.mark.slow
@pytest.mark.parametrize(
    "fault", ["id-cut-accepted", "id-encoded-twice-accepted", "id-of-a-like-beginning-accepted"]
)
def test_a_finding_is_made_anew_with_a_resource_of_its_own(fault: str) -> None:
    words = [again(case, target, Options()).word for case, target in made_anew(fault)]
    assert words
    assert set(words) == {"deviates"}


@pytest.mark.slow
@pytest.mark.parametrize("language", [pytest.param("sh", marks=pytest.mark.outside("curl")), "py"])
@pytest.mark.parametrize(
    "fault",
    [
        "id-cut-accepted",
        "id-encoded-twice-accepted",
        "id-of-a-like-beginning-accepted",
        "escaped-id-without-effect",
    ],
)
def test_a_script_writes_the_id_from_that_of_its_resource(fault: str, language: str) -> None:
    for case, target in made_anew(fault):
        site = target.endpoint(SECURITY)
        made = recipe(case, site)
        who = Identities(SECURITY, site, Redactor(), {})
        environ = dict(os.environ)
        for variable, identity in made.tokens.items():
            header = dict(who.credentials(identity).headers)["Authorization"]
            environ[variable] = header.partition(" ")[2]
        program = ["sh", "-c"] if language == "sh" else [sys.executable, "-c"]
        done = subprocess.run(
            [*program, write(made, language)], env=environ, capture_output=True, text=True,
            timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "200 OK" in done.stdout.partition("tear down")[0].partition("cancels")[2]
