"""Conforming habits of servers: what moves by itself, who is named how, what is taken."""

from __future__ import annotations

import json
import re
import time
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from servers.entities import Resource, now
from servers.front import Request, Response
from servers.service import GUID, Call, Service

# --- What moves by itself ------------------------------------------------------------------------


class AuditTrail(Service):
    """Every call on a resource is noted in a list of its own, refused ones too."""

    def refused(self, call: Call, refusal: Response) -> Response:
        if (resource := self.find(call.id)) is not None:
            trail = resource.shown.setdefault("auditTrail", [])
            resource.shown["auditTrail"] = [*trail, {"answered": refusal.status}]
        return super().refused(call, refusal)


class BeginsToRun(Service):
    """What waits begins to run some tenths of a second after it was made."""

    tenths = 1

    def make(self, state: str, owner: str) -> Resource:
        resource = super().make(state, owner)
        resource.__dict__["made"] = time.monotonic()
        return resource

    def find(self, id_: str) -> Resource | None:
        resource = super().find(id_)
        if resource is not None and resource.state == self.page.cancellable[0]:
            age = time.monotonic() - resource.__dict__.get("made", 0.0)
            if age > self.tenths / 10:
                resource.state = self.page.cancellable[1]
        return resource


class OthersBeginToRun(Service):
    """A worker takes up the oldest that waits, whenever it has time: at every other call."""

    def post(self, request: Request, id_: str) -> Response:
        answer = super().post(request, id_)
        waiting = [r for i, r in self.resources.items() if i != id_]
        for resource in [r for r in waiting if r.state == self.page.cancellable[0]][-1:]:
            resource.state = self.page.cancellable[1]
        return answer


class Progress(Service):
    """A GET tells how far it is, more at each look."""

    def entity(self, resource: Resource) -> dict[str, Any]:
        done = resource.__dict__["done"] = resource.__dict__.get("done", 0) + 7
        return super().entity(resource) | {"progress": {"percent": min(done, 99)}}


class Heartbeat(Service):
    """The last date is that of a heartbeat, and moves without a call."""

    def entity(self, resource: Resource) -> dict[str, Any]:
        found = super().entity(resource)
        moment = datetime.now(UTC).isoformat()
        last = {n for n in found if n.startswith("last")} or {"lastHeartbeatDateTime"}
        return found | dict.fromkeys(last, moment)


class Archived(Service):
    """What is cancelled says where it is archived."""

    def cancel(self, resource: Resource, call: Call) -> None:
        super().cancel(resource, call)
        resource.shown["archive"] = {"container": "cancelled", "since": resource.cancelled_at}


# --- How it is written ---------------------------------------------------------------------------


class SparseEntities(Service):
    """A document store keeps no nulls and no empty lists: what has no value has no name."""

    def entity(self, resource: Resource) -> dict[str, Any]:
        return {k: v for k, v in super().entity(resource).items() if v not in (None, [])}


class EpochDates(Service):
    """Dates to the second, with an offset. A comment is none, whatever it looks like."""

    def entity(self, resource: Resource) -> dict[str, Any]:
        def plain(name: str, value: Any) -> Any:
            date = isinstance(value, str) and not name.endswith("Comment")
            moment = re.fullmatch(r"(\d{4}-[\dT:-]+)\.?\d*Z", value) if date else None
            return f"{moment[1]}+00:00" if moment else value

        return {k: plain(k, v) for k, v in super().entity(resource).items()}


class NamesTheCanceller(Service):
    """Who cancelled is named by a display name and an id."""

    def cancel(self, resource: Resource, call: Call) -> None:
        super().cancel(resource, call)
        resource.cancelled_by = f"{call.caller.name.title()} ({call.caller.name}@contoso.example)"


class QuotesTheCall(Service):
    """Errors quote to a caller what that caller sent: the id, the route, the own name."""

    who = ""

    def check_caller(self, call: Call) -> Response | None:
        refusal = super().check_caller(call)
        self.who = call.caller.name
        return refusal

    def unknown(self, call: Call) -> Response:
        return self.refuse(404, "ResourceNotFound", f"{self.who}: nothing has the id {call.id}.")

    def not_cancellable(self, call: Call) -> Response:
        return self.refuse(self.final_status, "NotCancellable", f"{call.id} is not cancellable.")


class SpeaksOfKinds(Service):
    """Errors and a header tell what kind of caller it was, in the words of a manual, and which of
    two pools has served it. Only a first answer sets a cookie, only some are counted.
    """

    turn = 0

    def answer(self, request: Request) -> Response:
        self.turn += 1
        caller = self.bearer(request)
        kind = "nobody" if caller is None else "app" if caller.application else "user"
        more = [("X-Principal", kind), ("X-Served-By", ("user-pool", "app-pool")[self.turn % 2])]
        more += [("Set-Cookie", "first=1")] if self.turn == 1 else []
        more += [("X-RateLimit-Remaining", str(self.turn))] if self.turn % 3 else []
        made = super().answer(request)
        return replace(made, headers=(*made.headers, *more))

    def unknown(self, call: Call) -> Response:
        who = "app" if call.caller.application else "user"
        return self.refuse(404, "ResourceNotFound", f"No {who} sees it. Ask an admin.")

    def check_ownership(self, call: Call) -> Response | None:
        refusal = super().check_ownership(call)
        return refusal and self.refuse(403, "UnAuthorized", "A user cancels what is that user's.")


class SameTargetInNoTwo(Service):
    """Errors carry an id each, a link with it and the date of now."""

    def error(self, code: str, message: str) -> dict[str, Any]:
        found = super().error(code, message)
        return found | {"help": f"https://errors.example/{uuid.uuid4()}"}


class ClosesNowAndThen(Service):
    """Connections end at every third answer, as behind a balancer that is being drained."""

    answers = 0

    def answer(self, request: Request) -> Response:
        self.answers += 1
        made = super().answer(request)
        return made if self.answers % 3 else replace(made, hang_up="close")


class ClosesAfterErrors(Service):
    def answer(self, request: Request) -> Response:
        made = super().answer(request)
        if made.status < 400:
            return made
        return replace(made, headers=(*made.headers, ("Connection", "close")), hang_up="close")


class ManyHeaders(Service):
    def answer(self, request: Request) -> Response:
        more = (
            ("Set-Cookie", "ARRAffinity=1; Path=/"),
            ("Set-Cookie", "session=abc; Secure"),
            ("Strict-Transport-Security", "max-age=31536000"),
            ("x-ms-ags-diagnostic", json.dumps({"ServerInfo": {"Slice": "E"}})),
            ("Deprecation", "Tue, 24 Jan 2023 23:59:59 GMT"),
        )
        made = super().answer(request)
        return replace(made, headers=(*made.headers, *more))


# --- What is taken, and what is not --------------------------------------------------------------


class StrictQuery(Service):
    """System query options that do not fit an action are refused, as OData asks."""

    def answer(self, request: Request) -> Response:
        if "?$" in request.target:
            return self.refuse(400, "BadRequest", "The query option is not supported.")
        return super().answer(request)


class LooseRoutes(Service):
    """As ASP.NET's router: any case, and a slash at the end."""

    def answer(self, request: Request) -> Response:
        path, mark, query = request.target.partition("?")
        page = self.page
        known = f"{page.prefix}{page.collection}"
        if path.lower().startswith(known.lower()):
            parts = path[len(known) :].rstrip("/").split("/")
            parts = [p if p.lower() != page.verb.lower() else page.verb for p in parts]
            path = known + "/".join(parts)
        return super().answer(replace(request, target=path + mark + query))


class ReadsGuids(Service):
    """As .NET's Guid.Parse: 32 digits, with or without dashes and braces."""

    def find(self, id_: str) -> Resource | None:
        digits = re.sub("[-{}()]", "", id_).lower()
        if re.fullmatch("[0-9a-f]{32}", digits):
            id_ = str(uuid.UUID(digits))
        return super().find(id_)


class TrimsIds(Service):
    """As Spring's reader of UUIDs, and databases that fill columns with blanks."""

    def key(self, segment: str) -> str:
        return super().key(segment).strip()


class LeavesMatrixParametersAway(Service):
    """RFC 3986, section 3.3: what a semicolon in a segment means is the server's own to say."""

    def key(self, segment: str) -> str:
        return super().key(segment.partition(";")[0])


class NamesTheId(Service):
    """Whoever asks for what is not there is told what was asked for, in small letters."""

    def unknown(self, call: Call) -> Response:
        return self.refuse(404, "ResourceNotFound", f"Nothing has the id {call.id.lower()}.")


class OnlyGuids(Service):
    """What is no GUID is a bad request, to whoever has a valid token."""

    checks = ("caller", "form", "permission", "existence", "content", "ownership", "state")

    def check_form(self, call: Call) -> Response | None:
        good = GUID.fullmatch(call.id)
        return None if good else self.refuse(400, "InvalidId", "The id is no GUID.")


class KnowsItsMethods(Service):
    """Methods that nobody knows are a bad request; TRACE is not allowed."""

    def other_method(self, request: Request, id_: str) -> Response:
        known = ("GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
        if request.method not in known:
            return self.refuse(400, "BadRequest", "The method is not known.")
        return super().other_method(request, id_)


class WantsALength(Service):
    """Chunks of nothing are refused: 411, where no body is asked for."""

    def post(self, request: Request, id_: str) -> Response:
        if request.chunked and self.page.short == "SA":
            return self.refuse(411, "LengthRequired", "Send a Content-Length.")
        return super().post(request, id_)


class WantsJson(Service):
    """Who does not take JSON is told so."""

    def post(self, request: Request, id_: str) -> Response:
        accept = request.headers.get("accept", "*/*")
        if not re.search(r"\*/\*|application/(json|\*)", accept):
            return self.refuse(406, "NotAcceptable", "JSON is what there is.")
        return super().post(request, id_)


class NoControlCharacters(Service):
    """A text with a NUL or half a character is no text."""

    def check_machine(self, call: Call) -> Response | None:
        refusal = super().check_machine(call)
        if refusal is None and re.search("[\0\ud800-\udfff]", call.comment or ""):
            return self.refuse(400, "InvalidRequestBody", "The comment is no text.")
        return refusal


class RepeatsAreForbidden(Service):
    """Who did not cancel it learns that it is not theirs to cancel again."""

    def not_cancellable(self, call: Call) -> Response:
        assert call.resource is not None
        if call.resource.cancelled_by not in (None, "someone", call.caller.name):
            return self.refuse(403, "Forbidden", "Somebody else has cancelled it.")
        return super().not_cancellable(call)


# --- Who is named ---------------------------------------------------------------------------------


class ShowsWhoAsked(Service):
    """The entity has the address of whoever asked for it, one for all that are theirs."""

    def asked_by(self, resource: Resource) -> str:
        return f"{resource.owner or 'administration'}@tenant.example"

    def entity(self, resource: Resource) -> dict[str, Any]:
        return super().entity(resource) | {"requestor": {"email": self.asked_by(resource)}}


class NamesWhomItRefuses(ShowsWhoAsked):
    """Whoever is refused is told their own address."""

    def check_ownership(self, call: Call) -> Response | None:
        if super().check_ownership(call) is None:
            return None
        told = f"{call.caller.name}@tenant.example may not cancel what others asked for."
        return self.refuse(403, "UnAuthorized", told)


# --- What is told beside --------------------------------------------------------------------------


class TellsTheTime(Service):
    """RFC 9110, section 5.6.7: the forms of old are dates too."""

    form = "%a, %d %b %Y %H:%M:%S GMT"

    def answer(self, request: Request) -> Response:
        made = super().answer(request)
        date = datetime.now(UTC).strftime(self.form)
        return replace(made, headers=(("Date", date), *made.headers))


class QuotesTheQuery(Service):
    """Whoever is refused is told what the query said, tokens apart."""

    asked = ""

    def post(self, request: Request, id_: str) -> Response:
        with self.lock:
            said = parse_qsl(request.target.partition("?")[2])
            self.asked = ", ".join(f"{k} {v}" for k, v in said if "token" not in k)
            return super().post(request, id_)

    def refused(self, call: Call, refusal: Response) -> Response:
        if not self.asked or not refusal.body:
            return refusal
        value = json.loads(refusal.body)
        value["error"]["message"] += f" Nobody knows {self.asked}."
        return replace(refusal, body=json.dumps(value).encode())


class TellsPreferences(Service):
    """RFC 7240, section 3: what of Prefer was heeded. Where nothing is to be shown, nothing is."""

    def success(self, call: Call) -> Response:
        made = super().success(call)
        if "prefer" not in call.request.headers:
            return made
        heeded = "return=representation" if made.body else "return=minimal"
        return replace(made, headers=(*made.headers, ("Preference-Applied", heeded)))


class NotesRepeats(Service):
    """A repeat is as good as the first, whose end stays; the last date moves."""

    def entity(self, resource: Resource) -> dict[str, Any]:
        more = {"SA": {"completedDateTime": resource.cancelled_at}}
        return super().entity(resource) | more.get(self.page.short, {})

    def not_cancellable(self, call: Call) -> Response:
        assert call.resource is not None
        if call.resource.state != self.page.cancelled:
            return super().not_cancellable(call)
        call.resource.touched = now()
        return self.success(call)


class ListsRepeats(Service):
    """A repeat is as good as the first, whose end stays; who made it stands in a list."""

    lists: ClassVar = {"SA": "states", "AP": "history"}
    ends: ClassVar = {"SA": "completedDateTime", "AP": "completedDate"}

    def entity(self, resource: Resource) -> dict[str, Any]:
        short = self.page.short
        told: dict[str, Any] = {self.lists[short]: [], self.ends[short]: resource.cancelled_at}
        return told | super().entity(resource)

    def cancel(self, resource: Resource, call: Call) -> None:
        super().cancel(resource, call)
        self.add(resource, call)

    def add(self, resource: Resource, call: Call) -> None:
        name = self.lists[self.page.short]
        listed = {"status": resource.state, "user": call.caller.name, "updatedDateTime": now()}
        resource.shown[name] = [*resource.shown.get(name, []), listed]

    def not_cancellable(self, call: Call) -> Response:
        assert call.resource is not None
        if call.resource.state != self.page.cancelled:
            return super().not_cancellable(call)
        self.add(call.resource, call)
        return self.success(call)


class SecondWord(Service):
    """The status is Canceled. What the state is beside it the house says in words of its own."""

    def word(self, former: str, call: Call) -> str:
        return f"{former}Withdrawn"

    def cancel(self, resource: Resource, call: Call) -> None:
        former = self.entity(resource)["requestState"]
        super().cancel(resource, call)
        resource.shown["requestState"] = self.word(former, call)


class EitherCase(SecondWord):
    """Two services write it, each as it spells."""

    def word(self, former: str, call: Call) -> str:
        return "CANCELED" if call.caller.admin else "canceled"
