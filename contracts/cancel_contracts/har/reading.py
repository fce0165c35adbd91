"""A recording into journals, streamed. Entries of ours carry their situation; of what somebody else
recorded foreign/ reads what shows in it.
"""

from __future__ import annotations

import base64
import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cancel_contracts import serial
from cancel_contracts.contract.model import Contract
from cancel_contracts.errors import UsageError
from cancel_contracts.exchange import USER_AGENT, Exchange, Overheard
from cancel_contracts.foreign import Heard, exchanges, overheard, route
from cancel_contracts.har import batch, entry
from cancel_contracts.har.caller import placed
from cancel_contracts.har.form import EXCHANGES, FORMAT, Settings
from cancel_contracts.har.secrets import secrets
from cancel_contracts.har.sources import UNREADABLE, Attached, Source, opened
from cancel_contracts.journal import Journal

UNPACKED = "in a batch whose bodies cannot be read"
BROKEN_OFF = "the recording breaks off; what stands before was read"


@dataclass
class Recording:
    """What a recording holds: a journal per contract, the settings of the run where it is one of
    ours, and what was left out, counted by reason.
    """

    journals: dict[str, Journal] = field(default_factory=dict)
    settings: Settings | None = None
    overheard: list[Overheard] = field(default_factory=list)  # of a foreign one, but for our calls
    others: Counter[str] = field(default_factory=Counter)  # entries off the routes
    left: Counter[str] = field(default_factory=Counter)  # calls on them that are not judged
    notes: list[str] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set)  # credentials that stood in it

    @property
    def foreign(self) -> bool:
        return self.settings is None


def read(path: Path, contracts: Sequence[Contract]) -> Recording:
    """Return what a recording holds for the contracts. Streams: memory is that of the calls kept.

    Raises UsageError where the file is no recording, or where one of ours was altered.
    """
    recording = Recording({c.name: Journal(c.name, minted=True) for c in contracts})
    heard = _Heard(contracts, recording)
    with opened(path) as sources:
        for source in sources:
            _read(source, recording, heard)
    heard.settle()
    return recording


def _read(source: Source, recording: Recording, heard: _Heard) -> None:
    found = 0
    place = f"{source.name}: log/_contracts"
    try:
        if (about := source.about()) is not None:
            _settings(about, recording)
        for row in source.entries():
            found += 1
            place = f"{source.name}: entry {found}"
            if isinstance(row, Mapping) and row.get("_contracts") is not None:
                _own(row["_contracts"], recording)
            else:
                heard.take(row, source.attached)
        if not found and not source.has_entries():
            problem = "is no HTTP Archive: it has no log with entries"
            raise UsageError(source.name, problem, "name a .har file")
    except OSError as err:
        problem = err.strerror or "cannot be read"
        raise UsageError(source.name, problem, "name a readable file") from None
    except _Altered as err:
        raise UsageError(place, f"is not as it was recorded ({err})", "record it again") from None
    except UNREADABLE as err:
        if found and recording.foreign:
            recording.notes.append(f"{source.name}: {BROKEN_OFF}")
            heard.unknown()  # what came after may have been anything
            return
        told = err.args[0] if err.args else ""
        text = told.decode("utf-8", "replace") if isinstance(told, bytes) else str(err)
        problem = f"is no recording, or breaks off: {' '.join(text.split())[:120]}"
        raise UsageError(source.name, problem, "name a .har file, or record it again") from None


class _Altered(Exception):
    """What we wrote ourselves is not as we write it."""


def _settings(about: Any, recording: Recording) -> None:
    try:
        if not isinstance(about, dict) or about.get("format") != FORMAT:
            raise ValueError("_contracts of another format")
        recording.settings = serial.load(Settings, about.get("settings"), "settings")
        datetime.fromisoformat(recording.settings.started)
        for at, row in enumerate(about["journals"]):
            read_ = serial.load(Journal, row, f"journals/{at}")
            if (journal := recording.journals.get(read_.contract)) is not None:
                for each in fields(Journal):
                    if each.name != EXCHANGES:
                        setattr(journal, each.name, getattr(read_, each.name))
    except (KeyError, TypeError, ValueError, AttributeError) as err:
        raise _Altered(str(err)[:120]) from None


def _own(row: Any, recording: Recording) -> None:
    try:
        if recording.settings is None:
            raise ValueError("its log says nothing of the run before the entries")
        exchange = serial.load(Exchange, row, "exchange")
    except (TypeError, ValueError) as err:
        raise _Altered(str(err)[:120]) from None
    if (journal := recording.journals.get(exchange.contract)) is not None:
        journal.exchanges.append(exchange)
    else:
        recording.others["of other contracts"] += 1


class _Heard:
    """Entries that somebody else recorded, gathered, and then told in the order of time."""

    def __init__(self, contracts: Sequence[Contract], recording: Recording) -> None:
        self.contracts, self.recording = contracts, recording
        self.calls: list[Heard] = []
        self._hosts: Counter[str] = Counter()  # of entries off the routes

    def take(self, row: Any, attached: Attached) -> None:
        for one in self._unpacked(row, attached):
            found = list(entry.calls(self.contracts, one))
            if not found:
                self._hosts[_host(one["request"]["url"])] += 1
                continue
            self.calls += found
            request = one["request"] if found[0].where is not None else {}
            headers, _ = entry.headers_of(request.get("headers"))
            url, where = str(request.get("url", "")), found[0].where
            self.recording.secrets.update(secrets(headers, url))
            if where is not None:
                self.recording.secrets.update(placed(headers, where.contract.scheme, url))

    def unknown(self) -> None:
        self.calls.append(entry.unreadable())

    def _unpacked(self, row: Any, attached: Attached) -> Iterator[Any]:
        """Yield an entry, or the entries of a batch, with bodies that lie beside the recording."""
        request = row.get("request") if isinstance(row, Mapping) else None
        url = request.get("url") if isinstance(request, Mapping) else None
        if not isinstance(url, str):
            yield row
            return
        method = str(request.get("method")).upper()  # type: ignore[union-attr]
        is_batch = batch.is_batch(url)
        if not is_batch and route(self.contracts, method, url) is None:
            yield row
            return
        try:
            row = _whole(row, attached)
        except (TypeError, ValueError, AttributeError):
            pass  # read as it is, or set aside as damaged
        if not is_batch:
            yield row
            return
        try:
            if entry.left_out(row):
                raise ValueError
            sent = json.loads(entry.request_of(row["request"]).body)
            answer = entry.response_of(row["response"], "POST")
            answered = answer.json() if answer and answer.status == 200 else {"responses": []}
            started = datetime.fromtimestamp(entry.moment(row), UTC)
            rows = list(batch.unpacked(row, sent, answered, started))
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError, OverflowError):
            self.recording.left[UNPACKED] += 1
            self.unknown()
            return
        yield from rows

    def settle(self) -> None:
        """Judge what was heard in the order of time, whatever the order in the file."""
        first = min((c.started for c in self.calls if math.isfinite(c.started)), default=0.0)
        calls = [replace(c, started=c.started - first) for c in self.calls]
        told, left = exchanges(calls)
        self.recording.left += left
        if self.recording.foreign and not any(map(_is_ours, calls)):
            self.recording.overheard = overheard(calls)
        for exchange in told:
            self.recording.journals[exchange.contract].exchanges.append(exchange)
        ours = {_host(s.url) for c in self.contracts for s in c.servers}
        ours |= {_host(call.sent.url) for call in self.calls if call.where is not None}
        for host, count in self._hosts.items():
            word = "on other routes" if host in ours else "on other hosts"
            self.recording.others[word] += count


def _is_ours(call: Heard) -> bool:
    """Whether it is of a run of this suite, which errs on purpose."""
    return ("user-agent", USER_AGENT) in ((n.lower(), v) for n, v in call.sent.headers)


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc.rpartition("@")[2].casefold()
    except ValueError:
        return ""


def _whole(row: Mapping[str, Any], attached: Attached) -> dict[str, Any]:
    """Return an entry with the bodies that the recorder put beside it."""
    request, response = dict(row["request"]), dict(row.get("response") or {})
    for place, key in ((request, "postData"), (response, "content")):
        content = place.get(key)
        if not isinstance(content, Mapping) or content.get("text"):
            continue
        name = content.get("_file") or content.get("_sha1")
        if not isinstance(name, str) or (data := attached(name)) is None:
            continue
        text: dict[str, Any] = {"text": data.decode("utf-8", "replace")}
        if key == "content":
            text = {"text": base64.b64encode(data).decode(), "encoding": "base64"}
            text["size"] = len(data)
        place[key] = {**content, **text}
    return {**row, "request": request, "response": response if row.get("response") else None}
