"""Whether an error tells what is another's: who else called, or what another resource keeps. Pure.

Callers have short names (`user`, `app`), which any sentence may hold. So a name tells nothing by
itself. It is another's where one caller is told one sentence twice and the name in it differs: of
what the server says to everybody, or to this kind of caller, nothing does.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeGuard
from urllib.parse import unquote

from cancel_contracts.contract.credentials import IDENTITIES, NAMESAKES, PLAIN_USERS, needs_token
from cancel_contracts.contract.given import permission_of
from cancel_contracts.exchange import RECORDED, Exchange, Received
from cancel_contracts.judge.context import Context
from cancel_contracts.judge.entity import returned_entity
from cancel_contracts.judge.sent import sent_object
from cancel_contracts.parse import NO_JSON
from cancel_contracts.sight.observation import observe

# What an answer may hold of the call itself: ids, numbers, times, nonces.
OWN = re.compile(r"[\w+/=.:~-]*[0-9][\w+/=.:~-]*|[\w+/=.:~-]{16,}")
SLOT = "\0"
DATE = re.compile(r"\d{4}-\d\d-\d\d")
LONG_CHARS = 12  # of a text that no sentence holds by chance
TEXT_CHARS = 10_000  # of one text of an answer that are read
UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
BASE64 = re.compile(r"(?<![\w+/-])[\w+/-]{12,}={0,2}", re.ASCII)
WORDS = 20  # of one text that are unpacked
Sentence = tuple[str, int | None, str, str]  # kind of caller, status, place, text without names


def subject(exchange: Exchange, primary: str) -> str:
    """Return by its name whose token a call carries: what is made of the primary's stays theirs."""
    row = IDENTITIES.get(exchange.situation.identity)
    made = row is not None and row.wire is not None
    if made and needs_token(exchange.situation.identity):
        return primary
    return NAMESAKES.get(exchange.situation.identity, exchange.identity)


def is_application(caller: str) -> bool:
    return caller.partition(":")[0].rpartition("-")[2] in ("app", "application")


def primary_of(exchanges: Sequence[Exchange]) -> str:
    ordinary = (x.identity for x in exchanges if x.situation.identity == "primary")
    return next(ordinary, "primary")


def another(context: Context, exchanges: Sequence[Exchange]) -> dict[int, str]:
    """Return which exchanges tell of another caller, each with the name."""
    primary = primary_of(exchanges)
    names = sorted(_names(context, exchanges, primary), key=len, reverse=True)
    some = "|".join(map(re.escape, names)) or "(?!)"
    find = re.compile(rf"(?<![\w-])(?:{some})(?![\w-])", re.IGNORECASE)
    folded_names = {name.casefold() for name in names}

    def named(text: str) -> tuple[str, ...]:
        folded = text.casefold()
        if not any(name in folded for name in folded_names):
            return ()  # far sooner than the expression finds nothing
        return tuple(name.casefold() for name in find.findall(text))

    # Who has a part in a resource: whoever called for it, and whom a look at it names.
    parts: dict[str, set[str]] = defaultdict(set)
    shown: dict[str, int] = {}  # by its hash: most looks show what the one before did
    for x in context.journal.exchanges:
        if x.kind == "cancel":
            parts[x.resource].add(subject(x, primary).casefold())
        elif x.received is not None and shown.get(x.resource) != hash(x.received.body):
            shown[x.resource] = hash(x.received.body)
            parts[x.resource].update(named(x.received.body.decode("utf-8", "replace")))
    told: dict[Sentence, list[tuple[int, tuple[str, ...], set[str]]]] = defaultdict(list)
    for i, x in enumerate(exchanges):
        if x.received is None or x.received.unrecorded:
            continue
        caller, owner = subject(x, primary), x.situation.owner
        sees = not closed(x)  # and may be told whose it is, and who has called for it
        own = {caller, x.identity, owner if sees or permission_of(x.situation.identity) else caller}
        mine = {f"{name}".casefold() for name in own} | {*named(_sent(x))}
        mine |= parts[x.resource] if sees else set()
        fields = {name for name, _ in fields_of(x.received)}
        for place, text in texts_of(x.received):
            if x.succeeded and place.partition(" ")[0] not in fields:
                continue  # of the resource it may tell what it likes
            read = text.replace(x.resource, "#")
            if found := named(read):
                sentence = (_kind(caller), x.status, place, OWN.sub("#", find.sub(SLOT, read)))
                told[sentence].append((i, found, mine))
    result: dict[int, str] = {}
    for rows in told.values():
        varies = [len(set(slot)) > 1 for slot in zip(*(names for _, names, _ in rows), strict=True)]
        for i, names_told, mine in rows:
            for name, differs in zip(names_told, varies, strict=True):
                if differs and name not in mine:
                    result[i] = name
    return result


@dataclass(frozen=True)
class Texts:
    """What resources keep, as texts that stand nowhere by chance, each with those that keep it."""

    keepers: Mapping[str, Collection[str]]

    def of_another(self, exchange: Exchange) -> str | None:
        """Return a text of other resources that stands in an answer to somebody who is to see
        nothing of them.
        """
        if exchange.received is None or not closed(exchange):
            return None
        told = "\n".join(text for _, text in texts_of(exchange.received))
        every = ((text, of) for text, of in self.keepers.items() if text in told)
        return next((t for t, of in every if exchange.resource not in of), None)


def kept_texts(context: Context, exchanges: Sequence[Exchange]) -> Texts:
    """Return what calls gave to be kept. What looks show tells nothing of whose it is: it may be
    the caller's own name.
    """
    keepers: dict[str, set[str]] = defaultdict(set)
    sources = context.contract.lifecycle.records.values()
    for x in exchanges if sources else ():
        said = sent_object(context.contract, x)
        for source in sources:
            if telling(text := said.get(source)):
                keepers[text].add(x.resource)
    return Texts(keepers)


def own_words(context: Context, exchanges: Sequence[Exchange]) -> dict[int, str]:
    """Return which exchanges tell somebody who may not see a resource what it alone shows, or what
    those of its owner alone do.

    What is told of others' resources too is not of this one: the caller's own name it may be.
    """
    shown, lookers = _shown(context)
    if len(shown) < 2:
        return {}  # of one resource nobody knows what all would show
    found: dict[int, str] = {}
    for i, x in enumerate(exchanges):
        sees = x.status != 401 and x.identity in lookers.get(x.resource, ())
        owns = x.situation.owner is not None and subject(x, "") == x.situation.owner
        if not sees and not owns and (texts := shown.get(x.resource)) and (told := _closed(x)):
            sent = _sent(x)
            if given := next((t for t in texts if _stands(t, told) and t not in sent), None):
                found[i] = given
    of = {text: exchanges[i].resource for i, text in found.items()}
    for x in exchanges if of else ():
        told = _closed(x)
        for text in [text for text in of if text not in shown.get(x.resource, ())]:
            if text in told:
                del of[text]
    return {i: text for i, text in found.items() if text in of}


def _stands(text: str, told: str) -> bool:
    """Whether a text stands among words, and is no part of one: of another's address."""
    return text in told and bool(re.search(rf"(?<![\w.+-]){re.escape(text)}(?![\w-])", told))


def _closed(exchange: Exchange) -> str:
    """Return the texts of an answer to somebody who is to see nothing, or nothing."""
    received = exchange.received
    if received is None or received.unrecorded or not closed(exchange):
        return ""
    return "\n".join(text for _, text in texts_of(received))


def _shown(context: Context) -> tuple[dict[str, list[str]], dict[str, set[str]]]:
    """Return the texts that looks at each resource show, and no look at another but of the same
    owner; and who looked.
    """
    shows: dict[str, dict[str, None]] = defaultdict(dict)  # text -> the resources that show it
    owners: dict[str, str | None] = {}
    lookers: dict[str, set[str]] = defaultdict(set)
    for x in context.journal.exchanges:
        look = observe(x, context.contract.lifecycle) if x.kind == "observe" else None
        if look is None or look.entity is None:
            continue
        lookers[x.resource].add(x.identity)
        if x.role == "target":  # whose it is that stands beside, the situation does not tell
            owners.setdefault(x.resource, x.situation.owner)
        for _, text in strings("", look.entity):
            word = text.isalnum() or UUID.fullmatch(text)
            if telling(text) and not word and x.resource not in text:
                shows[text][x.resource] = None
    shown: dict[str, list[str]] = {resource: [] for resource in lookers}
    for text, resources in shows.items():
        of = {owners[resource] for resource in resources if resource in owners}
        if len(resources) == 1 or (len(of) == 1 < len({*owners.values()}) and None not in of):
            for resource in resources:
                shown[resource].append(text)
    return shown, lookers


def telling(text: Any) -> TypeGuard[str]:
    """Whether a value is a text that is long enough, and no date."""
    return isinstance(text, str) and len(text) >= LONG_CHARS and not DATE.match(text)


def _names(context: Context, exchanges: Sequence[Exchange], primary: str) -> set[str]:
    """Return what callers are called: by us, which is what minted tokens say, or by the target."""
    shown, found = context.contract.lifecycle.caller, set[str]()
    for x in exchanges:
        if x.identity == RECORDED:
            continue
        if needs_token(x.situation.identity):
            found |= {subject(x, primary), *([x.situation.owner] if x.situation.owner else [])}
        entity = returned_entity(context, x) if shown and x.succeeded else None
        if shown and entity and isinstance(value := entity.get(shown), str) and value.strip():
            found.add(value)
    return found


def _kind(caller: str) -> str:
    """Return what kind of caller a server may take it for: users who are no administrators are
    one.
    """
    return "user" if caller in PLAIN_USERS else caller


def closed(exchange: Exchange) -> bool:
    """Whether an answer is for somebody who is to see nothing of others: a refusal of the caller,
    or of an id that names nothing.
    """
    status = exchange.status or 0
    absent = exchange.situation.resource in ("unknown", "odd")
    return status in (401, 403, 404) or (absent and status >= 400)


def _sent(exchange: Exchange) -> str:
    body = exchange.sent.body.decode("utf-8", "replace")
    lines = " ".join(value for _, value in exchange.sent.headers)
    return f"{unquote(exchange.sent.url)} {body} {lines}"


def texts_of(received: Received) -> Iterator[tuple[str, str]]:
    """Yield the texts of an answer, each with its place: the status line, a header, a member of the
    body. What is percent-encoded, or in base64, is yielded as it is meant too.
    """
    told = [("reason", received.reason), *fields_of(received)]
    if (value := received.json()) is NO_JSON:
        told.append(("body", received.body[:TEXT_CHARS].decode("utf-8", "replace")))
    else:
        told += strings("body", value)
    for place, text in told:
        text = text[:TEXT_CHARS]
        yield place, unquote(text)
        if "%" in text:
            yield f"{place} as sent", text
        for word in islice(BASE64.findall(text), WORDS):
            if meant := _unpacked(word):
                yield f"{place} unpacked", meant


def fields_of(received: Received) -> list[tuple[str, str]]:
    return [(name.lower(), value) for name, value in received.headers]


def _unpacked(word: str) -> str:
    """Return the text that a word is in base64, or nothing."""
    octets = word.rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        text = b64decode(octets + "=" * (-len(octets) % 4), validate=True).decode("utf-8")
    except ValueError:
        return ""
    return text if text.isprintable() else ""


def strings(place: str, value: Any) -> Iterator[tuple[str, str]]:
    pending = [(place, value)]
    while pending:
        place, value = pending.pop()
        if isinstance(value, str):
            yield place, value
        elif isinstance(value, dict):
            pending += [(f"{place}/{key}", item) for key, item in value.items()]
        elif isinstance(value, list):
            pending += [(place, item) for item in value]
