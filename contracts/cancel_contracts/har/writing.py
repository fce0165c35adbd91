"""Journals into a HAR file, entry by entry, secrets redacted. Must not know how it is read."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cancel_contracts.exchange import Exchange, Headers, Received, Situation
from cancel_contracts.journal import Journal
from cancel_contracts.needs import Gap
from cancel_contracts.redact.scrub import Scrubber
from cancel_contracts.redact.secrets import Redactor

FORMAT = 1  # of the _contracts fields


def write(
    path: Path,
    journals: Sequence[Journal],
    settings: Mapping[str, Any],
    started: datetime,
    version: str,
    redactor: Redactor,
) -> None:
    """Write journals as one HAR file, entry by entry, secrets redacted."""
    clean = Scrubber(redactor)
    about = json.dumps(redactor.data({"format": FORMAT, **settings}))
    told = json.dumps([_journal(journal, redactor) for journal in journals])
    with path.open("w", encoding="utf-8") as out:
        creator = {"name": "cancel-contracts", "version": version}
        out.write('{"log": {"version": "1.2", "creator": ' + json.dumps(creator))
        out.write(f', "_contracts": {about[:-1]}, "journals": {told}}}, "entries": [')
        first = True
        for journal in journals:
            for exchange in journal.exchanges:
                out.write("\n" if first else ",\n")
                out.write(json.dumps(_entry(exchange, started, clean)))
                first = False
        out.write("\n]}}\n")


def _journal(journal: Journal, redactor: Redactor) -> dict[str, Any]:
    # A situation is in words of the spec: a token that reads like one of them must not change it.
    def reasons(why: Mapping[Situation, str]) -> list[Any]:
        return [[situation.row(), redactor.text(reason)] for situation, reason in why.items()]

    def gaps(why: Mapping[Situation, Gap]) -> list[Any]:
        told = reasons({situation: gap.reason for situation, gap in why.items()})
        needs = [gap.need and [gap.need.kind, gap.need.name] for gap in why.values()]
        return [[*row, need] for row, need in zip(told, needs, strict=True)]

    return {
        "contract": journal.contract,
        "missing": gaps(journal.missing),
        "broken": reasons(journal.broken),
        "stopped": journal.stopped and redactor.text(journal.stopped),
        "single": journal.single,
        "minted": journal.minted,
        "setups": journal.setups,
        "notes": [redactor.text(note) for note in journal.notes],
    }


def _headers(headers: Headers, clean: Scrubber) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in clean.headers(headers)]


def _entry(exchange: Exchange, started: datetime, clean: Scrubber) -> dict[str, Any]:
    sent, received = exchange.sent, exchange.received
    moment = started + timedelta(seconds=exchange.started)
    milliseconds = round(exchange.seconds * 1000, 3)
    request: dict[str, Any] = {
        "method": sent.method,
        "url": clean.url(sent.url),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _headers(sent.headers, clean),
        "queryString": [],
        "headersSize": -1,
        "bodySize": len(sent.body),
    }
    if sent.body:
        media = next((v for k, v in sent.headers if k.lower() == "content-type"), "")
        request["postData"] = {
            "mimeType": clean.text(media),
            "text": clean.text(sent.body.decode("utf-8", "replace")),
        }
    return {
        "startedDateTime": moment.isoformat(),
        "time": milliseconds,
        "request": request,
        "response": _response(received, clean),
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
        "_contracts": {
            "contract": exchange.contract,
            "scenario": exchange.scenario,
            "position": exchange.position,
            "kind": exchange.kind,
            "role": exchange.role,
            "situation": exchange.situation.row(),
            "identity": exchange.identity,
            "resource": clean.text(exchange.resource),
            "failure": exchange.failure,
            "detail": clean.text(exchange.detail),
            "reused": exchange.reused,
            "way_in": exchange.way_in,
            "started": exchange.started,
            "seconds": exchange.seconds,
            "body": _b64(clean.octets(sent.body)),
            "received": None if received is None else _octets(received, clean),
        },
    }


def _response(received: Received | None, clean: Scrubber) -> dict[str, Any]:
    body, packed = clean.body(received) if received else (b"", None)
    left_out = clean.wire(received)[1] if received else None
    content: dict[str, Any] = {
        "size": len(body),
        "mimeType": clean.text((received.header("content-type") if received else None) or ""),
    }
    if body:
        try:
            content["text"] = body.decode("utf-8")
        except UnicodeDecodeError:
            content |= {"text": _b64(body), "encoding": "base64"}
    return {
        "status": received.status if received else 0,
        "statusText": clean.text(received.reason) if received else "",
        "httpVersion": f"HTTP/{received.version}" if received else "",
        "cookies": [],
        "headers": _headers(received.headers, clean) if received else [],
        "content": content,
        "redirectURL": clean.text((received.header("location") if received else None) or ""),
        "headersSize": -1,
        "bodySize": len(body),
        "comment": "; ".join(note for note in (packed, left_out) if note),
    }


def _octets(received: Received, clean: Scrubber) -> dict[str, Any]:
    return {
        "body": _b64(clean.body(received)[0]),
        "stray": _b64(clean.stray(received)),
        "wire": _b64(clean.wire(received)[0]),
        "interim": list(received.interim),
        "error": clean.text(received.error) if received.error else None,
        "version": received.version,
    }


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
