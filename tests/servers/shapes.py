"""Services that are cancelled in other ways than by POST, one id and a Bearer token: a build that PUT
stops, a session that DELETE revokes. Their bytes are written by hand; nothing of the package is used.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote, unquote_plus

from servers.front import Request, Response, written

STATES = "/states"
Parts = tuple[str, ...]


@dataclass
class Thing:
    state: str
    reason: str = ""


class Shaped:
    """What both have: a provider-state handler, a store, an envelope."""

    first_number: ClassVar[int]

    def __init__(self) -> None:
        self.stopped = threading.Event()
        self.lock = threading.Lock()
        self.things: dict[str, Thing] = {}
        self.seen: list[Request] = []

    def answer(self, request: Request) -> Response:
        path, _, query = request.target.partition("?")
        with self.lock:
            if path == STATES:
                return self.provide(json.loads(request.body))
            self.seen.append(request)
            return self.route(request, tuple(path.split("/")[1:]), self.asked(query))

    def encode(self, response: Response, request: Request, close: bool) -> bytes:
        return written(response, request, close)

    def provide(self, asked: Mapping[str, Any]) -> Response:
        if asked["action"] == "teardown":
            self.things.pop(str(asked["params"]["id"]), None)
            return Response(200, b"{}")
        id_ = self.id_of(self.first_number + len(self.things))
        self.things[str(id_)] = Thing(asked["params"]["state"])
        return Response(200, json.dumps({"id": id_}).encode())

    def asked(self, query: str) -> dict[str, str]:
        pairs = (part.partition("=") for part in query.split("&") if part)
        return {unquote_plus(name): unquote_plus(value) for name, _, value in pairs}

    def id_of(self, number: int) -> Any:
        raise NotImplementedError

    def route(self, request: Request, parts: Parts, query: Mapping[str, str]) -> Response:
        raise NotImplementedError

    @staticmethod
    def json(status: int, value: Any, *headers: tuple[str, str]) -> Response:
        told = ("Content-Type", "application/json")
        return Response(status, json.dumps(value).encode(), (told, *headers))

    def refuse(self, status: int, *headers: tuple[str, str]) -> Response:
        return self.json(status, {"error": {"code": str(status), "message": "no"}}, *headers)


class Builds(Shaped):
    """PUT /projects/{project}/builds/{build}/stop?api-version=..., with Basic and a key a call."""

    first_number = 30433642
    project = "a project"
    versions: ClassVar[tuple[str, ...]] = ("2024-05-01", "2025-01-01")
    methods: ClassVar[tuple[str, ...]] = ("PUT",)

    def id_of(self, number: int) -> Any:
        return number

    def route(self, request: Request, parts: Parts, query: Mapping[str, str]) -> Response:
        stops = len(parts) == 5 and parts[4] == "stop"
        if len(parts) != 4 + stops or (parts[0], parts[2]) != ("projects", "builds"):
            return self.refuse(404)
        if request.method not in (self.methods if stops else ("GET", "HEAD")):
            return self.refuse(405, ("Allow", ", ".join(self.methods if stops else ["GET"])))
        if not self.known(request):
            return self.refuse(401, ("WWW-Authenticate", 'Basic realm="builds"'))
        if not self.versioned(query) or (stops and not self.keyed(request)):
            return self.refuse(400)
        thing = self.things.get(unquote(parts[3])) if self.within(unquote(parts[1])) else None
        if thing is None:
            return self.refuse(404)
        if stops and thing.state not in ("waiting", "building"):
            return self.refuse(409)
        if stops:
            thing.state = "stopped"
        return self.json(200, {"id": int(parts[3]), "phase": thing.state})

    def known(self, request: Request) -> bool:
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        return scheme.lower() == "basic" and text == base64.b64encode(b"admin:swordfish").decode()

    def versioned(self, query: Mapping[str, str]) -> bool:
        return query.get("api-version") in self.versions

    def keyed(self, request: Request) -> bool:
        return len(request.headers.get("idempotency-key", "")) >= 4

    def within(self, project: str) -> bool:
        return project == self.project


class Sessions(Shaped):
    """DELETE /sessions/{session}?api_key=..., with a form; GET on the same path shows it."""

    first_number = 1

    def id_of(self, number: int) -> Any:
        return f"ses_{number:08}"

    def route(self, request: Request, parts: Parts, query: Mapping[str, str]) -> Response:
        if len(parts) != 2 or parts[0] != "sessions":
            return self.refuse(404)
        if request.method not in ("GET", "HEAD", "DELETE"):
            return self.refuse(405, ("Allow", "GET, HEAD, DELETE"))
        if not self.known(request, query):
            return self.refuse(401, ("WWW-Authenticate", 'ApiKey realm="sessions"'))
        thing = self.things.get(unquote(parts[1], errors="replace"))
        if thing is None:
            return self.refuse(404)
        if request.method != "DELETE":
            return self.json(
                200, {"id": unquote(parts[1]), "state": thing.state, "reason": thing.reason}
            )
        if request.headers.get("content-type") != "application/x-www-form-urlencoded":
            return self.refuse(415)
        reason = self.reason(request.body)
        if reason is None:
            return self.refuse(400)
        if thing.state != "open":
            return self.refuse(409)
        thing.state, thing.reason = "revoked", reason
        return Response(204)

    def known(self, request: Request, query: Mapping[str, str]) -> bool:
        return query.get("api_key") == "a-key-of-an-admin"

    def reason(self, body: bytes) -> str | None:
        try:
            form = parse_qs(body.decode("ascii"), keep_blank_values=True, errors="strict")
        except ValueError:
            return None
        everywhere = form.get("everywhere", ["true"])
        reason = form.get("reason", [""])[0]
        fits = "reason" in form and len(reason) <= 200 and everywhere[0] in ("true", "false")
        return reason if fits else None
