"""Differences that still conform: what no page decides, decided otherwise.

`on` lists the contracts that a variant fits; tests run the first, or all where they are asked to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from servers import variants_effect as effect
from servers import variants_habits as habits
from servers import variants_handler as handler
from servers import variants_rules as rules
from servers import variants_wire as wire
from servers.front import Front, OneAtATime, Stdlib10, Stdlib11, Written
from servers.service import Service

ALL = ("SA", "AP", "MA")


@dataclass(frozen=True)
class Variant:
    """One way to conform. `excused` is what a user would write under not_testable."""

    name: str
    on: tuple[str, ...]
    service: type[Service] = Service
    attributes: Mapping[str, Any] = field(default_factory=dict)
    front: type[Front] = Written
    signed: bool = True
    excused: Mapping[str, str] = field(default_factory=dict)
    only: tuple[str, ...] = ()


def given(name: str, on: tuple[str, ...], **attributes: Any) -> Variant:
    return Variant(name, on, attributes=attributes)


def camel(state: str) -> str:
    return state[:1].lower() + state[1:]


def pascal(state: str) -> str:
    return state[:1].upper() + state[1:]


def one_l(state: str) -> str:
    return state.replace("lled", "led")


WHERE_400_WILL_DO = dict.fromkeys(
    ("final_status", "malformed_status", "content_status", "method_status"), 400
)
WHERE_422_WILL_DO = dict.fromkeys(("final_status", "malformed_status", "body_status"), 422)
NO_GET = {"observe": "the mock has no GET route"}
# What shows whether waiting is borne, without waiting for all.
SLOW = ("SA-16", "SA-19", "SA-33", "MA-53", "MA-33", "AP-48", "AP-07")

OVER_THE_WIRE = (
    Variant("opaque tokens", ("MA", "AP", "SA"), signed=False),
    Variant("http.server, HTTP/1.1", ALL, front=Stdlib11),
    Variant("a single thread", ALL, front=OneAtATime),
    Variant("http.server, HTTP/1.0", ("AP", "MA", "SA"), front=Stdlib10, signed=False),
    Variant("lower-case header names", ALL, wire.LowerCaseNames),
    Variant("103 Early Hints", ALL, wire.EarlyHints),
    Variant("always closes", ALL, wire.AlwaysCloses),
    Variant("ends by closing", ALL, wire.EndsByClosing),
    Variant("says keep-alive", ALL, wire.KeepsAlive),
    Variant("streams JSON", ("MA", "AP", "SA"), wire.StreamsJson),
    Variant("zips where it may", ALL, wire.Zips),
    Variant("dressed emptiness", ("SA", "AP"), wire.DressedEmptiness),
    Variant("dressed 204", ("AP",), wire.DressedEmptiness, {"success_status": 204}),
    Variant("no reason phrase", ALL, wire.NoReason),
    Variant("methods listed apart", ALL, wire.ListsMethodsApart),
    Variant("300 ms late", ALL, wire.Slow, only=SLOW),
    given("chunked empty body", ("SA", "AP"), empty_chunked=True),
)
STATUS = (
    given("success is 204", ("AP",), success_status=204),
    given("400 where it will do", ALL, **WHERE_400_WILL_DO),
    given("422 where it will do", ("AP", "MA", "SA"), **WHERE_422_WILL_DO),
    given("403 for a final state", ALL, final_status=403),
    given("404 for other methods, 200 for OPTIONS", ALL, method_status=404, options_status=200),
    given("204 for OPTIONS", ALL, options_status=204),
    given("401 for personal accounts", ("AP", "SA", "MA"), personal_status=401),
    Variant("framework's HTML", ALL, wire.FlaskLike),
    Variant("a server in front", ALL, wire.ServerInFront),
    Variant("the state decides the status", ("AP", "MA", "SA"), wire.StateDecidesTheStatus),
    Variant("look at an unknown id refused", ("SA", "AP"), wire.UnknownLookRefused),
    Variant("more in errors", ALL, wire.Wordy),
    Variant("explains itself", ("SA", "AP", "MA"), wire.Explains),
    Variant("empty code", ALL, wire.Nameless),
    Variant("code and message alone", ALL, wire.Shouting),
    Variant("two challenges", ALL, wire.TwoChallenges),
    Variant("429 with seconds", ALL, wire.Throttles),
    Variant("429 with a date", ALL, wire.Throttles, {"after": staticmethod(wire.in_a_second)}),
    Variant("429 with a fraction", ALL, wire.Throttles, {"after": staticmethod(lambda: "0.128")}),
    Variant("429 on any request", ALL, wire.ThrottlesAll),
    Variant("503 on any request", ALL, wire.UnavailableNowAndThen),
    Variant("429 from the handler", ("SA", "AP", "MA"), wire.ThrottlesTheHandler),
    Variant("429 in a race", ("SA", "AP", "MA"), wire.ThrottlesARace),
    Variant("429 on a kept connection", ("SA", "AP", "MA"), wire.ThrottlesKeptConnections),
    Variant("a hundred calls a minute", ("MA",), wire.HundredAMinute),
    Variant("no tear-down", ALL, wire.KeepsWhatIsMade),
)
ENTITIES = (
    given("states in camel case", ("MA", "SA", "AP"), spell=staticmethod(camel)),
    given("states in Pascal case", ("AP", "SA", "MA"), spell=staticmethod(pascal)),
    given("states in lower case", ALL, spell=staticmethod(str.lower)),
    given("one l", ("MA",), spell=staticmethod(one_l)),
    Variant("annotated entities", ("MA", "AP", "SA"), rules.Annotated),
    Variant("minimal answer", ("MA",), rules.Minimal),
    Variant("minimal GET", ALL, rules.ShortGet),
    Variant("state in requestState", ("AP",), rules.ShowsOneProperty),
    Variant("state in requestStatus", ("AP",), rules.ShowsOneProperty, {"shows": "requestStatus"}),
    Variant("only requestState moves", ("AP",), rules.LeavesTheOther),
    Variant("only requestStatus moves", ("AP",), rules.LeavesTheOther, {"moves": "requestStatus"}),
    Variant("ids are numbers", ALL, rules.Counts),
    Variant("ids need encoding", ALL, rules.Exotic),
    Variant("ids in any case", ("MA", "SA"), rules.AnyCase),
    Variant("ids in upper case", ("MA",), rules.UpperCaseIds),
)
EFFECTS = (
    Variant("no GET", ALL, attributes={"observable": False}, excused=NO_GET),
    Variant("effect after a second", ("MA", "SA", "AP"), effect.OneSecondLate),
    Variant("second cancel is done", ALL, effect.Idempotent),
    Variant("final state answered as done", ("SA",), effect.FinalAnsweredDone),
    Variant("only a date moves", ("SA",), effect.TouchesOnlyTheDate),
    Variant("a state is noted", ("SA",), effect.NotesAState),
    Variant("ends as Failed", ("SA",), effect.EndsAs),
    Variant("ends as Completed", ("SA",), effect.EndsAs, {"shows": "Completed"}),
    Variant("takes its time", ("SA",), effect.TakesItsTime),
    Variant("runs along", ("SA",), effect.RunsAlong),
    Variant("refusals are noted", ("SA", "MA"), effect.NotesRefusals),
    Variant("lists who did it", ("SA",), effect.ListsWhoDidIt),
    Variant("a clock of its own", ("MA", "SA"), effect.OwnClock),
    Variant("words of the house", ("MA",), effect.WordsOfTheHouse),
    Variant("says who may not", ("AP", "MA", "SA"), effect.SaysWhoMayNot),
    Variant("never twice the same", ("SA",), effect.NeverTheSame),
    Variant("one of two nodes", ("SA", "AP", "MA"), effect.OneOfTwoNodes),
    Variant("tells when it looked", ("SA", "AP", "MA"), effect.TellsWhenItLooked),
    Variant("TimeOut is cancellable", ("MA",), effect.TimeOutCancellable),
)
CALLERS_AND_BODIES = (
    Variant("applications only", ("SA",), rules.ApplicationsOnly),
    Variant("CollectForensics", ("MA",), rules.LaterForensics),
    Variant("subject access", ("AP",), rules.SubjectAccess),
    Variant("applications answered 401", ("AP",), rules.ApplicationsUnknown),
    Variant("personal accounts taken", ("MA",), rules.TakesPersonalAccounts),
    Variant("others' requests are hidden", ("AP",), rules.HidesOthers),
    Variant("any audience", ALL, rules.EveryAudience),
    Variant("reading asks for a permission", ("MA",), rules.ReadsNeedReading),
    given("comment required", ("MA",), comment_required=True),
    given("body refused", ("SA",), body_allowed=False),
    given("body ignored", ("AP",), body_asked=False),
    Variant("administrators send a body too", ("AP",), rules.StrictAdministrators),
    Variant("any spelling of cancelled", ("AP",), rules.AnySpelling),
    Variant("administrator's foreign id refused", ("AP",), rules.RefusesForeignIds),
    Variant("long comments refused", ("MA",), rules.ShortComments),
    Variant("null is no comment", ("MA",), rules.LooseComments),
    Variant("names in any case", ("MA",), rules.FoldsNames),
    Variant("unknown members refused", ("MA",), rules.KnownMembersOnly),
    *(Variant(name, ALL, rules.MediaTypeFirst, {"checks": o}) for name, o in rules.ORDERS.items()),
)
HANDLERS = (
    Variant("one resource", ("AP", "MA", "SA"), handler.OneResource),
    Variant("one resource and a single thread", ("SA", "AP", "MA"), handler.OneResource, {},
            OneAtATime),
    Variant("one resource per state", ("MA", "SA", "AP"), handler.OneResourcePerState),
    Variant("a set-up empties the store", ("MA", "AP", "SA"), handler.EmptiesTheStore),
    Variant("five resources in turn", ("AP", "MA", "SA"), handler.FiveInTurn),
)  # fmt: skip
HABITS = (
    Variant("calls are noted", ("MA", "AP"), habits.AuditTrail),
    Variant("the refused are named", ("AP",), habits.NamesWhomItRefuses),
    Variant("begins to run", ALL, habits.BeginsToRun),
    Variant("others begin to run", ALL, habits.OthersBeginToRun),
    Variant("tells how far it is", ALL, habits.Progress),
    Variant("heartbeat", ALL, habits.Heartbeat),
    Variant("cancelled ones are archived", ALL, habits.Archived),
    Variant("no nulls", ("MA", "AP", "SA"), habits.SparseEntities),
    Variant("dates with an offset", ("MA", "AP", "SA"), habits.EpochDates),
    Variant("display names", ("MA",), habits.NamesTheCanceller),
    Variant("errors quote the call", ALL, habits.QuotesTheCall),
    Variant("errors speak of kinds of callers", ALL, habits.SpeaksOfKinds),
    Variant("errors with a link of their own", ALL, habits.SameTargetInNoTwo),
    Variant("closes now and then", ALL, habits.ClosesNowAndThen),
    Variant("closes after errors", ALL, habits.ClosesAfterErrors),
    Variant("many headers", ALL, habits.ManyHeaders),
    Variant("strict query", ALL, habits.StrictQuery),
    Variant("loose routes", ALL, habits.LooseRoutes),
    Variant("reads GUIDs", ALL, habits.ReadsGuids),
    Variant("ids between blanks", ALL, habits.TrimsIds),
    Variant("matrix parameters", ALL, habits.LeavesMatrixParametersAway),
    Variant("errors name the id", ALL, habits.NamesTheId),
    Variant("only GUIDs", ("AP", "SA"), habits.OnlyGuids),
    Variant("knows its methods", ALL, habits.KnowsItsMethods),
    Variant("wants a length", ("SA",), habits.WantsALength),
    Variant("wants JSON", ALL, habits.WantsJson),
    Variant("no control characters", ("MA",), habits.NoControlCharacters),
    Variant("repeats are forbidden", ALL, habits.RepeatsAreForbidden),
    Variant("tells the time", ALL, habits.TellsTheTime),
    Variant("Date as asctime has it", ALL, habits.TellsTheTime, {"form": "%a %b %e %H:%M:%S %Y"}),
    Variant("Date of RFC 850", ALL, habits.TellsTheTime, {"form": "%A, %d-%b-%y %H:%M:%S GMT"}),
    Variant("errors quote the query", ALL, habits.QuotesTheQuery),
    Variant("preferences are told", ALL, habits.TellsPreferences),
    Variant("repeats are noted", ("MA", "SA"), habits.NotesRepeats),
    Variant("repeats are listed", ("SA", "AP"), habits.ListsRepeats),
    Variant("requestState says from where", ("AP",), habits.SecondWord),
    Variant("requestState in either case", ("AP",), habits.EitherCase),
)
VARIANTS = (
    *OVER_THE_WIRE,
    *STATUS,
    *ENTITIES,
    *EFFECTS,
    *CALLERS_AND_BODIES,
    *HANDLERS,
    *HABITS,
)

# Whole servers: variants that do not touch each other, on one contract. Where a run of every variant
# would take too long, these stand for their members.
TOGETHER: dict[str, tuple[str, ...]] = {
    "SA terse": (
        "no reason phrase",
        "lower-case header names",
        "more in errors",
        "ids are numbers",
    ),
    "SA talkative": ("103 Early Hints", "says keep-alive", "zips where it may", "empty code"),
    "SA closing": (
        "always closes",
        "code and message alone",
        "two challenges",
        "ids need encoding",
    ),
    "SA framework": ("dressed emptiness", "framework's HTML", "refusals are noted", "body refused"),
    "SA plain": ("methods listed apart", "minimal GET", "second cancel is done", "any audience"),
    "SA numbers": (
        "400 where it will do",
        "404 for other methods, 200 for OPTIONS",
        "content last",
    ),
    "SA moods": ("204 for OPTIONS", "existence first", "states in lower case", "no tear-down"),
    "SA busy": ("tells how far it is", "closes now and then", "strict query", "wants a length"),
    "SA dressed": ("many headers", "loose routes", "repeats are forbidden", "heartbeat"),
    "SA pedantic": ("only GUIDs", "wants JSON", "closes after errors"),
    "SA waits": ("429 with a date", "429 from the handler", "chunked empty body"),
    "SA limits": ("429 on any request", "403 for a final state"),
    "SA raced": (
        "429 in a race",
        "429 on a kept connection",
        "tells when it looked",
        "explains itself",
    ),
    "SA front": (
        "a server in front",
        "look at an unknown id refused",
        "final state answered as done",
    ),
    "SA ordered": ("content first", "429 with a fraction", "a state is noted"),
    "SA completed": ("ends as Completed", "applications only"),
    "SA failed": ("ends as Failed", "429 with seconds", "content before the caller"),
    "SA closed": ("ends by closing", "runs along"),
    "SA served": ("http.server, HTTP/1.1", "takes its time"),
    "SA alone": ("a single thread", "only a date moves"),
    "MA late": ("effect after a second", "CollectForensics"),
    "MA counted": ("a hundred calls a minute", "ids in any case"),
    "MA audited": ("calls are noted", "display names", "errors quote the call"),
    "MA spelled": ("ids between blanks", "matrix parameters", "errors name the id"),
    "MA sparse": ("no nulls", "dates with an offset", "reads GUIDs"),
    "MA careful": ("no control characters", "knows its methods", "cancelled ones are archived"),
    "AP linked": ("errors with a link of their own", "many headers", "reads GUIDs"),
    "MA minimal": ("minimal answer", "ids in upper case", "one l", "TimeOut is cancellable"),
    "MA lenient": ("null is no comment", "names in any case", "personal accounts taken"),
    "MA strict": (
        "unknown members refused",
        "long comments refused",
        "reading asks for a permission",
    ),
    "MA rich": ("annotated entities", "streams JSON", "states in camel case", "comment required"),
    "AP old": ("http.server, HTTP/1.0", "applications answered 401", "any spelling of cancelled"),
    "AP quiet": ("dressed 204", "subject access", "422 where it will do", "state in requestState"),
    "AP told": ("success is 204", "only requestState moves"),
    "AP ignored": ("body ignored", "only requestStatus moves"),
    "AP decided": ("the state decides the status", "state in requestStatus"),
    "AP strict": ("administrator's foreign id refused", "others' requests are hidden"),
    "AP proper": (
        "administrators send a body too",
        "401 for personal accounts",
        "states in Pascal case",
    ),
    "SA noted": ("Date as asctime has it", "errors quote the query", "repeats are noted"),
    "SA listed": ("Date of RFC 850", "preferences are told", "repeats are listed"),
    "AP words": ("requestState says from where", "preferences are told", "repeats are listed"),
    "AP spelled": ("requestState in either case", "errors quote the query", "tells the time"),
    "MA noted": ("repeats are noted", "Date of RFC 850", "preferences are told"),
}


def together(name: str) -> Variant:
    """Return several variants as one server. The first comes before the rest where hooks meet."""
    chosen = [next(v for v in VARIANTS if v.name == member) for member in TOGETHER[name]]
    kinds = dict.fromkeys(v.service for v in chosen if v.service is not Service)
    front = next((v.front for v in chosen if v.front is not Written), Written)
    attributes = {k: value for v in chosen for k, value in v.attributes.items()}
    service = type("Together", (*kinds, Service), {}) if kinds else Service
    return Variant(name, (name[:2],), service, attributes, front)
