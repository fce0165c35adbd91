"""Facts of a call, as questions, so that a fault can ask for two of them at once.

Each may be asked before any step: who calls and what the id names is looked up where need be.
"""

from __future__ import annotations

from cancel_contracts.mock import entry, identity
from cancel_contracts.mock.call import Call, Caller, Refusal
from cancel_contracts.mock.desk import Desk
from cancel_contracts.mock.kit import When
from cancel_contracts.mock.store import Resource


def target(desk: Desk, call: Call) -> Resource | None:
    """Return what the id of the path names, or None."""
    if call.resource is not None:
        return call.resource
    try:
        return desk.lookup(call)
    except Refusal:
        return None


def caller(desk: Desk, call: Call) -> Caller:
    """Return who calls by the token, valid or not; nobody where there is none."""
    if not call.caller.trusted:
        return call.caller
    try:
        return identity.caller_of(identity.unverified(desk.token(call)))
    except Refusal:
        return Caller(sub="")


def not_(when: When) -> When:
    return lambda desk, call: not when(desk, call)


def either(*whens: When) -> When:
    return lambda desk, call: any(when(desk, call) for when in whens)


# --- Who ------------------------------------------------------------------------------------------


def application(desk: Desk, call: Call) -> bool:
    who = caller(desk, call)
    return who.kind == "application" and bool(who.sub)


def delegated(desk: Desk, call: Call) -> bool:
    return caller(desk, call).kind == "delegated"


def user(desk: Desk, call: Call) -> bool:
    """A user who is no administrator."""
    return caller(desk, call).owner_only


def tokenless(desk: Desk, call: Call) -> bool:
    return "authorization" not in call.headers


# --- What -----------------------------------------------------------------------------------------


def state(index: int) -> When:
    """The resource is in the nth cancellable state, counted from 1; -1 is the last."""

    def when(desk: Desk, call: Call) -> bool:
        states, found = desk.contract.lifecycle.cancellable, target(desk, call)
        place = index - 1 if index > 0 else index
        return found is not None and len(states) > place and found.state == states[place]

    return when


def began(index: int) -> When:
    """The resource was made in the nth cancellable state, counted from 1."""

    def when(desk: Desk, call: Call) -> bool:
        states, found = desk.contract.lifecycle.cancellable, target(desk, call)
        return found is not None and found.first_state == states[index - 1]

    return when


def final(desk: Desk, call: Call) -> bool:
    """The resource is in a final state that is not the one after a cancel."""
    found = target(desk, call)
    return found is not None and found.state in entry.rivals(desk.contract)


def open_(desk: Desk, call: Call) -> bool:
    """The resource can be cancelled."""
    found = target(desk, call)
    return found is not None and found.state in desk.contract.lifecycle.cancellable


def cancelled(desk: Desk, call: Call) -> bool:
    """The resource was cancelled by an earlier call."""
    found = target(desk, call)
    return found is not None and found.changed_at > 0


def unknown(desk: Desk, call: Call) -> bool:
    return target(desk, call) is None


def owned(desk: Desk, call: Call) -> bool:
    """The resource is a named user's."""
    found = target(desk, call)
    return found is not None and found.owner is not None


# --- How ------------------------------------------------------------------------------------------


def chunked(desk: Desk, call: Call) -> bool:
    return "chunked" in call.headers.get("transfer-encoding", "").lower()


def media_parameter(desk: Desk, call: Call) -> bool:
    return ";" in call.headers.get("content-type", "")


def kept(desk: Desk, call: Call) -> bool:
    """The call is not the first on its connection."""
    return call.turn > 1


def has(name: str, part: str = "") -> When:
    """A header is there, with this in its value."""
    return lambda desk, call: name in call.headers and part in call.headers[name]


def without(name: str) -> When:
    return lambda desk, call: name not in call.headers


def query(desk: Desk, call: Call) -> bool:
    return b"?" in call.target


def post(desk: Desk, call: Call) -> bool:
    return call.method == desk.contract.method
