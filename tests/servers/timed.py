"""Servers of tests/cases/specs that share no code with the package: each byte of an answer is here.

Faults and odd ways override a method, or an attribute.
"""

from __future__ import annotations

import json
import re
import socketserver
import threading
import time
import uuid
from types import TracebackType
from typing import Any, Self

PROVIDER = "/states"
TOKEN = "Bearer a-token-of-the-tests"
PHRASES = {200: "OK", 201: "Created", 202: "Accepted", 204: "No Content", 401: "Unauthorized",
           404: "Not Found", 405: "Method Not Allowed", 409: "Conflict", 410: "Gone"}  # fmt: skip
Answer = tuple[int, Any]  # the status, and what is sent as JSON; None for nothing


def message(status: int, document: Any, *, close: bool) -> bytes:
    body = b"" if document is None else json.dumps(document).encode()
    lines = [f"HTTP/1.1 {status} {PHRASES[status]}", *(["Connection: close"] if close else [])]
    lines += [f"Content-Length: {len(body)}"] if status != 204 else []
    lines += ["Content-Type: application/json"] if body else []
    lines += ["WWW-Authenticate: Bearer"] if status == 401 else []
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        """Answer one request after the other, until the client closes or asks to."""
        while line := self.rfile.readline().decode():
            method, target, _ = line.split(" ", 2)
            fields: dict[str, str] = {}
            while line := self.rfile.readline().decode().strip():
                name, _, value = line.partition(":")
                fields[name.lower()] = value.strip()
            body = self.rfile.read(int(fields.get("content-length", "0")))
            close = fields.get("connection", "").lower() == "close"
            answer = self.server.service.answer(method, target, fields, body)  # type: ignore[attr-defined]
            self.wfile.write(message(*answer, close=close))
            if close:
                return


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads, allow_reuse_address = True, True


class Service:
    """Resources by id, each `{"id", "state", "at"}`: what it was set up as, and when it was
    cancelled (monotonic seconds), or None.
    """

    collection, verb, method = "", "", "POST"  # without a verb it is the resource's own path
    success = 202
    gone = 404
    error = {"error": {"code": "No", "message": "No."}}  # noqa: RUF012

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Any]] = {}
        self.lock, self.looks = threading.RLock(), 0

    def __enter__(self) -> Self:
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.service = self  # type: ignore[attr-defined]
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, at: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def target(self) -> dict[str, Any]:
        """Return what a target file says of it."""
        token = TOKEN.removeprefix("Bearer ")
        return {
            "provider_states": self.url + PROVIDER,
            "identities": {"admin": {"token": token}},
        }

    def answer(self, method: str, target: str, fields: dict[str, str], body: bytes) -> Answer:
        with self.lock:
            if target == PROVIDER:
                return self.provide(json.loads(body))
            found = re.fullmatch(rf"/v1/{self.collection}/([^/?]+)(/{self.verb})?", target)
            if found is None:
                return 404, self.error
            if fields.get("authorization") != TOKEN:
                return 401, self.error
            row, acts = self.rows.get(found[1]), bool(found[2]) or not self.verb
            if acts and method == self.method:
                return self.cancel(row)
            if found[2] or method != "GET":
                return 405, self.error
            self.looks += 1
            return self.look(row)

    def provide(self, asked: dict[str, Any]) -> Answer:
        params = asked["params"]
        if asked["action"] == "teardown":
            return self.tear_down(params)
        id_ = str(uuid.uuid4())
        self.rows[id_] = {"id": id_, "state": params["state"], "at": None}
        return 201, {"id": id_}

    def tear_down(self, params: dict[str, Any]) -> Answer:
        return (200, {}) if self.rows.pop(params["id"], None) else (404, self.error)

    def cancel(self, row: dict[str, Any] | None) -> Answer:
        raise NotImplementedError

    def look(self, row: dict[str, Any] | None) -> Answer:
        raise NotImplementedError


class Runs(Service):
    """Workflow runs: a cancel takes its time."""

    collection, verb = "runs", "cancel"
    takes = 0.12  # seconds
    open = ("queued", "running")

    def phase(self, row: dict[str, Any]) -> str:
        if row["at"] is None:
            return str(row["state"])
        return self.under_way(row) if time.monotonic() < row["at"] + self.takes else "cancelled"

    def under_way(self, row: dict[str, Any]) -> str:
        return "cancelling"

    def cancel(self, row: dict[str, Any] | None) -> Answer:
        if row is None:
            return 404, self.error
        if self.phase(row) not in self.open:
            return self.refuse(row)
        row["at"] = time.monotonic()
        return self.success, None

    def refuse(self, row: dict[str, Any]) -> Answer:
        return 409, self.error

    def look(self, row: dict[str, Any] | None) -> Answer:
        return (404, self.error) if row is None else (200, self.entity(row, self.phase(row)))

    def entity(self, row: dict[str, Any], phase: str) -> dict[str, Any]:
        ends = {"succeeded": "success", "failed": "failure", "cancelled": "cancelled"}
        status = "completed" if phase in ends else phase
        run = {"status": status, "conclusion": ends.get(phase), "number": 7, "branch": "trunk"}
        if phase == "cancelled":
            return {"id": row["id"], "run": {**run, "reason": "by a caller"}, "billable": False}
        return {"id": row["id"], "run": {**run, "reason": None}, "billable": True}


class Keys(Service):
    """Access keys: what is revoked is gone."""

    collection, method = "keys", "DELETE"
    success = 204

    def there(self, row: dict[str, Any] | None) -> bool:
        return row is not None and row["state"] != "gone" and row["at"] is None

    def cancel(self, row: dict[str, Any] | None) -> Answer:
        if row is None or not self.there(row):
            return 404, self.error
        row["at"] = time.monotonic()
        return self.success, None

    def look(self, row: dict[str, Any] | None) -> Answer:
        if row is None or not self.there(row):
            return self.gone if row else 404, self.error
        return 200, {"id": row["id"], "owner": "ann", "scopes": ["read"]}
