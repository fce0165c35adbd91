"""The mock of somebody who begins: one contract, one token, a handler, in a few lines.

`planted` names the mistakes that it makes: "final" cancels what has ended, "unknown" serves an id of
nothing, "challenge" leaves WWW-Authenticate out of a 401.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MISTAKES = ("final", "unknown", "challenge")
TOKEN = "the-token-of-the-admin"
ROUTE = "/api/machineactions/"


class Mock(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    planted: Collection[str] = MISTAKES
    actions: dict[str, dict[str, Any]]

    def do_POST(self) -> None:
        sent, path = self.body(), self.path.partition("?")[0]
        if path == "/states":  # no token here
            call = json.loads(sent)
            return self.answer(200, self.state(call["action"], call["params"]))
        if not path.startswith(ROUTE) or not path.endswith("/cancel"):
            return self.refuse(404, "NotFound")
        if self.headers["Authorization"] not in (f"Bearer {TOKEN}", f"bearer {TOKEN}"):
            return self.refuse(401, "Unauthorized")
        action = self.actions.get(path.removeprefix(ROUTE).removesuffix("/cancel"))
        if action is None:
            return (
                self.answer(200, {}) if "unknown" in self.planted else self.refuse(404, "NotFound")
            )
        media = (self.headers["Content-Type"] or "").partition(";")[0].strip().lower()
        if media != "application/json":
            return self.refuse(415, "UnsupportedMediaType")
        try:
            comment = json.loads(sent)["Comment"]
        except (ValueError, TypeError, KeyError, RecursionError):
            comment = None
        if not isinstance(comment, str) or not comment.strip():
            return self.refuse(400, "InvalidRequestBody")
        if action["status"] not in ("Pending", "InProgress") and "final" not in self.planted:
            return self.refuse(400, "ActionIsOver")
        now = "2026-01-02T03:04:05.678Z"
        action |= {"status": "Cancelled", "cancellationRequestor": "admin",
                   "cancellationComment": comment, "cancellationDateTimeUtc": now,
                   "lastUpdateDateTimeUtc": now}  # fmt: skip
        return self.answer(200, action)

    def do_GET(self) -> None:
        if self.path.endswith("/cancel"):
            return self.refuse(405, "MethodNotAllowed")
        found = self.actions.get(self.path.removeprefix(ROUTE))
        return self.answer(200, found) if found else self.refuse(404, "NotFound")

    def do_PUT(self) -> None:
        self.body()
        self.refuse(405, "MethodNotAllowed")

    do_PATCH = do_DELETE = do_OPTIONS = do_HEAD = do_TRACE = do_PUT

    def state(self, action: str, params: dict[str, str]) -> dict[str, Any]:
        if action == "teardown":
            self.actions.pop(params["id"], None)
            return {}
        id_ = str(uuid.uuid4())
        self.actions[id_] = {"id": id_, "type": "Isolate", "status": params["state"],
            "creationDateTimeUtc": "2026-01-01T00:00:00Z", "lastUpdateDateTimeUtc": "2026-01-01T00:00:00Z",
            "cancellationRequestor": None, "cancellationComment": None, "cancellationDateTimeUtc": None}  # fmt: skip
        return {"id": id_}

    def body(self) -> bytes:
        if self.headers["Transfer-Encoding"] != "chunked":
            return self.rfile.read(int(self.headers["Content-Length"] or 0))
        found = b""
        while size := int(self.rfile.readline(), 16):
            found += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return found

    def refuse(self, status: int, code: str) -> None:
        error = {
            "code": code,
            "message": f"The call is refused: {code}.",
            "target": str(uuid.uuid4()),
        }
        self.answer(status, {"error": error})

    def answer(self, status: int, value: dict[str, Any]) -> None:
        body = b"" if self.command == "HEAD" else json.dumps(value).encode()
        self.send_response(status)
        if status == 401 and "challenge" not in self.planted:
            self.send_header("WWW-Authenticate", "Bearer")
        if status == 405:
            self.send_header("Allow", "POST")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


def serve(planted: Collection[str] = MISTAKES) -> ThreadingHTTPServer:
    """Return a server that is to be started and closed."""
    kind = type("Mock", (Mock,), {"planted": tuple(planted), "actions": {}})
    return ThreadingHTTPServer(("127.0.0.1", 0), kind)
