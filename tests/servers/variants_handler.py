"""Conforming differences of the provider-state handler: how many resources stand at a time."""

from __future__ import annotations

from servers.entities import Resource
from servers.front import Request, Response
from servers.service import Service

FIXED = "11111111-1111-4111-8111-{:012d}"


class OneResource(Service):
    """One fixture, put into the state that is asked for. What is torn down twice is not found."""

    def new_id(self) -> str:
        return FIXED.format(0)

    def provide(self, request: Request) -> Response:
        gone = b'"teardown"' in request.body and FIXED.format(0) not in self.resources
        return Response(404) if gone else super().provide(request)


class OneResourcePerState(Service):
    """A fixture for each state, made anew at each set-up."""

    state = ""

    def make(self, state: str, owner: str) -> Resource:
        self.state = state
        return super().make(state, owner)

    def new_id(self) -> str:
        return FIXED.format((*self.page.cancellable, *self.page.final).index(self.state))


class EmptiesTheStore(Service):
    """A set-up begins with an empty database."""

    def make(self, state: str, owner: str) -> Resource:
        self.resources.clear()
        return super().make(state, owner)


class FiveInTurn(Service):
    made = 0

    def new_id(self) -> str:
        self.made += 1
        return FIXED.format(self.made % 5)
