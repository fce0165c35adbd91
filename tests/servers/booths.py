"""Two small services unlike the three, on the standard library alone: every answer is written out.

`Orders` cancels with a token that means nothing and tells errors in two media types, `Tickets` lets
users revoke their own and tells its limit by 403. `wrong` has answers in place of the right ones:
name -> (status, header lines, body); `odd` names what is done otherwise, and right or wrong.
"""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Collection, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

Answer = tuple[int, tuple[str, ...], bytes]
JSON = "Content-Type: application/json"
PROBLEM = "Content-Type: application/problem+json; charset=utf-8"
STATES = "/states"


class Booth(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    collection = ""
    verb = ""
    cancellable: tuple[str, ...] = ()
    after = ""
    answers: ClassVar[Mapping[str, Answer]]
    wrong: ClassVar[Mapping[str, Answer]] = {}
    odd: Collection[str] = ()
    rows: dict[str, dict[str, Any]]
    lock: threading.Lock

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with self.lock:
            if self.path == STATES:
                return self.provide(json.loads(body))
            id_ = self.path.removeprefix(self.collection + "/").removesuffix("/" + self.verb)
            return self.write(*self.told(self.cancel(id_), id_))

    def do_GET(self) -> None:
        with self.lock:
            row = self.rows.get(self.path.removeprefix(self.collection + "/"))
            if row is None:
                return self.write(*self.told("unknown", ""))
            return self.write(200, (JSON,), json.dumps(self.shown(row)).encode())

    def cancel(self, id_: str) -> str:
        """Do what a call asks for; return the name of its answer."""
        raise NotImplementedError

    def shown(self, row: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in row.items() if name != "owner"}

    def fresh(self, state: str) -> dict[str, Any]:
        raise NotImplementedError

    def provide(self, asked: dict[str, Any]) -> None:
        params = asked["params"]
        if asked["action"] == "teardown":
            self.rows.pop(params["id"], None)
            return self.write(200, (JSON,), b"{}")
        row = {"id": str(uuid.uuid4()), **self.fresh(params["state"]), "owner": params.get("owner")}
        self.rows[row["id"]] = row
        return self.write(200, (JSON,), json.dumps({"id": row["id"]}).encode())

    def told(self, name: str, id_: str) -> Answer:
        status, lines, body = self.wrong.get(name) or self.answers[name]
        return status, lines, body.replace(b"{id}", id_.encode())

    def write(self, status: int, lines: tuple[str, ...], body: bytes) -> None:
        head = [f"HTTP/1.1 {status} Told", *lines, f"Content-Length: {len(body)}", "", ""]
        self.wfile.write("\r\n".join(head).encode("latin-1") + body)

    def log_message(self, *_: object) -> None:
        pass


class Orders(Booth):
    collection, verb = "/orders", "cancel"
    cancellable, after = ("open", "paid"), "canceled"
    token = "order-token-of-nobody-in-particular"
    answers: ClassVar[Mapping[str, Answer]] = {
        "done": (202, (JSON, "Location: /orders/{id}"), b"{}"),
        "unknown": (404, ("Content-Type: text/plain; charset=utf-8",), b"No order has this id."),
        "token": (
            401,
            (PROBLEM, "WWW-Authenticate: Bearer"),
            b'{"type": "about:blank", "title": "Sign in.", "status": 401}',
        ),
        "final": (
            422,
            (PROBLEM,),
            b'{"type": "https://orders.example/final", "title": "Too late.", "status": 422}',
        ),
    }

    def fresh(self, state: str) -> dict[str, Any]:
        return {"total": 4200, "state": state, "lines": [{"sku": "a1"}], "canceled_at": None}

    def cancel(self, id_: str) -> str:
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        if (scheme.lower(), token) != ("bearer", self.token):
            return "token"
        row = self.rows.get(id_)
        if row is None:
            return "unknown"
        if row["state"] not in self.cancellable:
            return "final"
        if "without-effect" not in self.odd:
            row |= {"state": self.after, "canceled_at": 1_700_000_000, "canceled_by": "a@b.example"}
        return "done"


class Tickets(Booth):
    collection, verb = "/tickets", "revoke"
    cancellable, after = ("booked", "paid"), "revoked"
    tokens: ClassVar[Mapping[str, str]] = {
        "token-of-admin-0": "admin",
        "token-of-user-00": "user",
        "token-of-other-0": "other",
    }
    granted = 1_000_000  # calls until the limit is told once
    answers: ClassVar[Mapping[str, Answer]] = {
        "done": (200, (JSON,), b'{"id": "{id}", "revoked": true, "object": "ticket"}'),
        "unknown": (404, (JSON,), b'{"message": "Not Found"}'),
        "token": (401, (JSON,), b'{"message": "Requires authentication"}'),
        "final": (409, (JSON,), b'{"message": "Used already"}'),
        "other": (403, (JSON,), b'{"message": "Not yours"}'),
        "limit": (403, (JSON, "Retry-After: 1"), b'{"message": "Slow down"}'),
    }

    def fresh(self, state: str) -> dict[str, Any]:
        return {"state": state, "seat": "A1", "revoked_at": None}

    def cancel(self, id_: str) -> str:
        who = self.tokens.get(self.headers.get("Authorization", "").partition(" ")[2])
        if who is None and self.headers.get("Authorization") != "Bearer token-of-the-hasty":
            return "token"
        kind = type(self)
        kind.granted -= 1
        if who is None or kind.granted == 0:
            return "limit"
        row = self.rows.get(id_)
        if row is None:
            return "unknown"
        if who != "admin" and row["owner"] != who and "anybody" not in self.odd:
            return "other"
        if row["state"] not in self.cancellable:
            return "final"
        row |= {"state": self.after, "revoked_at": "2026-01-02T03:04:05Z"}
        return "done"


class Payments(Booth):
    collection, verb = "/payments", "void"
    cancellable, after = ("authorised",), "voided"
    token = "payments-key-of-nobody"
    kept: ClassVar[dict[tuple[str, str], Answer]] = {}
    answers: ClassVar[Mapping[str, Answer]] = {
        "unknown": (404, (JSON,), b'{"error": {"code": "not_found", "message": "No."}}'),
        "token": (
            401,
            (JSON, "WWW-Authenticate: Bearer"),
            b'{"error": {"code": "no_key", "message": "No."}}',
        ),
        "key": (400, (JSON,), b'{"error": {"code": "no_key", "message": "Give a key."}}'),
        "final": (402, (JSON,), b'{"error": {"code": "too_late", "message": "Too late."}}'),
    }

    def fresh(self, state: str) -> dict[str, Any]:
        return {"status": state, "amount": 700, "voided_at": None}

    def told(self, name: str, id_: str) -> Answer:
        key = (id_, self.headers.get("Idempotency-Key") or "")
        if name == "again":
            status, lines, body = self.kept[key]
            if "marked" in self.odd:
                lines = (*lines, "Idempotent-Replayed: true")
            if "respelled" in self.odd:
                body = json.dumps(dict(reversed(json.loads(body).items())), indent=1).encode()
            return self.wrong.get("again") or (status, lines, body)
        if name != "done":
            return super().told(name, id_)
        self.kept[key] = (200, (JSON,), json.dumps(self.shown(self.rows[id_])).encode())
        return self.kept[key]

    def cancel(self, id_: str) -> str:
        key = self.headers.get("Idempotency-Key")
        if self.headers.get("Authorization", "").partition(" ")[2] != self.token:
            return "token"
        row = self.rows.get(id_)
        if not key:
            return "key"
        if row is None:
            return "unknown"
        if (id_, key) in self.kept and "forgets" not in self.odd:
            if "performs" in self.odd:
                row["voided_at"] = "2026-02-03T04:05:06Z"
            if "undoes" in self.odd:
                row |= {"status": "authorised", "voided_at": None}
            return "again"
        if row["status"] not in self.cancellable:
            return "final"
        row |= {"status": self.after, "voided_at": "2026-01-02T03:04:05Z"}
        return "done"


def served(
    kind: type[Booth],
    wrong: Mapping[str, Answer] | None = None,
    odd: Collection[str] = (),
    **own: Any,
) -> ThreadingHTTPServer:
    """Return a server of one of the services, on a free port; whoever asked closes it."""
    more = {"rows": {}, "lock": threading.Lock(), "wrong": wrong or {}, "odd": odd, **own}
    return ThreadingHTTPServer(("127.0.0.1", 0), type(kind.__name__, (kind,), more))
