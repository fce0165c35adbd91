"""Servers of the worked examples (examples/contracts), written from the vendors' pages on the
standard library alone: GitHub's "cancel a workflow run" and Azure Batch's "delete a job".

Each promise is a hook. A fault overrides one that a page makes, a variant one that none makes.
"""

from __future__ import annotations

import json
import re
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote

from servers.front import Request, Response, written
from servers.tokens import Caller

PROVIDER = "/_pact/provider-states"
KEY = "a shared secret of the worked examples, 32 bytes and more"
JSON = "application/json; charset=utf-8"


@dataclass
class Thing:
    """A run, or a job. `ends` is when a cancel takes effect (monotonic), `first` its state before."""

    id: str
    state: str
    ends: float | None = None


class Vendor:
    """What both servers have: tokens, the provider-state handler, a store, the order of checks."""

    contract: ClassVar[str]
    audience: ClassVar[str]
    scope: ClassVar[str]
    method: ClassVar[str]
    allowed: ClassVar[str]
    cancellable: ClassVar[tuple[str, ...]]
    checks: tuple[str, ...] = ("caller", "permission", "place", "request", "existence", "state")
    lasts = 0.05  # seconds until a cancel has taken effect
    anonymous_status = 401
    forbidden_status = 403
    unknown_status = 404
    options_status = 204
    method_status = 405

    def __init__(self) -> None:
        self.things: dict[str, Thing] = {}
        self.lock = threading.RLock()
        self.stopped = threading.Event()
        self.number = 30_433_642

    # --- Routes -----------------------------------------------------------------------------------

    def answer(self, request: Request) -> Response:
        target = re.sub("(?i)^https?://[^/]*", "", request.target)
        path, _, query = target.partition("?")
        if path == PROVIDER:
            return self.provide(request)
        if (found := self.routed(path)) is None:
            return self.refuse(404, "NotFound", "There is no such route.")
        kind, place, id_ = found
        given = {name: rows[-1] for name, rows in parse_qs(query, keep_blank_values=True).items()}
        with self.lock:
            if request.method == self.method and kind in ("cancel", "both"):
                return self.cancel(request, place, unquote(id_, errors="replace"), given)
            if request.method in ("GET", "HEAD") and kind in ("observe", "both"):
                return self.show(request, place, unquote(id_, errors="replace"), given)
        return self.other_method(request)

    def routed(self, path: str) -> tuple[str, tuple[str, ...], str] | None:
        """Return (cancel, observe or both; the values before the id; the id), or None."""
        raise NotImplementedError

    def other_method(self, request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(self.options_status, headers=(("Allow", self.allowed),))
        refusal = self.refuse(self.method_status, "MethodNotAllowed", "Use another method.")
        return replace(refusal, headers=(*refusal.headers, ("Allow", self.allowed)))

    def encode(self, response: Response, request: Request, close: bool) -> bytes:
        return written(response, request, close)

    def provide(self, request: Request) -> Response:
        document = json.loads(request.body)
        params = document["params"]
        with self.lock:
            if document["action"] == "teardown":
                self.things.pop(str(params.get("id", "")), None)
                return Response(200, b"{}", (("Content-Type", JSON),))
            thing = self.made(params["state"])
        body = json.dumps({"id": self.given_out(thing)}).encode()
        return Response(201, body, (("Content-Type", JSON),))

    def made(self, state: str) -> Thing:
        thing = Thing(self.new_id(), state)
        self.things[thing.id] = thing
        return thing

    def new_id(self) -> str:
        raise NotImplementedError

    def given_out(self, thing: Thing) -> Any:
        return thing.id

    # --- The call ---------------------------------------------------------------------------------

    def cancel(
        self, request: Request, place: tuple[str, ...], id_: str, given: dict[str, str]
    ) -> Response:
        for name in self.checks:
            refusal = getattr(self, f"check_{name}")(request, place, id_, given)
            if refusal is not None:
                return self.refused(request, id_, refusal)
        thing = self.things[id_]
        self.perform(thing)
        return self.success(thing)

    def refused(self, request: Request, id_: str, refusal: Response) -> Response:
        return refusal

    def perform(self, thing: Thing) -> None:
        thing.ends = time.monotonic() + self.lasts

    def success(self, thing: Thing) -> Response:
        raise NotImplementedError

    def show(
        self, request: Request, place: tuple[str, ...], id_: str, given: dict[str, str]
    ) -> Response:
        for name in ("caller", "place", "request", "existence"):
            refusal: Response | None = getattr(self, f"check_{name}")(request, place, id_, given)
            if refusal is not None:
                return refusal
        return self.told(200, self.entity(self.things[id_]))

    def check_caller(self, request: Request, *where: Any) -> Response | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if not scheme or not token.strip():
            return self.challenge(self.anonymous_status)
        caller = self.holder(scheme, token.strip())
        return None if caller is not None else self.challenge(401)

    def holder(self, scheme: str, token: str) -> Caller | None:
        return self.tokens.caller(token) if scheme.lower() == "bearer" else None

    tokens: Any  # set by `serving`

    def check_permission(self, request: Request, *where: Any) -> Response | None:
        scheme, _, token = request.headers["authorization"].partition(" ")
        caller = self.holder(scheme, token.strip())
        if caller is not None and self.scope in caller.permissions:
            return None
        return self.refuse(self.forbidden_status, "Forbidden", "The token has too little.")

    def check_place(
        self, request: Request, place: tuple[str, ...], id_: str, given: dict[str, str]
    ) -> Response | None:
        return None

    def check_request(
        self, request: Request, place: tuple[str, ...], id_: str, given: dict[str, str]
    ) -> Response | None:
        return None

    def check_existence(
        self, request: Request, place: tuple[str, ...], id_: str, given: dict[str, str]
    ) -> Response | None:
        return None if id_ in self.things else self.unknown()

    def unknown(self) -> Response:
        return self.refuse(self.unknown_status, "NotFound", "Not Found")

    def check_state(
        self, request: Request, place: tuple[str, ...], id_: str, given: dict[str, str]
    ) -> Response | None:
        state = self.state_of(self.things[id_])
        return None if state in self.cancellable else self.conflict()

    def state_of(self, thing: Thing) -> str:
        raise NotImplementedError

    def conflict(self) -> Response:
        raise NotImplementedError

    # --- Answers ----------------------------------------------------------------------------------

    def challenge(self, status: int) -> Response:
        refusal = self.refuse(status, "AuthenticationFailed", "Requires authentication")
        if status != 401:
            return refusal
        return replace(refusal, headers=(*refusal.headers, ("WWW-Authenticate", "Bearer")))

    def told(self, status: int, value: Any) -> Response:
        return Response(status, json.dumps(value).encode(), (("Content-Type", JSON),))

    def refuse(self, status: int, code: str, message: str) -> Response:
        raise NotImplementedError

    def entity(self, thing: Thing) -> dict[str, Any]:
        raise NotImplementedError


class GitHub(Vendor):
    """POST /repos/{owner}/{repo}/actions/runs/{run_id}/cancel."""

    contract = "github-workflow-run"
    audience = "https://api.github.com"
    scope = "repo"
    method = "POST"
    allowed = "POST"
    cancellable = ("queued", "in_progress", "waiting")
    checks = ("caller", "request", "place", "permission", "existence", "state")
    owner, repo = "octo-org", "octo-repo"
    versions: tuple[str | None, ...] = (None, "2022-11-28")
    version_status = 400
    conflict_status = 409
    success_body: Any = {}  # noqa: RUF012 - never changed
    accepted = 202

    def routed(self, path: str) -> tuple[str, tuple[str, ...], str] | None:
        parts = path.split("/")
        if len(parts) in (7, 8) and (parts[1], *parts[4:6]) == ("repos", "actions", "runs"):
            if len(parts) == 7:
                return "observe", (parts[2], parts[3]), parts[6]
            if parts[7] == "cancel":
                return "cancel", (parts[2], parts[3]), parts[6]
        return None

    def new_id(self) -> str:
        self.number += 1
        return str(self.number)

    def given_out(self, thing: Thing) -> Any:
        return int(thing.id)

    def check_place(
        self, request: Request, place: tuple[str, ...], id_: str, given: dict[str, str]
    ) -> Response | None:
        here = (self.owner, self.repo) == tuple(unquote(p).lower() for p in place)
        return None if here else self.refuse(404, "", "Not Found")

    def check_request(
        self, request: Request, place: tuple[str, ...], id_: str, given: dict[str, str]
    ) -> Response | None:
        if request.headers.get("x-github-api-version") in self.versions:
            return None
        return self.refuse(self.version_status, "", "The API version is not supported.")

    def state_of(self, thing: Thing) -> str:
        over = thing.ends is not None and thing.ends <= time.monotonic()
        return "cancelled" if over else thing.state

    def conflict(self) -> Response:
        told = "Cannot cancel a workflow run that is completed."
        return self.refuse(self.conflict_status, "", told)

    def success(self, thing: Thing) -> Response:
        return self.told(self.accepted, self.success_body)

    def refuse(self, status: int, code: str, message: str) -> Response:
        return self.told(status, self.error(status, message))

    def error(self, status: int, message: str) -> Any:
        page = "https://docs.github.com/rest/actions/workflow-runs#cancel-a-workflow-run"
        return {"message": message, "documentation_url": page, "status": str(status)}

    def entity(self, thing: Thing) -> dict[str, Any]:
        status, conclusion = self.shown(self.state_of(thing))
        return {
            "id": int(thing.id),
            "name": "Build",
            "head_branch": "main",
            "head_sha": "009b8a3a9ccbb128af87f9b1c0f4c62e8a304f6d",
            "run_number": 562,
            "event": "push",
            "status": status,
            "conclusion": conclusion,
            "workflow_id": 159038,
            "created_at": "2026-01-22T19:33:08Z",
            "updated_at": "2026-01-22T19:33:08Z",
        }

    def shown(self, state: str) -> tuple[str, str | None]:
        over = {"succeeded": "success", "failed": "failure", "cancelled": "cancelled"}
        return ("completed", over[state]) if state in over else (state, None)


class Batch(Vendor):
    """DELETE /jobs/{jobId}?api-version=2024-07-01.20.0."""

    contract = "azure-batch-job"
    audience = "https://batch.core.windows.net/"
    scope = "user_impersonation"
    method = "DELETE"
    allowed = "GET, HEAD, DELETE, PUT, PATCH"
    cancellable = ("active", "disabled", "completed")
    checks = ("caller", "permission", "request", "existence", "state")
    version_status = 400
    force_status = 400
    deleting_status = 409
    malformed_status = 400
    accepted = 202
    gone_status = 404

    def routed(self, path: str) -> tuple[str, tuple[str, ...], str] | None:
        found = re.fullmatch("/jobs/([^/]*)", path)
        return ("both", (), found[1]) if found else None

    def new_id(self) -> str:
        return f"render-{uuid.uuid4().hex[:12]}"

    def made(self, state: str) -> Thing:
        thing = super().made("active" if state == "gone" else state)
        if state == "gone":
            thing.ends = 0.0
        return thing

    def other_method(self, request: Request) -> Response:
        if request.method in ("PUT", "PATCH"):
            return self.refuse(400, "InvalidRequestBody", "No update is asked for.")
        return super().other_method(request)

    def check_request(
        self, request: Request, place: tuple[str, ...], id_: str, given: dict[str, str]
    ) -> Response | None:
        if not given.get("api-version"):
            return self.refuse(
                self.version_status, "MissingRequiredQueryParameter", "api-version is missing."
            )
        if given.get("force", "false").lower() not in ("true", "false"):
            return self.refuse(self.force_status, "InvalidQueryParameterValue", "force is none.")
        return None

    def check_existence(
        self, request: Request, place: tuple[str, ...], id_: str, given: dict[str, str]
    ) -> Response | None:
        if not re.fullmatch("[A-Za-z0-9_-]{1,64}", id_):
            return self.refuse(self.malformed_status, "InvalidUri", "The id is malformed.")
        thing = self.things.get(id_)
        return self.unknown() if thing is None or self.state_of(thing) == "gone" else None

    def unknown(self) -> Response:
        return self.refuse(self.gone_status, "JobNotFound", "The specified job does not exist.")

    def state_of(self, thing: Thing) -> str:
        if thing.ends is None:
            return thing.state
        return "deleting" if time.monotonic() < thing.ends else "gone"

    def conflict(self) -> Response:
        return self.refuse(self.deleting_status, "JobBeingDeleted", "The job is being deleted.")

    def success(self, thing: Thing) -> Response:
        return Response(self.accepted, headers=(("request-id", str(uuid.uuid4())),))

    def refuse(self, status: int, code: str, message: str) -> Response:
        return self.told(status, self.error(code, message))

    def error(self, code: str, message: str) -> Any:
        return {"code": code, "message": {"lang": "en-us", "value": message}}

    def entity(self, thing: Thing) -> dict[str, Any]:
        return {
            "id": thing.id,
            "eTag": "0x8D4175F0E4A3D2F",
            "creationTime": "2026-09-17T00:00:00.0000000Z",
            "state": self.state_of(thing),
            "priority": 0,
            "poolInfo": {"poolId": "pool-1"},
        }


def others(vendor: Vendor, thing: Thing) -> Iterator[Thing]:
    """Yield the things beside one, the youngest first."""
    yield from (t for t in reversed(list(vendor.things.values())) if t is not thing)
