"""Graph v1.0 `assignmentRequests/{id}/cancel`: the page, its server, its faults and variants.

The server is the one of the beta page but for what v1.0 says otherwise: another path, no body, the
properties of the resource renamed, and the least permission for the own request alone. Faults are
those that are registered for the other pages of Graph, under the clauses that say the same here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from servers import faults_identity, faults_request
from servers import variants_habits as habits
from servers import variants_rules as rules
from servers import variants_wire as wire
from servers.entities import DATE, Resource
from servers.faults import Fault
from servers.front import Front, Response, Stdlib11, Written
from servers.pages import GRAPH, PACKAGE, Page
from servers.register import GENERAL, registered
from servers.service import Call, Service
from servers.tokens import Opaque, Signed

LEAST = "EntitlementMgmt-SubjectAccess.ReadWrite"
ASSIGNMENT = Page(
    contract="assignment-request",
    prefix="/v1.0",
    collection="/identityGovernance/entitlementManagement/assignmentRequests",
    verb="cancel",
    cancellable=PACKAGE.cancellable,
    final=PACKAGE.final,
    cancelled="canceled",
    delegated=frozenset({"EntitlementManagement.ReadWrite.All", LEAST}),
    application=frozenset(),
    audiences=GRAPH,
)
# state and status beside each other: the first is an enumeration of nine words.
SHOWS = {
    "accepted": ("submitted", "Accepted"),
    "pendingApproval": ("pendingApproval", "PendingApproval"),
    "pendingNotBefore": ("scheduled", "PendingNotBefore"),
    "pendingApprovalEscalated": ("pendingApproval", "PendingApprovalEscalated"),
    "submitted": ("submitted", "Submitted"),
    "scheduled": ("scheduled", "Scheduled"),
    "delivering": ("delivering", "Fulfilling"),
    "delivered": ("delivered", "Fulfilled"),
    "partiallyDelivered": ("partiallyDelivered", "PartiallyFulfilled"),
    "deliveryFailed": ("deliveryFailed", "FulfillmentFailed"),
    "denied": ("denied", "Denied"),
    "canceled": ("canceled", "Canceled"),
}


class Assigned(Service):
    """A faithful server of v1.0."""

    def check_content(self, call: Call) -> Response | None:
        unwanted = call.request.body and not self.body_allowed
        return self.refuse(400, "BadRequest", "No body is taken.") if unwanted else None

    def check_ownership(self, call: Call) -> Response | None:
        least = self.granted(call.caller) & self.page.delegated == {LEAST}
        if self.owns(call) or (call.caller.admin and not least):
            return None
        return self.refuse(403, "UnAuthorized", "The request is another user's.")

    def entity(self, resource: Resource) -> dict[str, Any]:
        state, status = SHOWS[resource.state]
        return {
            "id": resource.id,
            "requestType": "userAdd",
            "state": self.spell(state),
            "status": self.spell(status),
            "justification": "Needed for the project",
            "createdDateTime": DATE,
            "completedDateTime": resource.cancelled_at,
        } | resource.shown


class TakesTheLeastAlone(Assigned):
    """The table of permissions has one permission; the tip's is refused (dialect table)."""

    def granted(self, caller: Any) -> frozenset[str]:
        return super().granted(caller) - {LEAST}


class BetaAsksForABody(Assigned):
    """The beta edition's rule: owners send a body."""

    def check_content(self, call: Call) -> Response | None:
        if call.caller.admin or call.request.body:
            return None
        return self.refuse(400, "BadRequest", "Send id and requestStatus.")


class LeastCancelsNothingOfTheOwner(Assigned):
    """The owner is refused: only administrators cancel."""

    def check_ownership(self, call: Call) -> Response | None:
        return None if call.caller.admin else self.refuse(403, "UnAuthorized", "No role.")


class AnswersTheRequest(Assigned):
    """What the method table of the resource page says: an object comes back."""

    def success(self, call: Call) -> Response:
        assert call.resource is not None
        return self.told(self.entity(call.resource))


# The clauses of the other pages of Graph that say what a clause of v1.0 says.
SAME = {
    "AP-01": "AR-01", "AP-04": "AR-01", "AP-05": "AR-02", "AP-44": "AR-03", "AP-45": "AR-04",
    "AP-06": "AR-05", "AP-36": "AR-06", "AP-07": "AR-10", "AP-08": "AR-11", "AP-09": "AR-12",
    "AP-10": "AR-13", "AP-11": "AR-14", "AP-47": "AR-15", "AP-37": "AR-16", "AP-38": "AR-17",
    "AP-48": "AR-18", "AP-72": "AR-19", "AP-41": "AR-20", "AP-49": "AR-21", "AP-13": "AR-30",
    "AP-14": "AR-31", "AP-15": "AR-32", "AP-16": "AR-33", "AP-18": "AR-35", "AP-54": "AR-36",
    "AP-25": "AR-37", "AP-67": "AR-38", "AP-19": "AR-40", "AP-51": "AR-42", "AP-64": "AR-42",
    "AP-52": "AR-43", "AP-42": "AR-44", "AP-66": "AR-44", "AP-65": "AR-45", "AP-76": "AR-47",
    "AP-69": "AR-48", "AP-70": "AR-49", "AP-71": "AR-55", "AP-32": "AR-62", "AP-33": "AR-63",
    "AP-31": "AR-61", "AP-35": "AR-64", "AP-40": "AR-65", "AP-60": "AR-67", "AP-73": "AR-69",
    "AP-62": "AR-70", "AP-63": "AR-71", "SA-14": "AR-50", "SA-15": "AR-51", "SA-16": "AR-60",
    "SA-46": "AR-53", "SA-47": "AR-54", "SA-40": "AR-70",
}  # fmt: skip
# They break what the beta edition asks of an owner's body.
OF_BODIES = (faults_identity.OwnersBodyRefused, faults_request.OwnersTextTakenAndNotRead)
OWN = (
    (BetaAsksForABody, ("AR-36",)),
    (LeastCancelsNothingOfTheOwner, ("AR-36",)),
    (AnswersTheRequest, ("AR-61",)),
)


def faults() -> Iterator[
    tuple[str, type[Service], Mapping[str, Any], tuple[str, ...], Fault | None]
]:
    """Yield (name, service, attributes, clauses, the registered fault) of each fault of v1.0."""
    for service, clauses in OWN:
        yield service.__name__, service, {}, clauses, None
    for fault in registered(GENERAL):
        named = [id_ for ids in fault.clauses.values() for id_ in ids if id_ in SAME]
        wanted = tuple(dict.fromkeys(SAME[id_] for id_ in named))
        if wanted and fault.service not in OF_BODIES:
            yield fault.name, fault.service, fault.attributes, wanted, fault


# (name, services, attributes, how it speaks HTTP, whether its tokens can be minted)
VARIANTS: tuple[tuple[str, tuple[type[Service], ...], dict[str, Any], type[Front], bool], ...] = (
    ("refuses bodies, 422 and 403", (), {"body_allowed": False, "final_status": 422,
                                         "malformed_status": 400}, Written, True),
    ("http.server, opaque tokens", (), {}, Stdlib11, False),
    ("the table's permission alone", (TakesTheLeastAlone,), {}, Written, True),
    ("chunked emptiness, strict order", (), {"empty_chunked": True, "checks": (
        "caller", "existence", "permission", "ownership", "state", "content")}, Written, True),
    ("hides others, dressed emptiness", (rules.HidesOthers, wire.DressedEmptiness), {}, Written,
     True),
    ("only GUIDs, many headers, 204 for OPTIONS", (habits.OnlyGuids, habits.ManyHeaders),
     {"options_status": 204}, Written, True),
)  # fmt: skip


def served(
    services: tuple[type[Service], ...] = (),
    attributes: Mapping[str, Any] | None = None,
    *,
    signed: bool = True,
) -> Service:
    """Return a server of v1.0 with what some services do otherwise before it."""
    kinds = dict.fromkeys((*services, Assigned))
    kind: type[Service] = type("AssignedOtherwise", tuple(kinds), dict(attributes or {}))
    return kind(ASSIGNMENT, Signed(ASSIGNMENT) if signed else Opaque(ASSIGNMENT))
