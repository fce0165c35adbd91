"""What a set-up may have made that no answer tells of. Pure."""

from __future__ import annotations

from cancel_contracts.exchange import NOBODY_THERE
from cancel_contracts.parse import refusal
from cancel_contracts.transport.client import Answer


def maybe_left(state: str, owner: str | None, why: str) -> str:
    """Say that a set-up may have made something that no tear-down can name."""
    return f"a {state}{f' of {owner}' if owner else ''} is maybe left, nobody knows its id: {why}"


def made_nothing(status: int) -> bool:
    """Whether the status of an answer says that nothing was made.

    A 5xx may be a gateway's, and what is behind it has made something. But 501 does not know the
    call (RFC 9110 section 15.6.2). Of the redirects some ask for the same call elsewhere; 303, and
    302 in its place, is how a call that was carried out shows what it made (section 15.4.4).
    """
    return refusal(status) or status in (301, 307, 308, 501)


def got_nowhere(answer: Answer) -> bool:
    """Whether a call reached nobody who could have made something. A proxy may have passed it on
    before it answered itself.
    """
    passed_on = answer.by_proxy is not None and not made_nothing(answer.by_proxy)
    return answer.failure in NOBODY_THERE and not passed_on
