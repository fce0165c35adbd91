"""A server of several contracts: each has its own route, its own resources and its own handler."""

from __future__ import annotations

import json
import threading
from urllib.parse import unquote

from servers.front import Request, Response
from servers.provider import PROVIDER
from servers.service import Call, Service


class Together:
    """Services behind one address."""

    def __init__(self, *services: Service) -> None:
        self.services = services
        self.stopped = threading.Event()

    def answer(self, request: Request) -> Response:
        if request.target == PROVIDER:
            named = json.loads(request.body)["params"].get("contract")
            return next(s for s in self.services if s.page.contract == named).provide(request)
        return self.routed(request).answer(request)

    def routed(self, request: Request) -> Service:
        routes = ((s, s.page.prefix + s.page.collection) for s in self.services)
        return next((s for s, at in routes if request.target.startswith(at)), self.services[0])

    def encode(self, response: Response, request: Request, close: bool) -> bytes:
        return self.routed(request).encode(response, request, close)


class AnyCollectionWillDo(Together):
    """The verb decides: what has the id is cancelled, whatever its collection is called."""

    def answer(self, request: Request) -> Response:
        made = super().answer(request)
        *_, id_, verb = request.target.partition("?")[0].strip("/").split("/")
        if made.status != 404 or request.method != "POST":
            return made
        for service in (s for s in self.services if s.page.verb == verb):
            if (resource := service.find(unquote(id_))) is not None:
                call = Call(request, id_, resource=resource)
                service.cancel(resource, call)
                return service.success(call)
        return made
