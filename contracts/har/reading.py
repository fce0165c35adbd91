"""A HAR file into journals, streamed. Entries of ours carry their situation; of a foreign recording
foreign.py reads what shows in it.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import ijson

from contracts.errors import UsageError
from contracts.exchange import Exchange, Headers, Received, Sent, Situation
from contracts.foreign import Foreign, route
from contracts.har.writing import FORMAT
from contracts.journal import Journal
from contracts.observation import observe
from contracts.spec.model import Contract

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
    recording = Recording({c.name: Journal(c.name, minted=True) for c in contracts})
    try:
        with path.open("rb") as file:
            _settings(file, recording)
            file.seek(0)
            foreign = _Foreign(contracts, recording)
            found = 0
            for entry in ijson.items(file, "log.entries.item", use_float=True):
                found += 1
                _take(entry, recording, foreign)
            file.seek(0)
            if not found and not _has_log(file):
                raise UsageError(str(path), "is no HTTP Archive: it has no log", "name a .har file")
    except OSError as err:
        raise UsageError(
            str(path), err.strerror or "cannot be read", "name a readable file"
        ) from None
    except (ijson.JSONError, UnicodeDecodeError, RecursionError) as err:
        problem = f"is no JSON: {' '.join(str(err).split())[:120]}"
        raise UsageError(str(path), problem, "name a .har file") from None
    except (KeyError, TypeError, ValueError, AttributeError) as err:
        problem = f"an entry is not as HAR 1.2 has it ({type(err).__name__}: {str(err)[:80]})"
        raise UsageError(str(path), problem, "record it again") from None
    return recording


def _has_log(file: IO[bytes]) -> bool:
    return any(prefix == "log" for prefix, _, _ in ijson.parse(file))


def _settings(file: IO[bytes], recording: Recording) -> None:
    for about in ijson.items(file, "log._contracts", use_float=True):
        if not isinstance(about, dict) or about.get("format") != FORMAT:
            raise ValueError("_contracts of another format")
        recording.settings = {k: v for k, v in about.items() if k != "journals"}
        for row in about["journals"]:
            if (journal := recording.journals.get(row["contract"])) is None:
                continue
            journal.missing = {Situation(**s): reason for s, reason in row["missing"]}
            journal.broken = {Situation(**s): reason for s, reason in row["broken"]}
            for name in ("stopped", "observable", "minted", "setups", "notes"):
                setattr(journal, name, row[name])


def _take(entry: Any, recording: Recording, foreign: _Foreign) -> None:
    own = entry.get("_contracts")
    if own is None:
        foreign.take(entry)
    elif (journal := recording.journals.get(own["contract"])) is not None:
        journal.exchanges.append(_own(entry, own))
    else:
        recording.ignored += 1


def _pairs(rows: Any) -> Headers:
    return tuple((str(row["name"]), str(row["value"])) for row in rows)


def _own(entry: Mapping[str, Any], own: Mapping[str, Any]) -> Exchange:
    request, response = entry["request"], entry["response"]
    octets = own["received"]
    received = None
    if octets is not None:
        received = Received(
            status=int(response["status"]),
            reason=response["statusText"],
            version=octets["version"],
            headers=_pairs(response["headers"]),
            body=base64.b64decode(octets["body"]),
            interim=tuple(octets["interim"]),
            stray=base64.b64decode(octets["stray"]),
            error=octets["error"],
            wire=base64.b64decode(octets["wire"]),
        )
    sent = Sent(
        request["method"], request["url"], _pairs(request["headers"]), base64.b64decode(own["body"])
    )
    return Exchange(
        contract=own["contract"],
        scenario=own["scenario"],
        position=own["position"],
        kind=own["kind"],
        situation=Situation(**own["situation"]),
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
        if found.kind == "observe" and found.position == 0 and observe(found) is not None:
            journal.observable = True

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
        body = base64.b64decode(text)
    else:
        body = text.encode("utf-8", "surrogatepass")
    return Received(
        status=status,
        reason=str(response.get("statusText") or ""),
        headers=_pairs(response.get("headers") or []),
        body=body[:BODY_BYTES],
    )
