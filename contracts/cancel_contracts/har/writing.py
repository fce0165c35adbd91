"""Journals into a HAR file, entry by entry, secrets redacted. Must not know how it is read."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cancel_contracts import serial
from cancel_contracts.exchange import Exchange, Headers, Received, Situation
from cancel_contracts.har.form import EXCHANGES, FORMAT, Settings
from cancel_contracts.journal import Journal
from cancel_contracts.needs import Need
from cancel_contracts.redact.scrub import Scrubber
from cancel_contracts.redact.secrets import Redactor


def write(
    path: Path, journals: Sequence[Journal], settings: Settings, version: str, redactor: Redactor
) -> None:
    """Write journals as one HAR file, entry by entry, secrets redacted."""
    started = datetime.fromisoformat(settings.started)
    about = {
        "format": FORMAT,
        "settings": serial.dump(settings, redactor.text),
        "journals": [_journal(journal, redactor) for journal in journals],
    }
    head = {
        "version": "1.2",
        "creator": {"name": "cancel-contracts", "version": version},
        "_contracts": about,
    }
    clean = Scrubber(redactor)
    with path.open("w", encoding="utf-8") as out:
        out.write(f'{{"log": {json.dumps(head)[:-1]}, "entries": [')
        first = True
        for journal in journals:
            for exchange in journal.exchanges:
                out.write("\n" if first else ",\n")
                out.write(json.dumps(_entry(exchange, started, clean)))
                first = False
        out.write("\n]}}\n")


def _journal(journal: Journal, redactor: Redactor) -> dict[str, Any]:
    # A situation is in words of the spec: a token that reads like one of them must not change it.
    row: dict[str, Any] = serial.dump(journal, redactor.text, verbatim=(Situation, Need))
    del row[EXCHANGES]
    return row


def _clean(exchange: Exchange, clean: Scrubber) -> tuple[Exchange, str]:
    """Return an exchange without secrets; and in words what of its answer is left out, for it may
    hold one.
    """
    sent, received = exchange.sent, exchange.received
    notes: list[str | None] = []
    if received is not None:
        body, packed = clean.body(received)
        wire, parted = clean.wire(received)
        notes = [packed, parted]
        received = replace(
            received,
            reason=clean.text(received.reason),
            headers=_headers(received.headers, clean),
            body=body,
            stray=clean.stray(received),
            error=clean.text(received.error) if received.error else received.error,
            wire=wire,
        )
    cleaned = replace(
        exchange,
        resource=clean.text(exchange.resource),
        detail=clean.text(exchange.detail),
        sent=replace(
            sent,
            url=clean.url(sent.url),
            headers=_headers(sent.headers, clean),
            body=clean.octets(sent.body),
        ),
        received=received,
    )
    return cleaned, "; ".join(note for note in notes if note)


def _headers(headers: Headers, clean: Scrubber) -> Headers:
    return tuple((name, value) for name, value in clean.headers(headers))


def _entry(exchange: Exchange, started: datetime, clean: Scrubber) -> dict[str, Any]:
    exchange, notes = _clean(exchange, clean)
    sent, received = exchange.sent, exchange.received
    moment = started + timedelta(seconds=exchange.started)
    milliseconds = round(exchange.seconds * 1000, 3)
    request: dict[str, Any] = {
        "method": sent.method,
        "url": sent.url,
        "httpVersion": f"HTTP/{sent.version}",
        "cookies": [],
        "headers": _named(sent.headers),
        "queryString": [],
        "headersSize": -1,
        "bodySize": len(sent.body),
    }
    if sent.body:
        media = next((v for k, v in sent.headers if k.lower() == "content-type"), "")
        request["postData"] = {"mimeType": media, "text": sent.body.decode("utf-8", "replace")}
    return {
        "startedDateTime": moment.isoformat(),
        "time": milliseconds,
        "request": request,
        "response": {**_response(received or Received(0, version="")), "comment": notes},
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
        "_contracts": serial.dump(exchange),
    }


def _named(headers: Headers) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers]


def _response(received: Received) -> dict[str, Any]:
    body = received.body
    content: dict[str, Any] = {
        "size": len(body),
        "mimeType": received.header("content-type") or "",
    }
    if body:
        try:
            content["text"] = body.decode("utf-8")
        except UnicodeDecodeError:
            content |= {"text": base64.b64encode(body).decode("ascii"), "encoding": "base64"}
    return {
        "status": received.status,
        "statusText": received.reason,
        "httpVersion": f"HTTP/{received.version}" if received.version else "",
        "cookies": [],
        "headers": _named(received.headers),
        "content": content,
        "redirectURL": received.header("location") or "",
        "headersSize": -1,
        "bodySize": len(body),
    }
