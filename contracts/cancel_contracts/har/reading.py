"""A HAR file into journals, streamed. Entries of ours carry their situation; of a foreign recording
foreign.py reads what shows in it.
"""

from __future__ import annotations

import base64
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import ijson

from cancel_contracts.contract.model import Contract
from cancel_contracts.errors import UsageError
from cancel_contracts.exchange import Exchange, Headers, Received, Sent, Situation
from cancel_contracts.foreign import Foreign, route
from cancel_contracts.har import checks
from cancel_contracts.har.writing import FORMAT
from cancel_contracts.journal import Journal
from cancel_contracts.needs import Gap, Need

DEPTH = 100  # levels of nesting; HAR 1.2 has eight
BODY_BYTES = 256 * 1024  # of a foreign body that is kept; more cannot matter to a clause


@dataclass
class Recording:
    """What a HAR file holds: a journal per contract, the log's own settings, and how many entries
    were not ours.
    """

    journals: dict[str, Journal] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    ignored: int = 0


def read(path: Path, contracts: Sequence[Contract]) -> Recording:
    """Return what a HAR file holds for the contracts. Streams: memory is that of the entries kept.

    Raises UsageError where the file is no HAR.
    """
    place = f"{path}: log/_contracts"
    recording = Recording({c.name: Journal(c.name, minted=True) for c in contracts})
    try:
        with path.open("rb") as file:
            _settings(file, recording)
            foreign = _Foreign(contracts, recording)
            found = 0
            for entry in ijson.items(_events(file), "log.entries.item"):
                found += 1
                place = f"{path}: entry {found}"
                _take(entry, recording, foreign)
            place = str(path)
            if not found and not _has_entries(file):
                problem = "is no HTTP Archive: it has no log with entries"
                raise UsageError(str(path), problem, "name a .har file")
    except OSError as err:
        raise UsageError(
            str(path), err.strerror or "cannot be read", "name a readable file"
        ) from None
    except (ijson.JSONError, UnicodeDecodeError, RecursionError) as err:
        told = err.args[0] if err.args else ""
        text = told.decode("utf-8", "replace") if isinstance(told, bytes) else str(err)
        problem = f"is no JSON: {' '.join(text.split())[:120]}"
        raise UsageError(str(path), problem, "name a .har file") from None
    except (KeyError, TypeError, ValueError, AttributeError) as err:
        problem = f"is not as HAR 1.2 has it ({type(err).__name__}: {str(err)[:80]})"
        raise UsageError(place, problem, "record it again") from None
    return recording


def _events(file: IO[bytes]) -> Iterator[tuple[str, str, Any]]:
    """Return the file's events from its start, its byte order mark passed over. Raises ValueError
    where it is nested without measure: ijson takes the square of the depth.
    """
    file.seek(0)
    if file.read(len(BOM_UTF8)) != BOM_UTF8:
        file.seek(0)
    events: Iterator[tuple[str, str, Any]] = ijson.parse(_shallow(file))
    return events


def _shallow(file: IO[bytes]) -> Iterator[tuple[str, Any]]:
    depth = 0
    for event, value in ijson.basic_parse(file, use_float=True):
        if event in ("start_map", "start_array"):
            depth += 1
            if depth > DEPTH:
                raise ValueError(f"nested deeper than {DEPTH} levels")
        elif event in ("end_map", "end_array"):
            depth -= 1
        yield event, value


def _has_entries(file: IO[bytes]) -> bool:
    return ("log.entries", "start_array", None) in _events(file)


def _settings(file: IO[bytes], recording: Recording) -> None:
    for about in ijson.items(_events(file), "log._contracts"):
        if not isinstance(about, dict) or about.get("format") != FORMAT:
            raise ValueError("_contracts of another format")
        recording.settings = {k: v for k, v in about.items() if k != "journals"}
        checks.settings(recording.settings)
        for row in about["journals"]:
            if (journal := recording.journals.get(row["contract"])) is None:
                continue
            checks.journal(row)
            journal.missing = {
                _situation(s): Gap(reason, need and Need(*need))
                for s, reason, need in row["missing"]
            }
            journal.broken = {_situation(s): reason for s, reason in row["broken"]}
            for name in ("stopped", "single", "minted", "setups", "notes"):
                setattr(journal, name, row[name])
        return  # ours stands before the entries: there is no need to read on


def _take(entry: Any, recording: Recording, foreign: _Foreign) -> None:
    own = entry.get("_contracts")
    if own is None:
        foreign.take(entry)
    elif (journal := recording.journals.get(own["contract"])) is not None:
        journal.exchanges.append(_own(entry, own))
    else:
        recording.ignored += 1


def _situation(row: Mapping[str, Any]) -> Situation:
    return Situation.of_row(row)


def _octets(text: str) -> bytes:
    """Return what base64 stands for; line breaks are let pass, nothing else is."""
    return base64.b64decode("".join(text.split()), validate=True)


def _pairs(rows: Any) -> Headers:
    return tuple((str(row["name"]), str(row["value"])) for row in rows)


def _own(entry: Mapping[str, Any], own: Mapping[str, Any]) -> Exchange:
    request, response = entry["request"], entry["response"]
    checks.exchange(entry, own)
    octets = own["received"]
    received = None
    if octets is not None:
        received = Received(
            status=int(response["status"]),
            reason=response["statusText"],
            version=octets["version"],
            headers=_pairs(response["headers"]),
            body=_octets(octets["body"]),
            interim=tuple(octets["interim"]),
            stray=_octets(octets["stray"]),
            error=octets["error"],
            wire=_octets(octets["wire"]),
        )
    sent = Sent(request["method"], request["url"], _pairs(request["headers"]), _octets(own["body"]))
    return Exchange(
        contract=own["contract"],
        scenario=own["scenario"],
        position=own["position"],
        kind=own["kind"],
        situation=_situation(own["situation"]),
        identity=own["identity"],
        resource=own["resource"],
        sent=sent,
        role=own["role"],
        received=received,
        failure=own["failure"],
        detail=own.get("detail", ""),
        started=own["started"],
        seconds=own["seconds"],
        reused=own["reused"],
        way_in=own["way_in"],
    )


class _Foreign:
    """Entries that somebody else recorded, taken into the journals of the contracts."""

    def __init__(self, contracts: Sequence[Contract], recording: Recording) -> None:
        self.contracts, self.recording = contracts, recording
        self.exchanges = Foreign()
        self.start: datetime | None = None

    def take(self, entry: Mapping[str, Any]) -> None:
        sent, content = _sent(entry["request"]), entry["response"].get("content") or {}
        # A body that was not recorded would read as empty.
        unread = int(content.get("size") or 0) > 0 and not content.get("text")
        where = route(self.contracts, sent.method, sent.url)
        if unread or where is None:
            self.recording.ignored += 1
            return
        seconds = float(entry.get("time") or 0) / 1000
        received = _received(entry["response"])
        found = self.exchanges.take(where, sent, received, self._moment(entry), seconds)
        journal = self.recording.journals[found.contract]
        journal.exchanges.append(found)

    def _moment(self, entry: Mapping[str, Any]) -> float:
        moment = datetime.fromisoformat(str(entry["startedDateTime"]))
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        self.start = self.start or moment
        return (moment - self.start).total_seconds()


def _sent(request: Mapping[str, Any]) -> Sent:
    text = (request.get("postData") or {}).get("text") or ""
    return Sent(
        str(request["method"]).upper(), str(request["url"]), _pairs(request.get("headers") or []),
        str(text).encode("utf-8", "surrogatepass")[:BODY_BYTES],
    )  # fmt: skip


def _received(response: Mapping[str, Any]) -> Received | None:
    status = int(response.get("status") or 0)
    if status <= 0:
        return None
    content = response.get("content") or {}
    text = str(content.get("text") or "")
    if content.get("encoding") == "base64":
        body = _octets(text)
    else:
        body = text.encode("utf-8", "surrogatepass")
    return Received(
        status=status,
        reason=str(response.get("statusText") or ""),
        headers=_pairs(response.get("headers") or []),
        body=body[:BODY_BYTES],
    )
