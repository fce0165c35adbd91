"""Faults of what a caller may learn who may not know, and of whose resource it is."""

from __future__ import annotations

from servers.faults import breaks
from servers.front import Response
from servers.service import Call, Service


class Whispers(Service):
    """Refuses whoever has no valid token, and lets slip what the id names."""

    def check_caller(self, call: Call) -> Response | None:
        refusal = super().check_caller(call)
        if refusal is None or refusal.status != 401:
            return refusal
        return self.slip(call, refusal)

    def slip(self, call: Call, refusal: Response) -> Response:
        raise NotImplementedError


@breaks("SA-44 MA-62 AP-65", {
    "code": {"code": "NoSuchThing"}, "message": {"message": "Nothing to cancel, and no token."},
})  # fmt: skip
class UnknownIdToldToTheAnonymous(Whispers):
    code, message = "InvalidAuthenticationToken", "Access token is not valid."

    def slip(self, call: Call, refusal: Response) -> Response:
        if self.find(call.id) is not None:
            return refusal
        told = self.refuse(401, self.code, self.message)
        return Response(401, told.body, refusal.headers)


@breaks("SA-44 MA-62 AP-65", {"realm": {}})
class ChallengeNamesTheState(Whispers):
    def slip(self, call: Call, refusal: Response) -> Response:
        resource = self.find(call.id)
        realm = resource.state if resource else "nothing"
        headers = (("WWW-Authenticate", f'Bearer realm="{realm}"'), *refusal.headers[1:])
        return Response(401, refusal.body, headers)


@breaks("SA-44 MA-62 AP-65")
class FinalStateToldToTheAnonymous(Whispers):
    def slip(self, call: Call, refusal: Response) -> Response:
        resource = self.find(call.id)
        final = resource is not None and resource.state not in self.page.cancellable
        return self.not_cancellable(call) if final else refusal


@breaks("SA-45 AP-66", {"garbage": {"dots": 0}, "expired": {"dots": 2}})
@breaks("MA-63", {"expired": {"dots": 2}})
@breaks("MA-205", {"garbage": {"dots": 0}}, deep=True)
class TokenLookedAtTooLate(Whispers):
    dots = 0

    def slip(self, call: Call, refusal: Response) -> Response:
        scheme, _, token = call.request.headers.get("authorization", "").partition(" ")
        late = scheme == "Bearer" and bool(token) and token.count(".") == self.dots
        return self.unknown(call) if late and self.find(call.id) is None else refusal


@breaks("AP-67", beside="AP-13")
class AnothersRequestRefusedToAll(Service):
    def check_ownership(self, call: Call) -> Response | None:
        assert call.resource is not None
        owner = call.resource.owner
        if call.caller.admin and owner not in ("", call.caller.name):
            return self.refuse(403, "UnAuthorized", "Not yours.")
        return super().check_ownership(call)
