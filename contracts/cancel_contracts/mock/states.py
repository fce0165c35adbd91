"""The provider-state handler, in Pact's wire form. Any contract, any state that it names."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cancel_contracts.mock.call import Reply
from cancel_contracts.mock.desk import Desk

PATH = "/_pact/provider-states"


def problem(status: int, message: str) -> Reply:
    return Reply(status).with_json({"error": {"code": "ProviderState", "message": message}})


def handle(method: str, raw: bytes, desks: Mapping[str, Desk]) -> Reply:
    """Set up or tear down one resource."""
    if method != "POST":
        return problem(405, "POST it").with_header("Allow", "POST")
    try:
        asked = json.loads(raw.decode("utf-8"))
        action, params = asked.get("action", "setup"), asked["params"]
        name, state, owner = params["contract"], params.get("state"), params.get("owner")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return problem(400, "not of the form {action, params: {contract, state}}")
    desk = desks.get(name) if isinstance(name, str) else None
    if desk is None:
        return problem(404, f"no such contract; there are {', '.join(desks)}")
    if action == "setup":
        return set_up(desk, state, owner)
    if action == "teardown":
        id_: Any = params.get("id")
        gone = isinstance(id_, (str, int)) and desk.store.drop(str(id_))
        return Reply(200).with_json({}) if gone else problem(404, "no such resource")
    return problem(400, "action is setup or teardown")


def set_up(desk: Desk, state: Any, owner: Any) -> Reply:
    if state not in desk.contract.lifecycle.states:
        states = ", ".join(desk.contract.lifecycle.states)
        return problem(404, f"no such state; there are {states}")
    if owner is not None and not isinstance(owner, str):
        return problem(400, "owner is a name")
    return Reply(200).with_json({"id": desk.contract.id.written(desk.create(state, owner).id)})
