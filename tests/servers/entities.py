"""The resources that a cancel acts on, and how each product shows them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from servers.pages import PACKAGE_SHOWS

DATE = "2024-10-21T11:25:48.3308187Z"


@dataclass
class Resource:
    """What a cancel acts on. `shown` overrides properties of the entity."""

    id: str
    state: str
    owner: str
    comment: str | None = None
    cancelled_by: str | None = None
    cancelled_at: str | None = None
    touched: str = DATE
    shown: dict[str, Any] = field(default_factory=dict)


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f7Z")


def security_action(resource: Resource, spell: Any) -> dict[str, Any]:
    return {
        "id": resource.id,
        "name": "blockIp",
        "status": spell(resource.state),
        "createdDateTime": DATE,
        "lastActionDateTime": resource.touched,
        "vendorInformation": {"provider": "Independent", "vendor": "Test"},
    }


def machine_action(resource: Resource, spell: Any) -> dict[str, Any]:
    return {
        "id": resource.id,
        "type": "Isolate",
        "requestor": "analyst@contoso.example",
        "requestorComment": "Isolated",
        "status": spell(resource.state),
        "machineId": "7b1f4967d9728e5aa3c06a9e617a22a4a5a17378",
        "creationDateTimeUtc": DATE,
        "lastUpdateDateTimeUtc": resource.touched,
        "cancellationRequestor": resource.cancelled_by,
        "cancellationComment": resource.comment,
        "cancellationDateTimeUtc": resource.cancelled_at,
        "commands": [],
    }


def package_request(resource: Resource, spell: Any) -> dict[str, Any]:
    state, status = PACKAGE_SHOWS[resource.state]
    return {
        "id": resource.id,
        "requestType": "UserAdd",
        "requestState": spell(state),
        "requestStatus": spell(status),
        "justification": "Needed for the project",
        "createdDateTime": DATE,
    }


ENTITIES = {"SA": security_action, "MA": machine_action, "AP": package_request}
