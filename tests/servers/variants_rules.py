"""Conforming differences of entities and ids, identities and bodies."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from servers.entities import Resource
from servers.front import Request, Response
from servers.service import Call, Service

# --- Entities and ids ----------------------------------------------------------------------------


class Annotated(Service):
    def entity(self, resource: Resource) -> dict[str, Any]:
        base = "https://api.eu.security.example/api/$metadata#MachineActions/$entity"
        more = {"externalId": None, "errorHResult": 0, "troubleshootInfo": None, "new": {"a": [1]}}
        return {"@odata.context": base, "@odata.etag": 'W/"1"'} | super().entity(resource) | more


class Minimal(Service):
    """Only what tells which resource and in which state; the GET shows the rest."""

    def success(self, call: Call) -> Response:
        assert call.resource is not None
        return self.told({"id": call.resource.id, "status": call.resource.state})


class ShortGet(Service):
    """The other way round: the answer tells all, the GET only what tells the state."""

    def show(self, request: Request, id_: str) -> Response:
        told = super().show(request, id_)
        if told.status != 200:
            return told
        kept = ("id", "status", "requestState")
        return self.told({k: v for k, v in json.loads(told.body).items() if k in kept})


class ShowsOneProperty(Service):
    shows = "requestState"

    def entity(self, resource: Resource) -> dict[str, Any]:
        hidden = {"requestState", "requestStatus"} - {self.shows}
        return {k: v for k, v in super().entity(resource).items() if k not in hidden}


class LeavesTheOther(Service):
    """Only `moves` tells of the cancel; the other property keeps what it had."""

    moves = "requestState"

    def cancel(self, resource: Resource, call: Call) -> None:
        before = self.entity(resource)
        super().cancel(resource, call)
        other = {"requestState": "requestStatus", "requestStatus": "requestState"}[self.moves]
        resource.shown[other] = before[other]


class Counts(Service):
    """Ids are numbers in a string, as an example of the resource's page has it."""

    def new_id(self) -> str:
        return str(1_000_000_000 + len(self.resources) + self.calls * 1000)


class Exotic(Service):
    def new_id(self) -> str:
        return f"AAMk/{len(self.resources) + self.calls * 1000}+ü ="


class AnyCase(Service):
    def find(self, id_: str) -> Resource | None:
        return self.resources.get(id_.lower())

    def entity(self, resource: Resource) -> dict[str, Any]:
        return super().entity(resource) | {"id": resource.id.upper()}


class UpperCaseIds(Service):
    def new_id(self) -> str:
        return super().new_id().upper()


# --- Identity ------------------------------------------------------------------------------------


class ApplicationsOnly(Service):
    """Every edition of the page since April 2019."""

    def check_permission(self, call: Call) -> Response | None:
        if not call.caller.application:
            return self.refuse(403, "Forbidden", "Delegated calls are not supported.")
        return super().check_permission(call)


class LaterForensics(Service):
    def granted(self, caller: Any) -> frozenset[str]:
        later = {"Machine.CollectForensics": "Machine.CollectForensic"}
        known = caller.permissions - set(later.values())
        return frozenset(later.get(p, p) for p in known)


class ReadsNeedReading(Service):
    """The GET asks for a permission that its own page lists."""

    reading = frozenset({"Machine.Read.All", "Machine.ReadWrite.All", "Machine.Read"})

    def show(self, request: Request, id_: str) -> Response:
        caller = self.bearer(request)
        if caller is not None and not caller.permissions & self.reading:
            return self.refuse(403, "Forbidden", "The caller may not read.")
        return super().show(request, id_)


class SubjectAccess(Service):
    def check_permission(self, call: Call) -> Response | None:
        small = "EntitlementMgmt-SubjectAccess.ReadWrite" in call.caller.permissions
        own = call.resource is None or call.resource.owner == call.caller.name
        return None if small and own else super().check_permission(call)

    checks = ("caller", "existence", "permission", "content", "ownership", "state")


class ApplicationsUnknown(Service):
    def check_permission(self, call: Call) -> Response | None:
        return self.challenge() if call.caller.application else super().check_permission(call)


class TakesPersonalAccounts(Service):
    """The page of the machine action has no row for them: a convention, no promise."""

    def bearer(self, request: Request) -> Any:
        caller = super().bearer(request)
        return replace(caller, personal=False) if caller else None


class HidesOthers(Service):
    checks = ("caller", "permission", "existence", "ownership", "content", "state")

    def check_ownership(self, call: Call) -> Response | None:
        return self.unknown(call) if super().check_ownership(call) else None


class EveryAudience(Service):
    def bearer(self, request: Request) -> Any:
        self.tokens.addressed = lambda claims: True  # type: ignore[attr-defined]
        return super().bearer(request)


# --- Bodies --------------------------------------------------------------------------------------


class StrictAdministrators(Service):
    """The first sentence of the page, for everybody: supply a JSON representation."""

    def check_package(self, call: Call) -> Response | None:
        if self.media(call) != "application/json":
            return self.refuse(415, "UnsupportedMediaType", "Send application/json.")
        if not self.json(call) or not self.own_cancellation(call):
            return self.refuse(400, "BadRequest", "Send id and requestStatus.")
        return None


class AnySpelling(Service):
    def own_cancellation(self, call: Call) -> bool:
        status = str(call.document.get("requestStatus")).lower()
        return status in ("cancelled", "canceled") and call.document.get("id") == call.id


class ShortComments(Service):
    def check_machine(self, call: Call) -> Response | None:
        if len(call.request.body) > 4000:
            return self.refuse(413, "InvalidRequestBody", "Too long.")
        return super().check_machine(call)


class LooseComments(Service):
    """Null is no comment, and neither is a body of null."""

    def check_machine(self, call: Call) -> Response | None:
        if call.request.body == b"null":
            return None
        if self.json(call) and call.document.get("Comment", "") is None:
            return None
        return super().check_machine(call)


class FoldsNames(Service):
    """As a framework's binder does: the names of members are compared without case."""

    def json(self, call: Call) -> bool:
        good = super().json(call)
        if good:
            call.document = {k.title(): v for k, v in call.document.items()}
        return good


class RefusesForeignIds(Service):
    """Another's id in an administrator's body is refused, not ignored."""

    def check_package(self, call: Call) -> Response | None:
        refusal = super().check_package(call)
        foreign = isinstance(call.document, dict) and call.document.get("id", call.id) != call.id
        return self.refuse(400, "BadRequest", "Whose?") if foreign and not refusal else refusal


class KnownMembersOnly(Service):
    comment_required = True

    def check_machine(self, call: Call) -> Response | None:
        refusal = super().check_machine(call)
        if refusal is None and set(call.document) != {"Comment"}:
            return self.refuse(400, "InvalidRequestBody", "Unknown member.")
        return refusal


FIVE = ("permission", "existence", "content", "ownership", "state")
ORDERS: dict[str, tuple[str, ...]] = {
    "existence first": ("caller", "existence", "permission", "content", "ownership", "state"),
    "content first": ("caller", "content", "permission", "existence", "ownership", "state"),
    "content before the caller": ("media", "caller", *FIVE),
    "content last": ("caller", "existence", "permission", "ownership", "state", "content"),
}


class MediaTypeFirst(Service):
    def check_media(self, call: Call) -> Response | None:
        if self.page.short == "MA" and self.media(call) != "application/json":
            return self.refuse(415, "UnsupportedMediaType", "Send application/json.")
        return None
