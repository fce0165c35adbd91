"""One exchange as the record keeps it: request, response, every byte, and how to send it again.

Redacted here, before anything is cut, encoded or quoted: no writer after this one meets a secret.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from cancel_contracts.contract.states import Lifecycle
from cancel_contracts.exchange import Exchange, Received
from cancel_contracts.judge.accumulator import Evidence
from cancel_contracts.redact.scrub import Scrubber
from cancel_contracts.redact.secrets import Redactor
from cancel_contracts.report import curl, scenario
from cancel_contracts.report.text import count
from cancel_contracts.sight.observation import describe, observe

SHOWN_BYTES = 16 * 1024  # of a body, of the headers, and of the wire; a recording has them whole
SHOWN_HEADERS = 200
SHOWN_VALUE_CHARS = 4096  # of a header, its name, or a reason
LOOKS = 6  # at a resource around a call; an effect that is late is looked for again and again

STEPS = 40  # of a scenario: a walk may be long


class Shown(Scrubber):
    """A scrubber that reads each answer once, however many clauses it speaks of."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__(redactor)
        self.answer = cache(self._answer)

    def _answer(self, received: Received) -> dict[str, Any]:
        return _response(received, self)


def entry(
    evidence: Evidence, clean: Shown, lifecycle: Lifecycle, around: Sequence[Exchange]
) -> dict[str, Any]:
    """Return the record of one piece of evidence; `around` are the exchanges of its scenario."""
    exchange = evidence.exchange
    sent = exchange.sent
    url, headers = clean.url(sent.url), clean.headers(sent.headers)
    shown = tuple((name, value) for name, value in headers)
    body = clean.octets(sent.body)
    own = [x for x in around if x.scenario == exchange.scenario]
    return {
        "scenario": clean.text(scenario.words(exchange, lifecycle.method)),
        "number": exchange.scenario,
        "identity": exchange.identity,
        "state": scenario.state(exchange.situation),
        "begins": (begins := scenario.beginning(exchange.situation)) and clean.text(begins),
        "expected": clean.text(evidence.expected),
        "actual": clean.text(evidence.actual),
        "observed": _observed(exchange, clean, lifecycle, own),
        "steps": steps(_until(exchange, around), clean, lifecycle, exchange),
        "request": {
            "method": sent.method,
            "url": url,
            "headers": headers,
            "body": _text(body),
            "cut": _cut(body, "body"),
        },
        "response": clean.answer(exchange.received) if exchange.received else None,
        "failure": exchange.failure,
        "started": round(exchange.started, 4),
        "seconds": round(exchange.seconds, 4),
        "curl": curl.line(replace(sent, url=url, headers=shown, body=body)),
    }


def _text(data: bytes) -> str:
    return data[:SHOWN_BYTES].decode("utf-8", "backslashreplace")


def _clipped(value: str) -> str:
    """Return a value of the head, the beginning of one that nobody would read to its end."""
    if len(value) <= SHOWN_VALUE_CHARS:
        return value
    return f"{value[:SHOWN_VALUE_CHARS]}… ({len(value):,} characters)"


def _cut(data: bytes, what: str) -> str | None:
    if len(data) <= SHOWN_BYTES:
        return None
    return f"the first {count(SHOWN_BYTES, 'byte')} of the {what}, of {len(data):,}"


def _response(received: Received, clean: Scrubber) -> dict[str, Any]:
    body, packed = clean.body(received)
    wire, left_out = clean.wire(received)
    fields = _fields(received, clean)
    notes = [_cut(body, "body"), _cut(wire, "wire"), packed, left_out]
    notes += [f"the {part} of the answer: not recorded" for part in received.unrecorded]
    for shown, whole, what in (
        (len(fields), len(received.headers), "headers"),
        (len(received.interim), len(received.interim) + received.more_interim, "interim responses"),
    ):
        if shown < whole:
            notes.append(f"the first {shown} of {whole:,} {what}")
    return {
        "status": received.status,
        "reason": _clipped(clean.text(received.reason)),
        "version": received.version,
        "headers": fields,
        "body": _text(body),
        "interim": list(received.interim),
        "stray": _text(clean.stray(received)),
        "error": clean.text(received.error) if received.error else None,
        "wire": base64.b64encode(wire[:SHOWN_BYTES]).decode("ascii"),
        "cut": "; ".join(note for note in notes if note) or None,
    }


def _fields(received: Received, clean: Scrubber) -> list[list[str]]:
    """Return the headers that are shown, from the first on, free of secrets."""
    found, left = [], SHOWN_BYTES
    for name, value in clean.headers(received.headers[:SHOWN_HEADERS]):
        row = [_clipped(name), _clipped(value)]
        left -= sum(map(len, row))
        if left < 0:
            break
        found.append(row)
    return found


def _observed(
    exchange: Exchange, clean: Scrubber, lifecycle: Lifecycle, around: Sequence[Exchange]
) -> list[dict[str, str]]:
    """Return what the looks just before and just after the call showed.

    The neighbour's are left out where they all show the same: nothing happened to it.
    """
    looks = [x for x in around if x.kind == "observe"]
    at = exchange.position
    before = max((x.position for x in looks if x.position < at), default=-1)
    after = min((x.position for x in looks if x.position >= at), default=-1)
    rows = [
        {
            "when": "before" if x.position == before else "after",
            "role": x.role,
            "shows": clean.text(_shows(x, lifecycle)),
        }
        for x in looks
        if x.position in (before, after)
    ]
    neighbour = {row["shows"] for row in rows if row["role"] == "neighbour"}
    return [row for row in rows if row["role"] == "target" or len(neighbour) > 1][:LOOKS]


def _until(exchange: Exchange, around: Sequence[Exchange]) -> list[Exchange]:
    """Return a scenario up to the looks after a call; of many exchanges the last."""
    own, at = exchange.scenario, exchange.position
    return [x for x in around if x.scenario != own or x.position <= at][-STEPS:]


def steps(
    exchanges: Sequence[Exchange],
    clean: Scrubber,
    lifecycle: Lifecycle,
    judged: Exchange | None = None,
) -> list[dict[str, Any]]:
    """Return what was called and looked at, in order, and what that showed."""
    return [
        {
            "says": clean.text(scenario.words(x, lifecycle.method)),
            "kind": x.kind,
            "role": x.role,
            "method": x.sent.method,
            "url": clean.url(x.sent.url),
            "status": x.status,
            "shows": clean.text(_shows(x, lifecycle) if x.kind == "observe" else _answer(x)),
            "judged": x == judged,
        }
        for x in exchanges
    ]


def _answer(call: Exchange) -> str:
    return f"no answer ({call.why})" if call.status is None else f"answered {call.status}"


def _shows(look: Exchange, lifecycle: Lifecycle) -> str:
    if seen := observe(look, lifecycle):
        return describe(lifecycle, seen)
    return f"no answer ({look.failure})" if look.status is None else f"answered {look.status}"
