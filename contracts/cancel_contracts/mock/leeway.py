"""Leeway: what the documented answers leave open to a server, as questions to a contract.

A fault of how something is told is one only where the documentation refuses it, a variant conforms
only where it does not. Knows no clause.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from cancel_contracts.contract.model import Contract
from cancel_contracts.contract.places import closed, opened
from cancel_contracts.contract.responses import declares
from cancel_contracts.contract.states import GONE
from cancel_contracts.mock import entry, shape
from cancel_contracts.mock.entry import Applies
from cancel_contracts.mock.envelope import ERRORS, form_of
from cancel_contracts.mock.filler import fits


def allows(status: int) -> Applies:
    """A refusal may have this status: it is documented, or no status of refusals is."""
    return lambda contract: shape.allows(contract, status)


def unnamed(status: int) -> Applies:
    """The very code is not documented: what it may be told by may be told by another."""
    return lambda contract: not declares(contract.operation, status)


def final_is_open(contract: Contract) -> bool:
    """No code is documented that says what a final state is refused with."""
    return not any(declares(contract.operation, code) for code in (409, 422, 400))


def told_in_json(status: int) -> Applies:
    """An error of this status is told in JSON, which is documented."""
    return lambda contract: entry.has_envelope(contract) and form_of(contract, status).json


def coded(status: int) -> Applies:
    """An error of this status has a code in its envelope."""

    def applies(contract: Contract) -> bool:
        error = form_of(contract, status).example
        inside = error.get("error") if isinstance(error, dict) else None
        return isinstance(inside, dict) and "code" in inside

    return applies


def error_misfits(status: int, change: Callable[[Any], Any]) -> Applies:
    """An error of this status does not fit its schema, once it is changed so."""

    def applies(contract: Contract) -> bool:
        form = form_of(contract, status)
        return told_in_json(status)(contract) and not fits(form.schema, change(form.example))

    return applies


def errors_may(change: Callable[[Any], Any]) -> Applies:
    """Every error in JSON still fits its schema, once it is changed so."""

    def applies(contract: Contract) -> bool:
        forms = [form_of(contract, status) for status in (None, *ERRORS)]
        told = [form for form in forms if form.json and isinstance(form.example, dict)]
        return entry.has_envelope(contract) and all(fits(f.schema, change(f.example)) for f in told)

    return applies


def states_may(how: Callable[[str], str]) -> Applies:
    """Every state still fits the schema of what is shown, where it is written otherwise."""

    def written(sign: Mapping[str, Any]) -> dict[str, Any]:
        return {at: how(text) if isinstance(text, str) else text for at, text in sign.items()}

    def applies(contract: Contract) -> bool:
        life = contract.lifecycle
        signs = [sign for state in life.states if state != GONE for sign in life.signs(state)]
        changes = [partial(_with, written(sign)) for sign in signs]
        return all(shows_may(change)(contract) for change in changes)

    return applies


def _with(sign: Mapping[str, Any], entity: dict[str, Any]) -> dict[str, Any]:
    return {**entity, **sign}


def shows_may(change: Callable[[dict[str, Any]], Any]) -> Applies:
    """What is shown of the resource still fits its schema, once it is changed so; a success too."""

    def applies(contract: Contract) -> bool:
        shown, ways = shape.entity_example(contract), contract.lifecycle.ways
        status, has_body = shape.successes(contract)[0]
        answer = shape.success_row(contract, status).get("schema") if has_body else None
        told = closed(shown, ways)
        if not entry.entity(contract):
            told = shape.success_body(contract, status, told)
        return fits(contract.observed_schema, closed(change(shown), ways)) and (
            not isinstance(told, dict) or fits(answer, closed(change(opened(told, ways)), ways))
        )

    return applies
