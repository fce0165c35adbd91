"""Faults of the entity that a success returns, and of the comment in it."""

from __future__ import annotations

import html
import json
import re
import unicodedata
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from servers.entities import Resource
from servers.faults import breaks, values
from servers.front import Request, Response
from servers.service import Call, Service

JSON = "application/json"

# --- Entities ------------------------------------------------------------------------------------


class Told(Service):
    """What a success returns; the GET stays right."""

    def success(self, call: Call) -> Response:
        assert call.resource is not None
        return self.told(self.change(self.entity(call.resource), call))

    def change(self, entity: dict[str, Any], call: Call) -> Any:
        return entity


@breaks("MA-30", {"missing": {"id_": None}, "a number": {"id_": 7}, "empty": {"id_": ""}})
class EntityId(Told):
    id_: Any = None

    def change(self, entity: dict[str, Any], call: Call) -> Any:
        rest = {k: v for k, v in entity.items() if k != "id"}
        return rest if self.id_ is None else {"id": self.id_} | rest


@breaks("MA-31")
class EntityOfAnother(Told):
    def change(self, entity: dict[str, Any], call: Call) -> Any:
        return entity | {"id": self.new_id()}


@breaks("MA-31", values("status", "Zapped", "Cancelled!", "Pending", "Succeeded", "Canceling"))
class EntityStatus(Told):
    status = ""

    def change(self, entity: dict[str, Any], call: Call) -> Any:
        return entity | {"status": self.status}


@breaks("MA-30", values("number", float("nan"), float("inf")))
class EntityHoldsNoNumber(Told):
    number = 0.0

    def change(self, entity: dict[str, Any], call: Call) -> Any:
        return entity | {"score": self.number}


@breaks("MA-30", values("status", None, 5, "null"))
class EntityStatusIs(Told):
    status: Any = None

    def change(self, entity: dict[str, Any], call: Call) -> Any:
        rest = {k: v for k, v in entity.items() if k != "status"}
        if self.status is None:
            return rest
        return rest | {"status": None if self.status == "null" else self.status}


DATES = ("10/21/2024 11:25", "Mon, 21 Oct 2024 11:25:48 GMT", 1729509948, "2024-13-41")


@breaks("MA-30", values("date", *DATES))
class EntityDate(Told):
    date: Any = ""

    def change(self, entity: dict[str, Any], call: Call) -> Any:
        return entity | {"cancellationDateTimeUtc": self.date}


@breaks("MA-30")
class EntityInAList(Told):
    def change(self, entity: dict[str, Any], call: Call) -> Any:
        return {"value": [entity]}


@breaks("MA-30")
class EntityInAnArray(Told):
    def change(self, entity: dict[str, Any], call: Call) -> Any:
        return [entity]


@breaks("MA-30")
class EntityIsAnEmptyObject(Told):
    def change(self, entity: dict[str, Any], call: Call) -> Any:
        return {}


@breaks("MA-30", values("media_type", "text/plain", "text/html", "application/octet-stream"))
class EntityMediaType(Service):
    def refuse(self, status: int, code: str, message: str) -> Response:
        answer = super().refuse(status, code, message)
        return Response(status, answer.body, (("Content-Type", JSON),))


@breaks("MA-30")
class EntityBroken(Told):
    def told(self, value: Any, status: int = 200) -> Response:
        answer = super().told(value, status)
        spoilt = answer.body[:-1] if "requestorComment" in value else answer.body
        return replace(answer, body=spoilt)

    def show(self, request: Request, id_: str) -> Response:
        answer = super().show(request, id_)
        return replace(answer, body=answer.body + b"}") if answer.status == 200 else answer


@breaks("MA-30")
class EntityInLatin1(Told):
    def success(self, call: Call) -> Response:
        assert call.resource is not None
        text = json.dumps(self.entity(call.resource) | {"requestor": "Jörg"}, ensure_ascii=False)
        return Response(200, text.encode("latin-1", "replace"), (("Content-Type", JSON),))


# --- Comments ------------------------------------------------------------------------------------


class Comments(Service):
    """What becomes of a comment on its way into the action."""

    def cancel(self, resource: Resource, call: Call) -> None:
        super().cancel(resource, call)
        if resource.comment is not None:
            resource.comment = self.keep(resource.comment, call)

    def keep(self, text: str, call: Call) -> str | None:
        return text


@breaks("MA-64", {
    "a charset": {"test": lambda call: "charset" in call.request.headers.get("content-type", "")},
    "an application": {"test": lambda call: call.caller.application},
    "one permission": {"test": lambda call: call.caller.permissions == {"Machine.Offboard"}},
}, beside="MA-45 MA-15 MA-16")  # fmt: skip
class CommentLostBeside(Comments):
    test: Any = bool

    def keep(self, text: str, call: Call) -> str | None:
        return None if type(self).test(call) else text


@breaks("MA-28 MA-23")
class CommentLost(Comments):
    def keep(self, text: str, call: Call) -> str | None:
        return None


@breaks("MA-57", values("length", 255, 1024, 4000, 9999))
class CommentCut(Comments):
    length = 0

    def keep(self, text: str, call: Call) -> str | None:
        return text[: self.length]


@breaks("MA-28", {
    "mojibake": {"how": lambda t: t.encode("utf-8").decode("latin-1")},
    "astral characters replaced": {"how": lambda t: re.sub("[\U00010000-\U0010ffff]", "?", t)},
    "HTML-escaped": {"how": lambda t: html.escape(t, quote=False)},
    "quotes escaped": {"how": lambda t: t.replace('"', "&quot;").replace("'", "&#39;")},
    "ASCII": {"how": lambda t: t.encode("ascii", "replace").decode()},
    "whitespace folded": {"how": lambda t: " ".join(t.split())},
    "trimmed": {"how": lambda t: t.strip()},
    "NFC": {"how": lambda t: unicodedata.normalize("NFC", t)},
    "percent-decoded": {"how": lambda t: unquote(t)},
    "form-decoded": {"how": lambda t: t.replace("+", " ")},
    "joiners lost": {"how": lambda t: t.replace("\u200d", "")},
    "stripslashes": {"how": lambda t: t.replace("\\", "")},
})  # fmt: skip
class CommentChanged(Comments):
    how: Any = str

    def keep(self, text: str, call: Call) -> str | None:
        return str(type(self).how(text))


@breaks("MA-28 MA-23")
class CommentOfThePreviousCall(Comments):
    last = "none yet"

    def keep(self, text: str, call: Call) -> str | None:
        self.last, before = text, self.last
        return before


@breaks("MA-23")
class CommentInTheWrongProperty(Comments):
    def keep(self, text: str, call: Call) -> str | None:
        assert call.resource is not None
        call.resource.shown["requestorComment"] = text
        return None


@breaks("MA-65", beside="MA-28")
class CommentInBothProperties(Comments):
    def keep(self, text: str, call: Call) -> str | None:
        assert call.resource is not None
        call.resource.shown["requestorComment"] = text
        return text


@breaks("MA-28 MA-23")
class CommentShownNotStored(Told):
    def change(self, entity: dict[str, Any], call: Call) -> Any:
        assert call.resource is not None
        call.resource.comment = None
        return entity


@breaks("MA-28 MA-23")
class CommentStoredNotShown(Told):
    def change(self, entity: dict[str, Any], call: Call) -> Any:
        return entity | {"cancellationComment": None}


@breaks("MA-33")
class AnswerAndGetDisagree(Told):
    def perform(self, call: Call) -> None:
        pass

    def change(self, entity: dict[str, Any], call: Call) -> Any:
        return entity | {"status": "Cancelled", "cancellationComment": call.comment}
