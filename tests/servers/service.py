"""A server that keeps all three contracts, from the pages and the RFCs. Each promise is a hook.

A call goes through `checks` in their order; the first refusal is the answer. What passes is
`performed` and told by `success`. Attributes in the first block are choices that no page makes:
variants set them, faults override hooks.
"""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from servers.entities import ENTITIES, Resource, now
from servers.front import Request, Response, written
from servers.pages import Page
from servers.provider import PROVIDER, Provides
from servers.tokens import Caller, Tokens

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


NOBODY = Caller("nobody")


@dataclass
class Call:
    """A POST on the cancel route while it is judged."""

    request: Request
    id: str
    caller: Caller = NOBODY
    resource: Resource | None = None
    document: Any = None

    @property
    def comment(self) -> str | None:
        found = self.document.get("Comment") if isinstance(self.document, dict) else None
        return found if isinstance(found, str) else None


class Service(Provides):
    """A faithful server of one page."""

    checks: tuple[str, ...] = ("caller", "permission", "existence", "content", "ownership", "state")
    success_status = 200
    empty_chunked = False
    final_status = 409
    malformed_status = 404
    content_status = 415
    body_status = 400
    personal_status = 403
    method_status = 405
    options_status = 405
    comment_required = False
    body_allowed = True
    body_asked = True
    observable = True
    spell: Any = staticmethod(str)

    def __init__(self, page: Page, tokens: Tokens) -> None:
        super().__init__(page)
        self.tokens = tokens
        self.calls = 0

    # --- routes ---------------------------------------------------------------------------------

    def answer(self, request: Request) -> Response:
        # RFC 9112, section 3.2.2: a server accepts the absolute form of a target as well.
        path = re.sub("(?i)^https?://[^/]*", "", request.target).partition("?")[0]
        if path == PROVIDER:
            return self.provide(request)
        base = self.page.prefix + self.page.collection + "/"
        parts = path.removeprefix(base).split("/") if path.startswith(base) else []
        if len(parts) == 1 and parts[0]:
            return self.show(request, self.key(parts[0]))
        if len(parts) == 2 and parts[1] == self.page.verb:
            self.calls += 1
            if request.method == "POST":
                return self.post(request, self.key(parts[0]))
            return self.other_method(request, self.key(parts[0]))
        return self.unrouted(request)

    def key(self, segment: str) -> str:
        return unquote(segment, errors="replace")

    def encode(self, response: Response, request: Request, close: bool) -> bytes:
        return written(response, request, close)

    def unrouted(self, request: Request) -> Response:
        return self.refuse(404, "", "No HTTP resource was found that matches the request URI.")

    def other_method(self, request: Request, id_: str) -> Response:
        if request.method == "OPTIONS" and self.options_status < 300:
            return Response(self.options_status, headers=(("Allow", "OPTIONS, POST"),))
        refusal = self.refuse(self.method_status, "MethodNotAllowed", "Use POST.")
        if self.method_status != 405:
            return refusal
        return Response(405, refusal.body, (("Allow", "POST"), *refusal.headers))

    def show(self, request: Request, id_: str) -> Response:
        if not self.observable:
            return self.unrouted(request)
        caller = self.bearer(request)
        if caller is None:
            return self.challenge()
        with self.lock:
            resource = self.find(id_)
            if request.method not in ("GET", "HEAD"):
                return Response(405, b"", (("Allow", "GET, HEAD"),))
            return (
                self.told(self.entity(resource)) if resource else self.unknown(Call(request, id_))
            )

    # --- the cancel -----------------------------------------------------------------------------

    def post(self, request: Request, id_: str) -> Response:
        call = Call(request, id_)
        with self.lock:
            for name in self.checks:
                if (refusal := getattr(self, f"check_{name}")(call)) is not None:
                    return self.refused(call, refusal)
            self.perform(call)
            return self.success(call)

    def refused(self, call: Call, refusal: Response) -> Response:
        return refusal

    def check_caller(self, call: Call) -> Response | None:
        caller = self.bearer(call.request)
        if caller is None:
            return self.challenge()
        call.caller = caller
        if caller.personal:
            if self.personal_status == 401:
                return self.challenge()
            return self.refuse(403, "UnAuthorized", "Personal accounts are not supported.")
        return None

    def bearer(self, request: Request) -> Caller | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        return self.tokens.caller(token.strip()) if scheme.lower() == "bearer" else None

    def check_permission(self, call: Call) -> Response | None:
        enough = self.page.application if call.caller.application else self.page.delegated
        if self.granted(call.caller) & enough:
            return None
        return self.refuse(403, "Forbidden", "The caller lacks the permission.")

    def granted(self, caller: Caller) -> frozenset[str]:
        return caller.permissions

    def check_existence(self, call: Call) -> Response | None:
        call.resource = self.find(call.id)
        if call.resource is not None:
            return None
        if not GUID.fullmatch(call.id) and self.malformed_status != 404:
            return self.refuse(self.malformed_status, "InvalidInput", "The id is malformed.")
        return self.unknown(call)

    def unknown(self, call: Call) -> Response:
        return self.refuse(404, "ResourceNotFound", "Nothing has this id.")

    def find(self, id_: str) -> Resource | None:
        return self.resources.get(id_)

    def check_content(self, call: Call) -> Response | None:
        if self.page.short == "SA":
            unwanted = call.request.body and not self.body_allowed
            return self.refuse(400, "BadRequest", "No body is taken.") if unwanted else None
        if self.page.short == "MA":
            return self.check_machine(call)
        return self.check_package(call)

    def json(self, call: Call) -> bool:
        """Read the body as a JSON object; False where it is none."""
        try:
            call.document = json.loads(call.request.body.decode("utf-8"))
        except (ValueError, RecursionError):
            return False
        return isinstance(call.document, dict)

    def media(self, call: Call) -> str:
        return call.request.headers.get("content-type", "").split(";")[0].strip().lower()

    def check_machine(self, call: Call) -> Response | None:
        if self.media(call) != "application/json":
            return self.refuse(self.content_status, "BadRequest", "Send application/json.")
        if not call.request.body and not self.comment_required:
            return None
        good = self.json(call)
        if good and "Comment" not in call.document and not self.comment_required:
            return None
        if not good or not isinstance(call.document.get("Comment"), str):
            return self.refuse(self.body_status, "InvalidRequestBody", "Send a Comment.")
        return None

    def check_package(self, call: Call) -> Response | None:
        if not self.body_asked:
            return None
        good = self.json(call)
        if call.caller.admin:
            return None
        if call.request.body and self.media(call) != "application/json":
            return self.refuse(self.content_status, "BadRequest", "Send application/json.")
        if not good or not self.own_cancellation(call):
            return self.refuse(self.body_status, "BadRequest", "Send id and requestStatus.")
        return None

    def own_cancellation(self, call: Call) -> bool:
        own_id = str(call.document.get("id")).lower() == call.id.lower()
        return own_id and call.document.get("requestStatus") == "cancelled"

    def check_ownership(self, call: Call) -> Response | None:
        if self.page.short != "AP" or call.caller.admin or self.owns(call):
            return None
        return self.refuse(403, "UnAuthorized", "The request is another user's.")

    def owns(self, call: Call) -> bool:
        assert call.resource is not None
        return call.resource.owner == call.caller.name

    def check_state(self, call: Call) -> Response | None:
        assert call.resource is not None
        if self.cancellable(call.resource.state):
            return None
        return self.not_cancellable(call)

    def cancellable(self, state: str) -> bool:
        return state in self.page.cancellable

    def not_cancellable(self, call: Call) -> Response:
        return self.refuse(self.final_status, "NotCancellable", "It is not cancellable.")

    def perform(self, call: Call) -> None:
        assert call.resource is not None
        self.cancel(call.resource, call)

    def cancel(self, resource: Resource, call: Call) -> None:
        resource.state = self.page.cancelled
        resource.cancelled_by = call.caller.name
        resource.cancelled_at = resource.touched = now()
        resource.comment = call.comment

    def success(self, call: Call) -> Response:
        if self.page.short == "MA":
            assert call.resource is not None
            return self.told(self.entity(call.resource), self.success_status)
        return self.empty(self.success_status)

    # --- answers --------------------------------------------------------------------------------

    def empty(self, status: int) -> Response:
        return Response(status, chunked=self.empty_chunked and status != 204)

    def told(self, value: Any, status: int = 200) -> Response:
        try:
            body = json.dumps(value, ensure_ascii=False).encode("utf-8")
        except UnicodeEncodeError:  # half a surrogate pair can be told in an escape alone
            body = json.dumps(value).encode("ascii")
        return Response(status, body, (("Content-Type", self.media_type),))

    media_type = "application/json"

    def refuse(self, status: int, code: str, message: str) -> Response:
        return self.told({"error": self.error(code, message)}, status)

    def error(self, code: str, message: str) -> dict[str, Any]:
        unique = str(uuid.uuid4())
        if self.page.short == "MA":
            return {"code": code, "message": message, "target": unique}
        inner = {"date": "2023-04-17T18:21:44", "request-id": unique, "client-request-id": unique}
        return {"code": code, "message": message, "innerError": inner}

    def limit(self, *after: str) -> Response:
        """Refuse for now; `after` is the Retry-After, where there is one."""
        refusal = self.refuse(429, "TooManyRequests", "Please retry again later.")
        return Response(429, refusal.body, (*(("Retry-After", x) for x in after), *refusal.headers))

    def challenge(self) -> Response:
        refusal = self.refuse(401, "InvalidAuthenticationToken", "Access token is not valid.")
        return Response(
            401, refusal.body, (("WWW-Authenticate", 'Bearer realm=""'), *refusal.headers)
        )

    def entity(self, resource: Resource) -> dict[str, Any]:
        return ENTITIES[self.page.short](resource, self.spell) | resource.shown
