"""What is in a body: how its words go out, what is written of it, and who reads it otherwise and is right."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cancel_contracts.assignment import Options
from cancel_contracts.builtin import mock_target
from cancel_contracts.contract.given import body_form
from cancel_contracts.contract.load import load, shipped
from cancel_contracts.exchange import Form, Situation
from cancel_contracts.mock.catalogue import find
from cancel_contracts.run.content import Names, body_bytes
from cancel_contracts.sight.digest import digest, stands_for
from cancel_contracts.verify import verify
from servers.entities import Resource
from servers.front import Request, Response
from servers.service import Call, Service
from servers.trial import conforming, judge

CONTRACTS = {c.name.split("-")[0]: c for c in map(load, shipped())}
MACHINE = CONTRACTS["machine"]
DEEP = {"profile": "deep", "max_requests": 20, "effect_seconds": 0.3}
SAID = "Machine action was canceled by automation"


def sent(body: Any, **names: Any) -> bytes:
    form = body if isinstance(body, Form) else body_form(MACHINE, body)
    return body_bytes(MACHINE, Situation(state="Pending", body=form), Names("0" * 36, **names))


@pytest.mark.parametrize(
    ("word", "octets"),
    [
        ("bad-octets", SAID.encode() + b'\xff\xfe"}'),
        ("nul", SAID.encode() + rb'\u0000 and on"}'),
        ("surrogate", SAID.encode() + rb'\ud83d and on"}'),
        ("marked", b'\xef\xbb\xbf{"Comment": "%b"}' % SAID.encode()),
        ("doubled", b'{"Comment": "%b", "Comment": "%b"}' % (SAID.encode(), SAID.encode())),
    ],
)
def test_a_word_becomes_of_the_documented_body_what_it_says(word: str, octets: bytes) -> None:
    assert sent(word).endswith(octets)


@pytest.mark.parametrize(("name", "chars"), [("{long}", 70_000), ("{million}", 1_000_000)])
def test_long_texts_have_their_length_and_begin_with_what_is_theirs(name: str, chars: int) -> None:
    text = json.loads(sent({"json": {"Comment": name}}, unique="1-2-3"))["Comment"]
    assert (len(text), text[:12]) == (chars, "1-2-3 1-2-3 ")


def test_an_id_is_cut_at_its_end() -> None:
    (cut,) = json.loads(sent({"json": {"id": "{cut}"}})).values()
    assert cut == "0" * 32


@pytest.mark.parametrize("value", ["a" * 70_000, ["b" * 2000], {"c": "d" * 2000}])
def test_a_digest_stands_for_its_own_value_alone(value: Any) -> None:
    assert stands_for(value, value)
    assert stands_for(digest(value), value)
    assert not stands_for(digest(value), "a" * 65_535)
    assert not stands_for({"@sha256": "0", "lasting": "0"}, "short")


# --- Odd servers that are right ------------------------------------------------------------------


class ReplacesHalfPairs(Service):
    """Texts are UTF-8 inside: half a surrogate pair becomes U+FFFD."""

    def cancel(self, resource: Resource, call: Call) -> None:
        super().cancel(resource, call)
        if resource.comment:
            octets = resource.comment.encode("utf-16", "surrogatepass")
            resource.comment = octets.decode("utf-16", "replace")


class KeepsWhatWasAsked(Service):
    """The status that a cancel leads to is kept as the body spells it, and the Comment beside."""

    def cancel(self, resource: Resource, call: Call) -> None:
        super().cancel(resource, call)
        said = call.document if isinstance(call.document, dict) else {}
        names = {
            "Comment",
            *({"requestStatus"} if said.get("requestStatus") == "cancelled" else ()),
        }
        resource.shown |= {k: v for k, v in said.items() if k in names}


class SmallBodiesAlone(Service):
    """A front refuses what is large before it looks at who calls."""

    def post(self, request: Request, id_: str) -> Response:
        if len(request.body) > 65_536:
            return self.refuse(413, "RequestEntityTooLarge", "Too large.")
        return super().post(request, id_)


class ReadsAMark(Service):
    def json(self, call: Call) -> bool:
        try:
            call.document = json.loads(call.request.body.decode("utf-8-sig"))
        except (ValueError, RecursionError):
            return False
        return isinstance(call.document, dict)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("short", "kind", "clauses"),
    [
        ("MA", ReplacesHalfPairs, "MA-133"),
        ("MA", KeepsWhatWasAsked, "MA-130"),
        ("AP", KeepsWhatWasAsked, "AP-130"),
        ("MA", SmallBodiesAlone, "MA-57 MA-132"),
        ("AP", ReadsAMark, "AP-133"),
    ],
)
def test_a_server_that_reads_bodies_otherwise_conforms(
    short: str, kind: type[Service], clauses: str
) -> None:
    outcome = judge(conforming(short, kind), only=clauses.split(), options=DEEP)
    assert (outcome.exit_code, outcome.violated) == (0, {}), str(outcome)
    assert outcome.upheld == set(clauses.split())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "variants"),
    [
        ("machine", "control-characters-refused+byte-order-mark-taken"),
        ("access", "names-twice-refused+untouched-move-on"),
    ],
)
def test_a_variant_conforms_to_what_deep_asks_of_bodies(name: str, variants: str) -> None:
    contract = CONTRACTS[name]
    only = tuple(c.id for c in contract.clauses if c.id[3:].startswith("13") and len(c.id) == 6)
    excused = getattr(find(variants), "excused", {})
    with mock_target([contract], variants=[variants], not_testable=excused) as target:
        result = verify([contract], target, Options(only=only, profile="deep", max_requests=60))
    words = {v.clause.id: v.word for j in result.judgements() for v in j.verdicts}
    assert words == dict.fromkeys(only, "upheld")
