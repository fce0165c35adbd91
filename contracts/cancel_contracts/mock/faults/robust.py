"""Faults of robustness: odd ids, bodies and media types that upset the server or slip through."""

from __future__ import annotations

from cancel_contracts.mock import entry, kit
from cancel_contracts.mock.call import MISSING, Call
from cancel_contracts.mock.desk import Desk
from cancel_contracts.mock.entry import Applies, Breaks, Change, Fault, all_of, always, breaks
from cancel_contracts.mock.faults.kinds import (
    BODIES,
    BODY_WORDS,
    ID_WORDS,
    IDS,
    MEDIA,
    MEDIA_WORDS,
    odd_id,
)

# Bodies that no reading of a page takes for the documented one, and those that one may.
NEVER_RIGHT = ("malformed-json", "deep-json", "array", "string-or-number", "wrong-type")
ONLY_TEXT = ("long-text", "emoji", "quotes")


def owners_alone(desk: Desk, call: Call) -> bool:
    """The caller is one that the lifecycle binds, or the lifecycle binds none."""
    return desk.restricted(call.caller) or desk.owner_schema is None


def crash_on_body(kind: str) -> Change:
    return kit.refuse("body", BODIES[kind], 500)


def accept_body(kind: str) -> Change:
    """Take a bad body for an empty one."""

    def act(desk: Desk, call: Call) -> None:
        call.json = MISSING

    def forgiving(desk: Desk) -> None:
        when = kit.both(BODIES[kind], owners_alone)
        kit.instead("body", act, when)(desk)
        kit.forgive("owner-body-missing", "owner-body-schema", when=when)(desk)

    return forgiving


def body_decides(desk: Desk, call: Call) -> None:
    """Cancel what the body's id names, whatever the path says."""
    if isinstance(call.json, dict) and isinstance(id_ := call.json.get("id"), str):
        call.resource = desk.store.get(id_) or call.resource


def assign_all(desk: Desk, call: Call) -> None:
    """Write every property of the body into the entity."""
    if isinstance(call.json, dict):
        given = {k: v for k, v in call.json.items() if k != "id"}
        shows = desk.contract.lifecycle.places
        call.found.entity.update({k: v for k, v in given.items() if k not in shows})


def record_any_case(desk: Desk, call: Call) -> None:
    """Compare the names of body parameters without case."""
    if isinstance(call.json, dict):
        given = {key.lower(): value for key, value in call.json.items()}
        for prop, source in desk.contract.lifecycle.records.items():
            call.found.entity[prop] = given.get(source.lower())


def media_alone(desk: Desk, call: Call) -> bool:
    return "content-type" in call.headers and not call.body


def chunked(desk: Desk, call: Call) -> bool:
    return "chunked" in call.headers.get("transfer-encoding", "").lower()


def parameters(desk: Desk, call: Call) -> bool:
    return ";" in call.headers.get("content-type", "")


def with_body(desk: Desk, call: Call) -> bool:
    return bool(call.body)


def fault(
    name: str,
    says: str,
    broken: tuple[Breaks, ...],
    change: Change,
    applies: Applies = entry.takes_body,
) -> Fault:
    return Fault(name, "robustness", says, broken, applies, change)


def words(kind: str) -> str:
    return kind.replace("-", " ")


def ids() -> tuple[Fault, ...]:
    found = []
    for kind in IDS:
        asked = entry.goes_on if kind == "dots" else always  # else it names what stands above
        broken = (breaks("status", resource="odd", id=ID_WORDS[kind]),)
        found += [
            fault(f"odd-id-{kind}-answered-500", f"An odd id ({words(kind)}) is answered 500.",
                  broken, kit.refuse("find", odd_id(kind), 500), asked),
            fault(f"odd-id-{kind}-accepted", f"An odd id ({words(kind)}) is answered as a success.",
                  broken,
                  kit.edit(kit.both(kit.refused("unknown", "odd-id"), odd_id(kind)),
                  kit.as_success), asked),
        ]  # fmt: skip
    return tuple(found)


def bodies() -> tuple[Fault, ...]:
    found = [
        fault(f"body-{kind}-answered-500", f"A body ({words(kind)}) is answered 500.",
              (breaks("status", body=BODY_WORDS[kind]),), crash_on_body(kind),
              entry.records if kind in (*ONLY_TEXT, "null") else entry.takes_body)
        for kind in BODIES if kind != "string-or-number"
    ]  # fmt: skip
    found += [
        fault(f"body-{kind}-accepted", f"A body ({words(kind)}) is accepted.",
              (breaks("status effect", body=BODY_WORDS[kind]),), accept_body(kind))
        for kind in NEVER_RIGHT
    ]  # fmt: skip
    return tuple(found)


FAULTS: tuple[Fault, ...] = (
    *ids(),
    *bodies(),
    fault("bad-body-refused-yet-performed", "A bad body is answered 400, and the cancel is done.",
          (breaks("effect", body="malformed-json array string number json"),),
          kit.edit(kit.answered(400), kit.performed), all_of(entry.takes_body, entry.observable)),
    fault("unexpected-body-answered-500", "A body is answered 500, where none is to be sent.",
          (breaks("status", body="empty-object malformed-json array deep-json null json"),),
          kit.refuse("find", with_body, 500), entry.takes_nothing),
    fault("unexpected-nested-body-answered-500",
          "A body that is nested deep is answered 500, where none is to be sent.",
          (breaks("status", body="deep-json"),), crash_on_body("deep-json"), entry.takes_nothing),
    fault("unexpected-null-answered-500", "Null is answered 500, where no body is to be sent.",
          (breaks("status", body="null"),), crash_on_body("null"), entry.takes_nothing),
    fault("media-missing-accepted", "A call without Content-Type is accepted.",
          (breaks("status effect", content_type=MEDIA_WORDS["missing"]),),
          kit.forgive("no-media"), entry.strict_media),
    fault("media-foreign-accepted", "A body that says it is text or a form is accepted.",
          (breaks("status effect", content_type=MEDIA_WORDS["foreign"]),), kit.forgive("media")),
    *(fault(f"media-{kind}-answered-500", f"A {kind} Content-Type is answered 500.",
            (breaks("status", content_type=MEDIA_WORDS[kind]),), kit.refuse("media", when, 500))
      for kind, when in MEDIA.items()),
    fault("media-refused-yet-performed",
          "A wrong Content-Type is answered 415, and the cancel is done.",
          (breaks("effect", content_type="none text/plain application/x-www-form-urlencoded"),),
          kit.edit(kit.answered(415), kit.performed), all_of(entry.takes_body, entry.observable)),
    fault("media-parameter-refused", "A charset beside application/json is refused.",
          (breaks("status effect", content_type="application/json; charset=utf-8"),),
          kit.refuse("media", parameters, 415, "media")),
    fault("chunked-request-refused", "A chunked request is answered 411.",
          (breaks("status effect", transfer="chunked"),),
          kit.refuse("media", chunked, 411, "length")),
    fault("chunked-request-answered-500", "A chunked request is answered 500.",
          (breaks("status", transfer="chunked"),), kit.refuse("find", chunked, 500), always),
    fault("media-without-a-body-answered-500", "A Content-Type without a body is answered 500.",
          (breaks("status", content_type="application/json text/plain"),),
          kit.refuse("find", media_alone, 500), entry.takes_nothing),
    fault("chunked-request-read-as-empty", "The body of a chunked request is not read.",
          (breaks("status effect entity", transfer="chunked"),),
          kit.before("media", lambda d, c: setattr(c, "body", b"" if chunked(d, c) else c.body))),
    fault("body-id-decides", "The id in the body decides what is cancelled.",
          (breaks("neighbour effect", body="json"),),
          kit.together(kit.forgive("other-id", "owner-body-id"), kit.before("decide",
          body_decides)), all_of(entry.body_names_resource, entry.observable)),
    fault("other-properties-written", "Any property of the body is written into the entity.",
          (breaks("keeps", body="json"),), kit.before("effect", assign_all),
          all_of(entry.shares_properties, entry.observable)),
    fault("names-compared-without-case", "Names of body parameters are compared without case.",
          (breaks("not-recorded", body="json"),), kit.after("effect", record_any_case),
          entry.records),
)  # fmt: skip
