"""The provider-state handler, in Pact's form: put a resource in a state, and take it away again."""

from __future__ import annotations

import json
import threading
import uuid

from servers.entities import DATE, Resource
from servers.front import Request, Response
from servers.pages import Page

PROVIDER = "/_pact/provider-states"
JSON = (("Content-Type", "application/json"),)


class Provides:
    """The resources of one page, and the handler that makes them."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.resources: dict[str, Resource] = {}
        self.lock = threading.RLock()
        self.stopped = threading.Event()

    def provide(self, request: Request) -> Response:
        """Pact's form: {"state", "action", "params"}. A set-up answers the values it made."""
        document = json.loads(request.body)
        params = document["params"]
        with self.lock:
            if document["action"] == "teardown":
                self.resources.pop(params.get("id", ""), None)
                return Response(200, b"{}", JSON)
            state = self.page.spelling.get(params["state"].lower())
            if params["contract"] != self.page.contract or state is None:
                return Response(404, b"no such state")
            resource = self.make(state, params.get("owner", "admin"))
        return Response(201, json.dumps({"id": resource.id}).encode(), JSON)

    def make(self, state: str, owner: str) -> Resource:
        resource = Resource(self.new_id(), state, owner)
        if state == self.page.cancelled:
            resource.comment, resource.cancelled_by = "cancelled before", "someone"
            resource.cancelled_at = DATE
        self.resources[resource.id] = resource
        return resource

    def new_id(self) -> str:
        return str(uuid.uuid4())
