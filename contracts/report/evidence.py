"""One exchange as the record keeps it: request, response, every byte, and how to send it again.

Redacted here, before anything is cut, encoded or quoted: no writer after this one meets a secret.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from contracts.exchange import Exchange, Received
from contracts.judge.judge import Evidence
from contracts.observation import describe, observe
from contracts.report import curl, scenario
from contracts.report.redact import Scrubber
from contracts.report.text import count
from contracts.spec.model import Lifecycle
from contracts.target.secrets import Redactor

SHOWN_BYTES = 64 * 1024  # of a body, and of the wire
LOOKS = 6  # what the GETs of the same scenario showed: the first and the last of them tell


def entry(
    evidence: Evidence, redactor: Redactor, lifecycle: Lifecycle, journal: Sequence[Exchange] = ()
) -> dict[str, Any]:
    """Return the record of one piece of evidence."""
    exchange = evidence.exchange
    clean = Scrubber(redactor, exchange)
    sent = exchange.sent
    url, headers = clean.url(sent.url), clean.headers(sent.headers)
    body = clean.octets(sent.body)
    return {
        "scenario": clean.text(scenario.words(exchange)),
        "identity": exchange.identity,
        "state": scenario.state(exchange.situation),
        "expected": clean.text(evidence.expected),
        "actual": clean.text(evidence.actual),
        "observed": _observed(exchange, clean, lifecycle, journal),
        "request": {
            "method": sent.method,
            "url": url,
            "headers": headers,
            "body": _text(body),
            "cut": _cut(body, "body"),
        },
        "response": _response(exchange.received, clean) if exchange.received else None,
        "failure": exchange.failure,
        "started": round(exchange.started, 4),
        "seconds": round(exchange.seconds, 4),
        "curl": curl.line(sent.method, url, headers, body),
    }


def _text(data: bytes) -> str:
    return data[:SHOWN_BYTES].decode("utf-8", "backslashreplace")


def _cut(data: bytes, what: str) -> str | None:
    if len(data) <= SHOWN_BYTES:
        return None
    return f"the first {count(SHOWN_BYTES, 'byte')} of the {what}, of {len(data):,}"


def _response(received: Received, clean: Scrubber) -> dict[str, Any]:
    body = clean.octets(received.body)
    wire, left_out = clean.wire(received.wire, received.body + received.stray)
    notes = [_cut(body, "body"), _cut(wire, "wire"), left_out]
    return {
        "status": received.status,
        "reason": clean.text(received.reason),
        "version": received.version,
        "headers": clean.headers(received.headers),
        "body": _text(body),
        "interim": list(received.interim),
        "stray": _text(clean.octets(received.stray)),
        "error": clean.text(received.error) if received.error else None,
        "wire": base64.b64encode(wire[:SHOWN_BYTES]).decode("ascii"),
        "cut": "; ".join(note for note in notes if note) or None,
    }


def _observed(
    exchange: Exchange, clean: Scrubber, lifecycle: Lifecycle, journal: Sequence[Exchange]
) -> list[dict[str, Any]]:
    """Return what looking at the resource showed before and after the call."""
    looks = []
    for other in journal:
        if other.kind != "observe" or other.scenario != exchange.scenario:
            continue
        seen = observe(other)
        status = other.status if other.status is not None else f"no answer ({other.failure})"
        shows = describe(lifecycle, seen) if seen else f"answered {status}"
        when = "before" if other.position == 0 else f"after call {other.position}"
        looks.append({"when": when, "role": other.role, "shows": clean.text(shows)})
    return looks if len(looks) <= LOOKS else looks[: LOOKS // 2] + looks[-LOOKS // 2 :]
