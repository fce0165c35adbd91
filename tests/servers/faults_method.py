"""Faults of other methods on the route, and of two calls at once."""

from __future__ import annotations

import time
from dataclasses import replace

from servers.faults import breaks, values
from servers.front import Request, Response
from servers.pages import Page
from servers.service import Call, Service
from servers.tokens import Tokens

# --- Methods -------------------------------------------------------------------------------------

OTHERS = ("GET", "HEAD", "PUT", "PATCH", "DELETE")


@breaks("SA-04 MA-05 AP-05", values("method", *OTHERS))
class MethodIsTaken(Service):
    method = ""

    def other_method(self, request: Request, id_: str) -> Response:
        resource = self.find(id_)
        if request.method != self.method or resource is None:
            return super().other_method(request, id_)
        self.cancel(resource, call := Call(request, id_, resource=resource))
        return self.success(call)


@breaks("SA-04 MA-05 AP-05", values("method", *OTHERS))
class MethodAnswered200(Service):
    method = ""

    def other_method(self, request: Request, id_: str) -> Response:
        taken = request.method == self.method
        return Response(200) if taken else super().other_method(request, id_)


@breaks("SA-04 MA-05 AP-05", values("method", "GET", "PUT", "DELETE"))
class MethodRefusedYetPerformed(Service):
    method = ""

    def other_method(self, request: Request, id_: str) -> Response:
        resource = self.find(id_)
        if request.method == self.method and resource and self.cancellable(resource.state):
            self.cancel(resource, Call(request, id_))
        return super().other_method(request, id_)


METHOD_CLAUSES = "SA-04 SA-29 MA-05 MA-42 AP-05 AP-44"


@breaks("SA-40 MA-48 AP-62", values("method", *OTHERS, "OPTIONS"), beside=METHOD_CLAUSES)
class MethodAnswered501(Service):
    """As http.server does for a method that it was not told of."""

    method = ""

    def other_method(self, request: Request, id_: str) -> Response:
        if request.method == self.method:
            return Response(501, b"", (("Connection", "close"),))
        return super().other_method(request, id_)


@breaks("SA-41 MA-49 AP-32", beside="SA-04 MA-05 AP-05")
class HeadHasABody(Service):
    def encode(self, response: Response, request: Request, close: bool) -> bytes:
        data = super().encode(response, request, close)
        return data + response.body if request.method == "HEAD" else data


@breaks("SA-29 MA-42 AP-44")
class OptionsPerforms(Service):
    def other_method(self, request: Request, id_: str) -> Response:
        resource = self.find(id_)
        if request.method == "OPTIONS" and resource:
            self.cancel(resource, Call(request, id_))
            return Response(204)
        return super().other_method(request, id_)


# --- Races ---------------------------------------------------------------------------------------


class Raced(Service):
    """Calls that come within 50 ms of each other all pass the checks before one takes effect."""

    def post(self, request: Request, id_: str) -> Response:
        call = Call(request, id_)
        with self.lock:
            refusal: Response | None = next(
                (r for n in self.checks if (r := getattr(self, f"check_{n}")(call))), None
            )
            crowd = self.waiting.setdefault(id_, [])
            crowd.append(call)
        if refusal:
            return refusal
        time.sleep(0.05)
        with self.lock:
            return self.race(call, len(crowd) > 1, crowd[0] is call)

    def __init__(self, page: Page, tokens: Tokens) -> None:
        super().__init__(page, tokens)
        self.waiting: dict[str, list[Call]] = {}

    def race(self, call: Call, crowded: bool, first: bool) -> Response:
        self.perform(call)
        return self.success(call)


@breaks("SA-33 MA-53 AP-48")
class BothOfTwoTakeEffect(Raced):
    pass


@breaks("SA-33 MA-53 AP-48")
class BothOfTwoAreRefused(Raced):
    def race(self, call: Call, crowded: bool, first: bool) -> Response:
        if not crowded:
            return super().race(call, crowded, first)
        return self.refuse(409, "Conflict", "Busy.")


@breaks("SA-33 SA-40 MA-53 MA-48 AP-48 AP-62")
class OneOfTwoFails(Raced):
    def race(self, call: Call, crowded: bool, first: bool) -> Response:
        if not crowded or first:
            return super().race(call, crowded, first)
        return self.refuse(500, "InternalServerError", "Deadlock.")


@breaks("MA-53 AP-48")
class TwoLeaveAMixedState(Raced):
    def race(self, call: Call, crowded: bool, first: bool) -> Response:
        if not crowded:
            return super().race(call, crowded, first)
        assert call.resource is not None
        answer = super().race(call, crowded, first) if first else self.not_cancellable(call)
        call.resource.state = self.page.cancellable[1]
        return answer


@breaks("SA-33 MA-53 AP-48")
class TwoLeaveItAsItWas(Raced):
    def race(self, call: Call, crowded: bool, first: bool) -> Response:
        assert call.resource is not None
        was = replace(call.resource)
        if crowded and not first:
            return self.not_cancellable(call)
        answer = super().race(call, crowded, first)
        if crowded:
            vars(call.resource).update(vars(was))
        return answer
