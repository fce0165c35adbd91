"""The pipeline of one contract: named steps from a call to its answer, and the seams in it.

Built from the OpenAPI part and the lifecycle alone; knows no fault. The faithful order is STEPS. It
runs on one event loop and does not wait between deciding and acting, so a cancel is atomic unless a
fault puts a pause there.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

from joserfc.jwk import OctKey

from cancel_contracts.contract.form import FORM
from cancel_contracts.contract.model import Contract
from cancel_contracts.contract.states import GONE, canonical
from cancel_contracts.mock import body, identity, shape
from cancel_contracts.mock.answers import Answers
from cancel_contracts.mock.call import Call, Caller, Refusal, Replayed, Reply
from cancel_contracts.mock.quota import Window
from cancel_contracts.mock.store import Resource, Store, fresh_id

Step = Callable[[Call], None]
Edit = Callable[[Call, Reply], Reply]
View = Callable[[Resource, dict[str, Any]], dict[str, Any]]

STEPS = (
    "method", "authenticate", "authorise", "throttle", "parameters", "replay", "find", "media",
    "body", "own", "decide", "effect",
)  # fmt: skip
UNDER_WAY_SECONDS = 0.03  # that a cancel takes where it goes through other states


class Desk(Answers):
    """Answers the calls of one contract.

    Seams: `steps` (replace, wrap, reorder), `pauses` (seconds to wait before a step), `forgives`
    (refusals that are overlooked), `edits` (changes to the finished answer of a cancel), `finishes`
    (the same for any answer, a GET's included), `views` (changes to what a GET shows), `spell` (how
    a state is written), `reroute` (which path is read as which). `beside` are the desks of the
    other contracts of the same server.
    """

    def __init__(self, contract: Contract, key: OctKey, *, quotas: bool = True) -> None:
        super().__init__(contract)
        self.key = key
        self.store = Store()
        self.window = Window(contract.quotas if quotas else ())
        self.schema = shape.validator(contract, shape.documented_body(contract))
        self.owner_schema = shape.validator(contract, shape.owner_schema(contract))
        shows = contract.path == contract.observe_path
        self.allow = ", ".join([*(["GET", "HEAD"] if shows else []), contract.method, "OPTIONS"])
        self.calls = 0
        self.steps: dict[str, Step] = {name: getattr(self, name) for name in STEPS}
        self.pauses: dict[str, float] = {}
        self.forgives: list[Callable[[Call, Refusal], bool]] = []
        self.edits: list[Edit] = []
        self.finishes: list[Edit] = []
        self.views: list[View] = []
        self.spell: Callable[[str], str] = str
        # What an effect takes, in seconds, and what a GET answers of a resource that is gone.
        self.takes = UNDER_WAY_SECONDS if contract.lifecycle.through else 0.0
        self.gone_status = 404
        self.hides: Callable[[Resource], bool] = lambda resource: resource.state == GONE
        self.observable = contract.observe_path is not None
        self.reroute: Callable[[bytes], bytes] = bytes
        self.beside: tuple[Desk, ...] = ()
        self.replies: dict[tuple[str | bytes | None, ...], Reply] = {}  # by the keys of requests

    # --- Seams ------------------------------------------------------------------------------------

    def wrap(self, name: str, outer: Callable[[Call, Step], None]) -> None:
        """Put a function around a step; it is given the call and the step as it was."""
        inner = self.steps[name]
        self.steps[name] = lambda call: outer(call, inner)

    def order(self, *names: str) -> None:
        """Run these steps in this order, at the places that they hold among the others."""
        turn = iter(names)
        queue = [next(turn) if name in names else name for name in self.steps]
        self.steps = {name: self.steps[name] for name in queue}

    # --- Answers ----------------------------------------------------------------------------------

    async def cancel(self, call: Call) -> Reply:
        """Take a call on the cancel route through every step and return its answer."""
        self.calls += 1
        call.number, call.request_id = self.calls, fresh_id()
        try:
            for name, step in list(self.steps.items()):
                if name in self.pauses:
                    await asyncio.sleep(self.pauses[name])
                try:
                    step(call)
                except Refusal as refusal:
                    if not any(forgive(call, refusal) for forgive in self.forgives):
                        raise
            reply = self.succeed(call)
            self.replies[self.request_key(call)] = reply
        except Replayed as again:
            call.replayed, reply = True, again.reply
        except Refusal as refusal:
            call.refusal = refusal
            reply = self.refuse(call, refusal)
        for edit in (*self.edits, *self.finishes):
            reply = edit(call, reply)
        return reply

    def observe(self, call: Call) -> Reply:
        """Answer the GET of the resource: any valid token may look."""
        call.request_id = fresh_id()
        try:
            if call.method not in ("GET", "HEAD"):
                raise Refusal(405, "method", (("Allow", "GET, HEAD"),))
            self.authenticate(call)
            body.check_parameters(call, self.contract.observe_parameters)
            if self.hides(found := self.lookup(call)):
                raise Refusal(self.gone_status, "gone")
            reply = Reply(200, self.trace(call)).with_json(self.whole(self.view(found)))
        except Refusal as refusal:
            call.refusal = refusal
            reply = self.refuse(call, refusal)
        for edit in self.finishes:
            reply = edit(call, reply)
        return reply

    def view(self, resource: Resource) -> dict[str, Any]:
        """Return what a GET shows of a resource, opened."""
        entity = dict(resource.entity)
        for view in self.views:
            entity = view(resource, entity)
        return entity

    def succeed(self, call: Call) -> Reply:
        entity = call.resource.entity if call.resource else None
        return self.success(call, entity)

    # --- Steps ------------------------------------------------------------------------------------

    def method(self, call: Call) -> None:
        if call.method == "OPTIONS":
            raise Refusal(204, "options", (("Allow", self.allow),))
        if call.method != self.contract.method:
            raise Refusal(405, "method", (("Allow", self.allow),))

    def authenticate(self, call: Call) -> None:
        if shape.wants_token(self.contract):
            call.caller = identity.authenticate(call, self.contract, self.key)

    def token(self, call: Call) -> str:
        """Return what token a call carries, or raise Refusal 401."""
        return identity.token_of(self.contract.scheme, call)

    def authorise(self, call: Call) -> None:
        identity.authorise(call.caller, self.contract)

    def throttle(self, call: Call) -> None:
        if call.caller.sub == identity.THROTTLED:
            raise self.limited("1")
        if (spent := self.window.ask(time.monotonic())) is not None:
            raise self.limited(str(spent[0]), spent[1].refused)

    def parameters(self, call: Call) -> None:
        body.check_parameters(call, self.contract.parameters)

    def replay(self, call: Call) -> None:
        """Answer a request that has succeeded before as it was answered then."""
        if self.contract.keys and (reply := self.replies.get(self.request_key(call))) is not None:
            call.resource = self.lookup(call)
            raise Replayed(reply)

    def request_key(self, call: Call) -> tuple[str | bytes | None, ...]:
        """Return by what a request is known again: its keys, who sent it, what it is."""
        keys = (body.said(call, parameter) for parameter in self.contract.keys)
        return (*keys, call.caller.sub, call.raw_id, call.body)

    def find(self, call: Call) -> None:
        call.resource = self.lookup(call)
        if call.resource.state == GONE:
            documented = self.contract.operation.get("responses") or {}
            known = [int(code) for code in ("404", "410") if code in documented]
            raise Refusal((known or [404])[0], "gone")

    def lookup(self, call: Call) -> Resource:
        call.id = body.decode_id(call.raw_id)
        if (resource := self.store.get(call.id)) is None:
            raise Refusal(404, "unknown")
        return resource

    def media(self, call: Call) -> None:
        if self.schema is not None:
            body.check_media(call, self.contract.media, always=self.has_entity)

    def body(self, call: Call) -> None:
        if self.schema is None:
            return
        if self.contract.media == FORM:
            call.json = body.read_form(self.contract.body_schema, call.body)
        else:
            call.json = body.read_object(call.body)
        if self.owner_schema is None or not self.restricted(call.caller):
            body.check_object(self.schema, call)

    def restricted(self, caller: Caller) -> bool:
        """Whether the caller is bound by what the lifecycle asks of owners."""
        bound = self.contract.lifecycle.owners is not None
        return bound and caller.owner_only and not caller.trusted

    def own(self, call: Call) -> None:
        if not self.restricted(call.caller):
            return
        if call.found.owner != call.caller.sub:
            raise Refusal(403, "not-owner")
        if self.owner_schema is not None:
            body.check_owner_body(self.owner_schema, call)

    def decide(self, call: Call) -> None:
        if call.found.state not in self.contract.lifecycle.cancellable:
            raise Refusal(self.final_status, "final")

    def effect(self, call: Call) -> None:
        self.perform(call, call.found)

    # --- The resource -----------------------------------------------------------------------------

    @property
    def after(self) -> str:
        """The state that a cancel leads to; where no page names one, the last final state."""
        life = self.contract.lifecycle
        if not life.after:
            return life.final[-1]
        known = [s for s in life.final if canonical(s) == canonical(life.after[0])]
        return known[0] if known else life.after[0]

    def perform(self, call: Call, resource: Resource, state: str | None = None) -> None:
        """Cancel a resource: state, what the request gave to be kept, who and when. It goes through
        the states that the spec has between, and takes its time for it.
        """
        life, now = self.contract.lifecycle, shape.now_text()
        resource.ahead = []
        between = life.through if self.takes else ()
        steps = [partial(self.show_state, resource, name) for name in between]
        steps.append(partial(self.end, resource, state or self.after))
        resource.changed_at, resource.entity_before = time.monotonic(), dict(resource.entity)
        last = max(1, len(steps) - 1)
        for number, step in enumerate(steps):  # the first state between shows at once
            late = number if between else last
            resource.ahead.append((resource.changed_at + self.takes * late / last, step))
        given = call.json if isinstance(call.json, dict) else {}
        for prop, source in life.records.items():
            resource.entity[prop] = given.get(source)
        for prop in dict.fromkeys((*life.sets, *life.stamps)):
            resource.entity[prop] = self.filled_in(prop, now, call.caller.sub)
        shape.add_to_list(resource.entity, life, call.caller.sub)
        for prop, value in resource.entity.items():
            if shape.is_last_date(prop) and not isinstance(value, (int, float)):
                resource.entity[prop] = now
        resource.come_of_age(resource.changed_at)

    def end(self, resource: Resource, state: str) -> None:
        """Come to the end of a cancel: the state, and what it leaves."""
        self.show_state(resource, state)
        resource.entity |= self.contract.lifecycle.leaves

    def put_state(self, resource: Resource, state: str) -> None:
        """Put a resource in a state, whatever was still to come of it."""
        resource.ahead = []
        self.show_state(resource, state)

    def show_state(self, resource: Resource, state: str) -> None:
        resource.state = state
        resource.entity |= self.signs(state)

    def signs(self, state: str) -> dict[str, Any]:
        """Return what an entity shows in a state, spelled as this server does."""
        return {
            at: self.spell(value) if isinstance(value, str) else value
            for sign in self.contract.lifecycle.signs(state)
            for at, value in sign.items()
        }

    def create(self, state: str, owner: str | None, id_: str | None = None) -> Resource:
        """Put a resource in a state, as a provider-state handler is asked to."""
        named = id_ or self.contract.id.fresh(uuid.uuid4())
        resource = Resource(named, state, owner, shape.entity_example(self.contract))
        if "id" in self.properties or not self.properties:
            resource.entity["id"] = self.contract.id.written(resource.id)
        for at, value in self.contract.lifecycle.leaves.items():
            if resource.entity.get(at) == value:
                del resource.entity[at]  # of the example: nothing was cancelled yet
        self.put_state(resource, state)
        resource.first_state, resource.first_entity = state, dict(resource.entity)
        self.store.add(resource)
        return resource
