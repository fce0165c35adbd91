"""The ASGI application: which desk a request belongs to, and how a Reply becomes a response.

Routes by the raw bytes of the path, so that an encoded slash stays part of the id. Knows the
contracts' paths only through their templates. What no template fits is read once more as clients of
the vendor spell it: below a version, an action with its namespace.
"""

from __future__ import annotations

import re
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from email.utils import formatdate

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from cancel_contracts.contract.path_template import pattern, pieces
from cancel_contracts.mock import states
from cancel_contracts.mock.call import Call, Kind, Reply
from cancel_contracts.mock.desk import Desk
from cancel_contracts.mock.envelope import Envelope
from cancel_contracts.mock.wire import MARK

# A version is the first segment of a path or the second (/beta, /api/v1.0); OData URL conventions
# 4.5: a bound action may have its namespace before it, and empty parentheses behind it.
VERSION = re.compile(rb"^((?:/[^/]+)?)/(?:beta|v\d+(?:\.\d+)*)(?=/)")
NAMESPACE = re.compile(rb"/(?:[A-Za-z_]\w*\.)+(\w+?)(?:\(\))?$")


def documented(path: bytes) -> bytes:
    """Return a path without its version and its namespace."""
    return NAMESPACE.sub(rb"/\1", VERSION.sub(rb"\1", path, count=1))


class App:
    """Serves several contracts under one root.

    `requests` counts by kind (elsewhere: on no route), `crashes` keeps the mock's own errors.
    """

    def __init__(self, desks: Sequence[Desk]) -> None:
        self.desks: Mapping[str, Desk] = {desk.contract.name: desk for desk in desks}
        self.requests: Counter[str] = Counter()
        self.crashes: list[str] = []
        self.routes: list[tuple[str, Kind, Desk]] = []
        for desk in desks:
            desk.beside = tuple(other for other in desks if other is not desk)
            self.routes.append((desk.contract.path, "cancel", desk))
            if desk.observable and desk.contract.observe_path:
                self.routes.append((desk.contract.observe_path, "observe", desk))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            body = await request.body()
        except ClientDisconnect:
            return
        try:
            reply = await self.reply(request, body)
        except Exception:
            self.crashes.append(traceback.format_exc())
            raise
        await response(reply)(scope, receive, send)

    async def reply(self, request: Request, body: bytes) -> Reply:
        # RFC 9112, section 3.2.2: a server accepts the absolute form of a target as well.
        path = re.sub(rb"(?i)^https?://[^/]*", b"", request.scope["raw_path"])
        turn = next(request.scope["state"]["turns"])
        if path == states.PATH.encode():
            self.requests["provider_states"] += 1
            return states.handle(request.method, body, self.desks)
        for kind, desk, segments in self._routed(path):
            contract = desk.contract
            shows = contract.path == contract.observe_path and request.method in ("GET", "HEAD")
            if kind == "cancel" and shows and desk.observable:
                continue  # one path for both
            self.requests[kind] += 1
            id_ = segments[contract.id.name]
            call = Call(kind, request.method, id_, headers_of(request), body, turn)
            call.segments = segments
            call.connection = request.scope["state"]["connection"]
            call.target, call.version = target_of(request), request.scope["http_version"]
            call.fields = fields_of(request)
            return await desk.cancel(call) if kind == "cancel" else desk.observe(call)
        self.requests["elsewhere"] += 1
        envelope = next((d.envelope for d in self.desks.values()), Envelope(None))
        return envelope.told(Reply(404), "", "")

    def _routed(self, path: bytes) -> Iterator[tuple[Kind, Desk, dict[str, bytes]]]:
        """Yield the routes that a path is on, with its segments by name; as it came first."""
        for spelled in dict.fromkeys((path, documented(path))):
            for template, kind, desk in self.routes:
                if match := pattern(template).fullmatch(desk.reroute(spelled)):
                    yield kind, desk, dict(zip(pieces(template)[1], match.groups(), strict=True))


def target_of(request: Request) -> bytes:
    """Return the target as it came, the absolute form included."""
    path: bytes = request.scope["raw_path"]
    query: bytes = request.scope["query_string"]
    return path + b"?" + query if query else path


def fields_of(request: Request) -> tuple[tuple[str, str], ...]:
    """Return every header line in its order, names in lower case."""
    pairs: list[tuple[bytes, bytes]] = request.scope["headers"]
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in pairs)


def headers_of(request: Request) -> dict[str, str]:
    """Return the first value of each header, by its name in lower case."""
    return dict(reversed(fields_of(request)))


def response(reply: Reply) -> Response:
    """Frame a reply. RFC 9110, section 8.6: no Content-Length on a 1xx or 204."""
    made = Response(reply.body, reply.status)
    headers = [("Date", formatdate(usegmt=True)), *reply.headers]
    if reply.framed and reply.status not in (204, 304):
        headers.append(("Content-Length", str(len(reply.body))))
    if reply.wire:
        headers.append((MARK, reply.wire))
    made.raw_headers = [(k.encode("latin-1"), v.encode("latin-1")) for k, v in headers]
    return made
