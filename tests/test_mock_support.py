"""What the tests of the mock share: requests by hand, sent over a bare socket, read as bytes.

Nothing here is derived from the mock or from a spec: routes, states, permissions and bodies stand
as the pages have them. Holds no tests.
"""

from __future__ import annotations

import base64
import json
import re
import socket
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from cancel_contracts.contract.load import load
from cancel_contracts.contract.model import Contract
from cancel_contracts.mock import MockServer
from joserfc import jwt
from joserfc.jwk import OctKey

KEY = "0123456789abcdef0123456789abcdef"
SPECS = Path(__file__).resolve().parent.parent / "specs"
CASE_SPECS = Path(__file__).resolve().parent / "cases" / "specs"
PATIENCE_SECONDS = 5.0
PERSONAL = "9188040d-6c67-4c5b-b112-36a304b66dad"


@dataclass(frozen=True, eq=False)
class Hand:
    """One endpoint, written by hand."""

    name: str
    path: str
    audience: str
    permissions: tuple[str, ...]
    applications: bool  # whether the page lists application permissions
    cancellable: tuple[str, ...]
    final: tuple[str, ...]  # those beside the state after a cancel come first
    state: str  # the property of the entity that shows the state
    body: dict[str, Any] | None  # {id} stands for the id of the path
    method: str = "POST"

    @property
    def observe(self) -> str:
        return self.path.rpartition("/")[0] if self.method == "POST" else self.path


SECURITY = Hand(
    "security-action",
    "/security/securityActions/{id}/cancelSecurityAction",
    "https://graph.microsoft.com",
    ("SecurityActions.ReadWrite.All",),
    True,
    ("NotStarted", "Running"),
    ("Completed", "Failed"),
    "status",
    None,
)
MACHINE = Hand(
    "machine-action",
    "/api/machineactions/{id}/cancel",
    "https://api.securitycenter.microsoft.com",
    (
        "Machine.CollectForensic",
        "Machine.Isolate",
        "Machine.RestrictExecution",
        "Machine.Scan",
        "Machine.Offboard",
        "Machine.StopAndQuarantine",
        "Machine.LiveResponse",
    ),
    True,
    ("Pending", "InProgress"),
    ("Succeeded", "Failed", "TimeOut", "Cancelled"),
    "status",
    {"Comment": "Machine action was canceled by automation"},
)
PACKAGE = Hand(
    "access-package-assignment-request",
    "/identityGovernance/entitlementManagement/accessPackageAssignmentRequests/{id}/cancel",
    "https://graph.microsoft.com",
    ("EntitlementManagement.ReadWrite.All",),
    False,
    ("accepted", "pendingApproval", "pendingNotBefore", "pendingApprovalEscalated"),
    ("submitted", "scheduled", "delivering", "delivered", "denied", "canceled"),
    "requestStatus",
    {"id": "{id}", "requestStatus": "cancelled"},
)
HANDS = (SECURITY, MACHINE, PACKAGE)
# Of tests/cases/specs, for what applies to none of the shipped contracts.
RUN = Hand(
    "workflow-run",
    "/runs/{id}/cancel",
    "https://ci.example",
    ("Runs.Cancel",),
    True,
    ("queued", "running"),
    ("succeeded", "failed", "cancelled"),
    "run",
    None,
)
ACCESS_KEY = Hand(
    "access-key",
    "/keys/{id}",
    "https://keys.example",
    ("Keys.Revoke",),
    True,
    ("active",),
    ("gone",),
    "id",
    None,
    "DELETE",
)
CASES = (RUN, ACCESS_KEY)


@cache
def contract_of(hand: Hand) -> Contract:
    return load((CASE_SPECS if hand in CASES else SPECS) / f"{hand.name}.yaml")


@dataclass(frozen=True)
class Answer:
    """Bytes as they came, split at the first empty line. `ended` is eof, reset or timeout."""

    wire: bytes
    ended: str
    seconds: float = field(compare=False, default=0.0)

    @property
    def head(self) -> str:
        return self.wire.partition(b"\r\n\r\n")[0].decode("latin-1")

    @property
    def body(self) -> bytes:
        return self.wire.partition(b"\r\n\r\n")[2]

    @property
    def status(self) -> int:
        return int(self.head.split(" ")[1]) if self.wire else 0

    def header(self, name: str) -> str | None:
        found = re.search(rf"(?im)^{re.escape(name)}:[ \t]*(.*?)\r?$", self.head)
        return found[1] if found else None

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def constant(self) -> tuple[bytes, str]:
        """What is alike each time: without ids, dates and times."""
        text = re.sub(rb"(?im)^date: [^\r\n]*", b"Date: D", self.wire)
        text = re.sub(rb"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} [\d:]{8} GMT", b"D", text)
        text = re.sub(rb"(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", b"U", text)
        text = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?", b"T", text)
        return re.sub(rb"(?im)^content-length: \d{2,}", b"Content-Length: N", text), self.ended


def exchange(port: int, request: bytes, patience: float = PATIENCE_SECONDS) -> Answer:
    """Send bytes on a connection of their own and read to its end."""
    started, received = time.monotonic(), b""
    with socket.create_connection(("127.0.0.1", port), timeout=patience) as sock:
        sock.sendall(request)
        try:
            while data := sock.recv(65536):
                received += data
            ended = "eof"
        except TimeoutError:
            ended = "timeout"
        except ConnectionResetError:
            ended = "reset"
    return Answer(received, ended, time.monotonic() - started)


class World:
    """One contract on one mock, and the calls that can be made of it."""

    def __init__(self, hand: Hand, server: MockServer) -> None:
        self.hand, self.server = hand, server
        self.port = int(server.base_url.rpartition(":")[2])

    # --- Tokens ------------------------------------------------------------------------------

    def sign(self, key: str = KEY, **claims: Any) -> str:
        """Return a bearer header with these claims over the ordinary ones; None takes one away."""
        whole = {
            "aud": self.hand.audience,
            "sub": "admin",
            "exp": int(time.time()) + 3600,
            "scp": " ".join(self.hand.permissions),
            "wids": ["62e90394-69f5-4237-9190-012177145e10"],
        } | claims
        kept = {name: value for name, value in whole.items() if value is not None}
        return "Bearer " + jwt.encode({"alg": "HS256"}, kept, OctKey.import_key(key))

    def app(self, *roles: str) -> str:
        return self.sign(scp=None, wids=None, sub="app", roles=list(roles or self.hand.permissions))

    def user(self, sub: str = "user", **claims: Any) -> str:
        return self.sign(sub=sub, wids=None, **claims)

    def identity(self, name: str) -> str | None:
        """Return the Authorization header of a named identity, None for no header."""
        makers: dict[str, Callable[[], str | None]] = {
            "admin": self.sign,
            "app": self.app,
            "user": self.user,
            "other-user": lambda: self.user("other-user"),
            "anonymous": lambda: None,
            "empty-header": lambda: "",
            "bare-scheme": lambda: "Bearer",
            "garbage-token": lambda: "Bearer abc.def.ghi",
            "basic-scheme": lambda: "Basic " + base64.b64encode(b"user:pass").decode(),
            "expired": lambda: self.sign(exp=int(time.time()) - 10),
            "bad-signature": lambda: self.sign(key="f" * 32),
            # {"alg":"none"}, the claims, and no signature
            "unsigned": lambda: f"Bearer eyJhbGciOiJub25lIn0.{self.sign().split('.')[1]}.",
            "wrong-audience": lambda: self.sign(aud="https://example.com"),
            "lower-case-scheme": lambda: "b" + self.sign()[1:],
            "personal": lambda: self.sign(tid=PERSONAL),
            "no-permission": lambda: self.sign(scp="User.Read"),
            "throttled": lambda: self.sign(sub="throttled"),
        }
        return makers[name]()

    # --- Requests ----------------------------------------------------------------------------

    def states(self, **message: Any) -> Answer:
        body = json.dumps(message).encode()
        head = (
            f"POST /_pact/provider-states HTTP/1.1\r\nHost: mock\r\nContent-Length: {len(body)}\r\n"
        )
        return exchange(self.port, f"{head}Connection: close\r\n\r\n".encode() + body)

    def new(self, state: str | None = None, owner: str | None = None) -> str:
        """Put a resource in a state, the first cancellable one if none is given."""
        params = {"contract": self.hand.name, "state": state or self.hand.cancellable[0]}
        answer = self.states(action="setup", params=params | ({"owner": owner} if owner else {}))
        assert answer.status == 200, answer.wire
        return str(answer.json()["id"])

    def documented(self, id_: str, **over: Any) -> bytes:
        """Return the documented body, or with other properties."""
        if self.hand.body is None:
            return b""
        whole = {k: id_ if v == "{id}" else v for k, v in self.hand.body.items()} | over
        return json.dumps(whole, ensure_ascii=False).encode()

    def call(
        self,
        id_: str,
        *,
        identity: str = "admin",
        token: str | None = None,
        method: str | None = None,
        body: bytes | None = None,
        media: str | None = "application/json",
        chunked: bool = False,
        headers: Sequence[str] = (),
        patience: float = PATIENCE_SECONDS,
        path: str | None = None,
        close: bool = True,
    ) -> Answer:
        """Make one call on the cancel route; the documented one, unless told otherwise."""
        method = method or self.hand.method
        if body is None:
            body = self.documented(id_) if method in ("POST", "PUT", "PATCH", "DELETE") else b""
        authorization = token or self.identity(identity)
        target = (path or self.hand.path).replace("{id}", id_)
        lines = [f"{method} {target} HTTP/1.1", "Host: mock", *headers]
        lines += [f"Authorization: {authorization}"] if authorization is not None else []
        lines += [f"Content-Type: {media}"] if media and self.hand.body is not None else []
        lines += ["Connection: close"] if close else []
        if chunked:
            lines.append("Transfer-Encoding: chunked")
            body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        else:
            lines.append(f"Content-Length: {len(body)}")
        return exchange(self.port, "\r\n".join([*lines, "", ""]).encode() + body, patience)

    def look(self, id_: str) -> Answer:
        return self.call(id_, method="GET", path=self.hand.observe, media=None)

    def state(self, id_: str) -> str | None:
        """Return the state that a GET shows, or None where there is no resource."""
        answer = self.look(id_)
        return answer.json()[self.hand.state] if answer.status == 200 else None

    def at_once(self, id_: str) -> list[int]:
        """Make two simultaneous calls and return their statuses, sorted."""
        found: list[int] = []
        threads = [
            threading.Thread(target=lambda: found.append(self.call(id_).status)) for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sorted(found)


def unknown_id() -> str:
    return str(uuid.uuid4())
