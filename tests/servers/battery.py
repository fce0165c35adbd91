"""Many calls by hand on a service, without a socket, and what came of each: a fingerprint.

Two services that keep the same promises in the same way have the same fingerprint. What differs
each time (ids, times) is masked. Shares nothing with the package.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

from servers.front import Request, Response
from servers.service import Service
from servers.tokens import HOME_TENANT, KEY, PERSONAL_TENANT

WAIT_SECONDS = 0.1  # after which it is looked at once more
UUID = re.compile(rb"(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MOMENT = re.compile(rb"(\d{4}-\d\d-\d\d)T[\d:.]+Z")
ADMINISTRATOR = ["62e90394-69f5-4237-9190-012177145e10"]


def encoded(value: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def token(claims: Mapping[str, Any]) -> str:
    """Return a JWT of RFC 7515, HS256."""
    signed = f"{encoded({'alg': 'HS256'})}.{encoded(claims)}"
    mac = hmac.new(KEY.encode(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


@dataclass
class Battery:
    """Calls on one service. `found` is what came of them."""

    service: Service
    found: list[Any] = field(default_factory=list)

    # --- Callers ---------------------------------------------------------------------------------

    def claims(self, name: str = "admin", **over: Any) -> dict[str, Any]:
        page, now = self.service.page, int(time.time())
        whole: dict[str, Any] = {
            "aud": sorted(page.audiences)[0],
            "oid": name,
            "iss": f"https://sts.windows.net/{HOME_TENANT}/",
            "tid": HOME_TENANT,
            "exp": now + 900,
            "nbf": now - 60,
            "scp": " ".join(sorted(page.delegated)),
            "wids": ADMINISTRATOR if name == "admin" else None,
        } | over
        return {key: value for key, value in whole.items() if value is not None}

    def bearer(self, name: str) -> str | None:
        page = self.service.page
        roles = sorted(page.application or page.delegated)
        made: dict[str, Callable[[], dict[str, Any]]] = {
            "admin": self.claims,
            "user": lambda: self.claims("user"),
            "other-user": lambda: self.claims("other-user"),
            "app": lambda: self.claims("app", scp=None, roles=roles),
            "one-role": lambda: self.claims(
                "app", scp=None, roles=[r for r in roles if "ffboard" in r or len(roles) == 1]
            ),
            "small": lambda: self.claims("user", scp="EntitlementMgmt-SubjectAccess.ReadWrite"),
            "no-permission": lambda: self.claims("nobody", scp="User.Read", wids=ADMINISTRATOR),
            "personal": lambda: self.claims("someone", tid=PERSONAL_TENANT, iss=PERSONAL_TENANT),
            "expired": lambda: self.claims(exp=int(time.time()) - 5),
            "audience": lambda: self.claims(aud="https://another.example"),
            "longer-audience": lambda: self.claims(aud=sorted(page.audiences)[0] + "x"),
            "tomorrow": lambda: self.claims(nbf=int(time.time()) + 800),
            "roles": lambda: self.claims("nobody", scp="User.Read", roles=roles, wids=None),
        }
        return None if name == "anonymous" else "Bearer " + token(made[name]())

    # --- Calls -----------------------------------------------------------------------------------

    def new(self, state: str | None = None, owner: str = "user") -> str:
        return self.service.make(state or self.service.page.cancellable[0], owner).id

    def body(self, id_: str, **over: Any) -> bytes:
        short = self.service.page.short
        documented: dict[str, Any] = {
            "SA": {},
            "MA": {"Comment": "Stop."},
            "AP": {"id": id_, "requestStatus": "cancelled"},
        }[short]
        return b"" if short == "SA" and not over else json.dumps(documented | over).encode()

    def path(self, id_: str) -> str:
        page = self.service.page
        return f"{page.prefix}{page.collection}/{id_}/{page.verb}"

    def call(
        self,
        id_: str,
        who: str = "admin",
        *,
        method: str = "POST",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        target: str | None = None,
        connection: dict[str, Any] | None = None,
        **more: Any,
    ) -> Response:
        sent = {"content-type": "application/json", **(headers or {})}
        if (bearer := self.bearer(who)) is not None:
            sent.setdefault("authorization", bearer)
        if body is None:
            body = self.body(id_)
        request = Request(method, target or self.path(id_), sent, body, **more)
        if connection is not None:
            request = replace(request, connection=connection)
        return self.service.answer(request)

    def look(self, id_: str) -> Response:
        page = self.service.page
        bearer = {"authorization": self.bearer("admin") or ""}
        return self.service.answer(Request("GET", f"{page.prefix}{page.collection}/{id_}", bearer))

    def note(self, made: Response, *ids: str) -> None:
        self.found.append((told(made), *(told(self.look(id_)) for id_ in ids)))

    def done(self, id_: str, who: str = "admin", **arguments: Any) -> None:
        self.note(self.call(id_, who, **arguments), id_)


def told(response: Response) -> Any:
    """What a response says, without what differs each time; a token in it counts once."""
    text = response.body + repr(response.headers).encode() + (response.wire or b"")
    text = re.sub(rb"eyJ[\w.-]+", b"TOKEN", text)
    text = MOMENT.sub(lambda found: b"NOW" if is_near(found[1]) else found[0], text)
    return response.status, response.hang_up, UUID.sub(b"U", text)


def is_near(day: bytes) -> bool:
    """Whether a day is today, or a neighbour of it."""
    return abs((date.fromisoformat(day.decode()) - datetime.now(UTC).date()).days) <= 1


# --- The parts -----------------------------------------------------------------------------------

WHO = ("admin", "app", "one-role", "user", "other-user", "small", "no-permission", "personal",
       "anonymous", "expired", "audience", "longer-audience", "tomorrow", "roles")  # fmt: skip
BODIES = (b"", b"{}", b"{no", b"[]", b'{"Comment": 7}', b'{"id": "x", "requestStatus": "no"}')


def pairs(b: Battery) -> None:
    page = b.service.page
    for state in (*page.cancellable, page.final[0], page.cancelled):
        for who in WHO:
            b.done(b.new(state), who)
            b.done(b.new(state), who, chunked=True)
        for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE"):
            for who in ("admin", "app", "anonymous"):
                b.done(b.new(state), who, method=method, body=b"")
        for body in BODIES:
            for who in ("admin", "app", "user"):
                b.done(b.new(state), who, body=body)
        for media in ("text/plain", "application/x-www-form-urlencoded"):
            for who in ("admin", "user"):
                b.done(b.new(state), who, headers={"content-type": media})
    for who in WHO:
        b.done("11111111-1111-4111-8111-111111111111", who)
        b.done("11111111-1111-4111-8111-111111111111", who, chunked=True)
    b.done("11111111-1111-4111-8111-111111111111", method="HEAD", body=b"")


def histories(b: Battery) -> None:
    for first in ("admin", "app", "user", "no-permission", "anonymous", "expired"):
        for second in ("admin", "app", "user", "no-permission"):
            id_ = b.new()
            b.call(id_, first)
            b.done(id_, second)
            for _ in range(3):
                b.done(id_, second)
    for before in BODIES[2:]:
        id_ = b.new()
        b.call(id_, "user", body=before)
        b.call(b.new(), "user", body=b.body(id_))
        b.done(id_, "user", body=b"")
        b.done(id_, "user")
    id_ = b.new(b.service.page.final[0])
    b.call(id_)
    b.done(b.new(), body=b"{}")
    id_ = b.new()
    for _ in range(3):
        b.look(id_)
    b.done(id_)
    for _ in range(25):
        b.done(b.new(), "app")


def neighbours(b: Battery) -> None:
    page = b.service.page
    for who in ("admin", "app", "user", "no-permission", "anonymous"):
        others = [b.new(s, o) for s in (*page.cancellable, page.final[0]) for o in ("user", "x")]
        others.append(b.new())
        b.call(others[-1])
        id_ = b.new()
        b.note(b.call(id_, who), id_, *others)


def kept(b: Battery) -> None:
    for who in (("admin", "user"), ("admin", "no-permission"), ("admin", "anonymous"),
                ("no-permission", "admin"), ("app", "expired"),
                ("admin", "no-permission", "anonymous"), ("admin",) * 4):  # fmt: skip
        connection: dict[str, Any] = {}
        for name in who:
            b.done(b.new(owner="x"), name, connection=connection)
    connection = {}
    b.done(b.new(), "user", body=b"{no", connection=connection)
    b.done(b.new(), "user", connection=connection)


def leaks(b: Battery) -> None:
    """Whether what was told before, or came along, stands in an answer."""
    page, unknown = b.service.page, "11111111-1111-4111-8111-111111111111"
    b.call(b.new(), body=b.body("x", Comment="canary-7") if page.short == "MA" else None)
    for who in ("app", "user", "no-permission", "expired"):
        for id_ in (unknown, b.new(owner="owner-9"), b.new(page.final[0])):
            made = b.call(id_, who)
            text = made.body + repr(made.headers).encode()
            b.found.append((told(made), b"eyJ" in text, b"canary-7" in text, b"owner-9" in text))


def nearly(b: Battery) -> None:
    good = b.bearer("admin") or ""
    bare = good.removeprefix("Bearer ")
    for headers in ({"cookie": f"token={bare}"}, {"x-authorization": good}, {"x-api-key": bare},
                    {"authorization": f"Token {bare}"}, {"authorization": f"Bearer x {bare}"},
                    {"authorization": f"{good} x"}, {"authorization": bare}):  # fmt: skip
        b.done(b.new(), "anonymous", headers=headers)
    id_ = b.new()
    b.done(id_, "anonymous", target=f"{b.path(id_)}?access_token={bare}")
    b.done(b.new(), headers={"authorization": "Bearer " + token(b.claims(iss="https://evil"))})
    b.done(b.new(), headers={"authorization": "Bearer " + token(b.claims(nbf=9_999_999_999))})
    made: tuple[Callable[[str], str], ...] = (
        lambda i: i[:10], lambda i: i[:-4], lambda i: i + ";x", lambda i: i + "0",
        lambda i: i.replace("-", "%252D"), lambda i: "%FF%FE",
    )  # fmt: skip
    for change in made:
        id_ = b.new()
        b.note(b.call(id_, target=b.path(change(id_))), id_)
    verb = b.service.page.verb
    paths: tuple[Callable[[str], str], ...] = (
        lambda p: p + "/", lambda p: p.replace(f"/{verb}", f"//{verb}"),
        lambda p: p.replace(f"/{verb}", f"/./{verb}"), lambda p: "/x/.." + p,
        lambda p: p.replace(verb, f"%{ord(verb[0]):02x}{verb[1:]}"), lambda p: p + ";x",
    )  # fmt: skip
    for who in ("anonymous", "admin"):
        for spelled in paths:
            id_ = b.new()
            b.note(b.call(id_, who, target=spelled(b.path(id_))), id_)


def assigned(b: Battery) -> None:
    seen = json.loads(b.look(b.new()).body)
    for name in seen:
        if name != "id":
            id_ = b.new()
            b.done(id_, body=b.body(id_, **{name: "2001-01-01T00:00:00Z"}))
    for like in ("", "cut", "list"):
        id_ = b.new()
        value: Any = {"": "", "cut": id_[:12], "list": [id_]}[like]
        b.done(id_, "user", body=b.body(id_, id=value))


def neutral(b: Battery) -> None:
    for name, value in (
        ("accept", "text/html"), ("accept", "*/*"), ("accept-language", "de"),
        ("user-agent", "curl/8"), ("cookie", "a=b"), ("x-forwarded-proto", "http"),
        ("x-http-method-override", "DELETE"), ("x-ms-client-principal-name", "admin"),
    ):  # fmt: skip
        b.done(b.new(), headers={name: value})
        b.done(b.new(), "anonymous", headers={name: value})
    id_ = b.new()
    b.done(id_, target=b.path(id_) + "?a=b")


def texts(b: Battery) -> None:
    words = (
        "0",
        "false",
        "null",
        "{{x}}",
        "a ${x}",
        "a\0b",
        "a\r\nb",
        "2024-10-21T11:25:48Z",
        "=1",
    )
    for word in (*words, "x" * 70_000, "x" * 1_000_000):
        id_ = b.new()
        b.done(id_, body=b.body(id_, Comment=word))
    id_ = b.new()
    plain = b.body(id_) or b"{}"
    for form in (json.dumps(json.loads(plain), indent=1).encode(), b"\xef\xbb\xbf" + plain,
                 plain.replace(b'"S', b'"\\u0053').replace(b'"c', b'"\\u0063')):  # fmt: skip
        b.done(b.new(), body=form)


def seldom(b: Battery) -> None:
    b.done(b.new(), version="HTTP/1.0")
    for who in ("admin", "anonymous"):
        id_ = b.new()
        b.done(id_, who, target="http://host.example" + b.path(id_))
    for method in ("TRACE", "CANCEL", "PURGE"):
        b.done(b.new(), method=method, body=b"")
    id_, other = b.new(), b.service.page
    b.done(id_, target=f"/api/others/{id_}/{other.verb}")


def at_once(b: Battery) -> None:
    """Six calls at once, each on its own resource and by two callers."""
    ids = [b.new() for _ in range(6)]
    answers: dict[str, Any] = {}

    def run(number: int) -> None:
        answers[ids[number]] = told(b.call(ids[number], ("admin", "app", "user")[number % 3]))

    threads = [threading.Thread(target=run, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    b.found += [(answers[id_], told(b.look(id_))) for id_ in ids]


def later(b: Battery) -> None:
    page = b.service.page
    ids = []
    for who, method, state in (
        ("admin", "POST", page.cancellable[0]), ("anonymous", "POST", page.cancellable[0]),
        ("no-permission", "POST", page.cancellable[0]), ("admin", "PUT", page.cancellable[0]),
        ("admin", "POST", page.final[0]),
    ):  # fmt: skip
        ids.append(b.new(state))
        b.call(ids[-1], who, method=method)
    time.sleep(WAIT_SECONDS)
    b.found += [told(b.look(id_)) for id_ in ids]


PARTS = (pairs, histories, neighbours, kept, leaks, nearly, assigned, neutral, texts, seldom,
         at_once, later)  # fmt: skip


# Which part shows a kind of fault soonest.
SOONEST = {
    "history": histories, "kept connections": kept, "other callers": neighbours,
    "whole entity": neighbours, "late": later, "canaries": leaks, "more at once": at_once,
    "nearly right": nearly, "assignment": assigned, "neutral": neutral, "texts": texts,
    "requests": seldom, "across contracts": seldom,
}  # fmt: skip


def fingerprints(
    make: Callable[[], Service], kind: str = "pairs"
) -> Iterator[tuple[str, list[Any]]]:
    """Return what comes of each part, each on a service of its own, the likeliest first."""
    soonest = SOONEST.get(kind, pairs)
    for part in (soonest, *(part for part in PARTS if part is not soonest)):
        battery = Battery(make())
        part(battery)
        yield part.__name__, battery.found
