"""What a target file sends beside a token: header fields, a client certificate, ids of resources.
Reads no secret.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cancel_contracts.contract.credentials import FIELD_NAME
from cancel_contracts.errors import UsageError

# What the suite itself sends, or the connection is framed by: a clause may rest on each.
_OURS = frozenset({
    "accept", "accept-encoding", "client-request-id", "connection", "content-length",
    "content-type", "host", "transfer-encoding",
})  # fmt: skip
AUTHORIZATION = "authorization"
IDS_OF_A_PATTERN = 10_000


@dataclass(frozen=True)
class FieldSource:
    """A header field: `kind` is token (the value as it stands), env or file. With a `user` it is
    the Authorization of RFC 7617, and the value is the password.
    """

    name: str
    kind: str
    value: str = field(repr=False)
    place: str = ""
    user: str | None = None


@dataclass(frozen=True)
class CertificateSource:
    """A client certificate: the PEM file, and that of its key where it stands apart."""

    certificate: str
    key: str | None = None
    place: str = ""


def headers_of(place: str, row: Mapping[str, Any]) -> tuple[FieldSource, ...]:
    """Return the fields that go with every call to the target. Raises UsageError."""
    found = _fields(f"{place}: headers", row)
    for source in found:
        if source.name.lower() == AUTHORIZATION:
            raise UsageError(
                source.place, "says who calls", "give whoever calls under `identities`"
            )
    return found


def handler_of(place: str, states: Any) -> tuple[str | None, tuple[FieldSource, ...]]:
    """Return the URL of a provider-state handler, and the fields that it is sent. Raises
    UsageError.
    """
    if isinstance(states, str):
        return states, ()
    if not isinstance(states, Mapping) or "url" not in states:
        return None, ()
    found = _fields(f"{place}: provider_states/headers", states.get("headers", {}))
    if (basic := states.get("basic")) is not None:
        at = f"{place}: provider_states/basic"
        if any(source.name.lower() == AUTHORIZATION for source in found):
            raise UsageError(at, "stands beside an Authorization", "keep one of the two")
        if ":" in basic["user"]:
            raise UsageError(at, "has a colon in its user (RFC 7617)", "send a header instead")
        found += (_source("Authorization", at, basic["password"], basic["user"]),)
    return str(states["url"]), found


def certificate_of(place: str, row: Any) -> CertificateSource | None:
    if row is None:
        return None
    at = f"{place}: client_certificate"
    if isinstance(row, str):
        return CertificateSource(row, place=at)
    return CertificateSource(row["certificate"], row["key"], at)


def _fields(place: str, row: Mapping[str, Any]) -> tuple[FieldSource, ...]:
    seen: set[str] = set()
    for name in row:
        if not FIELD_NAME.fullmatch(name):
            raise UsageError(place, "a name is no header name", "write it as `Name: value`")
        if name.lower() in _OURS:
            raise UsageError(f"{place}/{name}", "is sent by the suite itself", "leave it out")
        if name.lower() in seen:
            raise UsageError(f"{place}/{name}", "stands twice", "keep one of the two")
        seen.add(name.lower())
    return tuple(_source(name, f"{place}/{name}", value) for name, value in row.items())


def _source(name: str, place: str, value: Any, user: str | None = None) -> FieldSource:
    if isinstance(value, str):
        return FieldSource(name, "token", value, place, user)
    ((kind, given),) = value.items()
    return FieldSource(name, kind, given, place, user)


def ids_of(place: str, states: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Return the ids of each state, in order. A pattern stands for many: its run of # is a number,
    from 1 up, padded with zeros.
    """
    return {
        state: tuple(
            i for id_ in given for i in _numbered(f"{place}: provider_states/{state}", str(id_))
        )
        for state, given in states.items()
    }


def _numbered(place: str, id_: str) -> list[str]:
    width = id_.count("#")
    if width == 0:
        return [id_]
    if "#" * width not in id_:
        fix = "leave one run of #, which stands for a number"
        raise UsageError(place, f"{id_!r} has # in two places", fix)
    numbers = range(1, min(10**width, IDS_OF_A_PATTERN + 1))
    return [id_.replace("#" * width, f"{number:0{width}}") for number in numbers]
