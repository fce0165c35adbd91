"""What the three pages say, as far as a server needs it: routes, states, permissions, spellings."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Page:
    """One endpoint. `cancelled` is the state after a cancel, as this product would show it."""

    contract: str
    prefix: str
    collection: str
    verb: str
    cancellable: tuple[str, ...]
    final: tuple[str, ...]
    cancelled: str
    delegated: frozenset[str]
    application: frozenset[str]
    audiences: frozenset[str]

    @property
    def short(self) -> str:
        """SA, MA or AP, as clause ids begin."""
        return {"s": "SA", "m": "MA", "a": "AP"}[self.contract[0]]

    @property
    def spelling(self) -> dict[str, str]:
        return {s.lower(): s for s in (*self.cancellable, *self.final, self.cancelled)}


GRAPH = frozenset({"https://graph.microsoft.com", "https://graph.microsoft.com/"})
SEVEN = frozenset(
    f"Machine.{what}"
    for what in (
        "CollectForensic",
        "Isolate",
        "RestrictExecution",
        "Scan",
        "Offboard",
        "StopAndQuarantine",
        "LiveResponse",
    )
)

SECURITY = Page(
    contract="security-action",
    prefix="/beta",
    collection="/security/securityActions",
    verb="cancelSecurityAction",
    cancellable=("NotStarted", "Running"),
    final=("Completed", "Failed"),
    cancelled="Cancelled",
    delegated=frozenset({"SecurityActions.ReadWrite.All"}),
    application=frozenset({"SecurityActions.ReadWrite.All"}),
    audiences=GRAPH,
)
MACHINE = Page(
    contract="machine-action",
    prefix="",
    collection="/api/machineactions",
    verb="cancel",
    cancellable=("Pending", "InProgress"),
    final=("Succeeded", "Failed", "TimeOut", "Cancelled"),
    cancelled="Cancelled",
    delegated=SEVEN,
    application=SEVEN,
    audiences=frozenset({"https://api.securitycenter.microsoft.com"}),
)
PACKAGE = Page(
    contract="access-package-assignment-request",
    prefix="/beta",
    collection="/identityGovernance/entitlementManagement/accessPackageAssignmentRequests",
    verb="cancel",
    cancellable=("accepted", "pendingApproval", "pendingNotBefore", "pendingApprovalEscalated"),
    final=(
        "submitted",
        "scheduled",
        "delivering",
        "delivered",
        "partiallyDelivered",
        "deliveryFailed",
        "denied",
        "canceled",
    ),
    cancelled="canceled",
    delegated=frozenset({"EntitlementManagement.ReadWrite.All"}),
    application=frozenset(),
    audiences=GRAPH,
)
PAGES = {page.short: page for page in (SECURITY, MACHINE, PACKAGE)}

# requestState and requestStatus beside each other, as the examples of the resource's pages show
# them: a request that is `accepted` has been Submitted, one that is Delivered has been Fulfilled.
PACKAGE_SHOWS = {
    "accepted": ("Submitted", "Accepted"),
    "pendingApproval": ("PendingApproval", "PendingApproval"),
    "pendingNotBefore": ("Scheduled", "PendingNotBefore"),
    "pendingApprovalEscalated": ("PendingApproval", "PendingApprovalEscalated"),
    "submitted": ("Submitted", "Submitted"),
    "scheduled": ("Scheduled", "Scheduled"),
    "delivering": ("Delivering", "Fulfilling"),
    "delivered": ("Delivered", "Fulfilled"),
    "partiallyDelivered": ("PartiallyDelivered", "PartiallyFulfilled"),
    "deliveryFailed": ("DeliveryFailed", "FulfillmentFailed"),
    "denied": ("Denied", "Denied"),
    "canceled": ("Canceled", "Canceled"),
}
