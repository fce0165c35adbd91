"""The values that a target file gives to parameters, in place of the spec's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cancel_contracts.contract.model import Contract
from cancel_contracts.contract.parameters import UNIQUE, fits, text_of
from cancel_contracts.errors import UsageError
from cancel_contracts.targets.fields import FieldSource


def parameters_of(place: str, raw: Mapping[str, Any], contract: Contract) -> dict[str, str]:
    """Return the values of a file for one contract; those at its top may be of others.

    Raises UsageError for a value that the contract's own schema refuses, or no header may hold.
    """
    general = raw.get("parameters", {})
    own = raw.get("contracts", {}).get(contract.name, {}).get("parameters", {})
    found: dict[str, str] = {}
    for each in (*contract.parameters, *contract.observe_parameters):
        if each.name not in {**general, **own}:
            continue
        within = f"contracts/{contract.name}/parameters" if each.name in own else "parameters"
        text = text_of({**general, **own}[each.name])
        if UNIQUE not in text and not fits(each.schema, text):
            told = f"{each.name} has a value that the schema of {contract.name} refuses"
            raise UsageError(f"{place}: {within}", told, "give another")
        if each.place == "header" and not (text.isascii() and text.isprintable()):
            told = f"{each.name} holds what no header may"
            raise UsageError(f"{place}: {within}", told, "use ASCII")
        found[each.name] = text
    return found


def check_headers(contract: Contract, sources: Iterable[FieldSource]) -> None:
    """Raise for a field that the operation has a place for: it would go with every call."""
    said = {p.name.lower() for p in contract.parameters if p.place == "header"}
    scheme = contract.scheme
    key = {"header": scheme.name.lower(), "cookie": "cookie"}.get(scheme.place)
    for source in sources:
        if source.name.lower() == key:
            told = f"says who calls {contract.name}"
            raise UsageError(source.place, told, "give whoever calls under `identities`")
        if source.name.lower() in said:
            told = f"is a parameter of {contract.name}"
            raise UsageError(source.place, told, "give it under `parameters`")
