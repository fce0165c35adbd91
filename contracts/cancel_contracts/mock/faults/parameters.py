"""Faults of what a request says beside the id: parameters in path, query and header, and forms."""

from __future__ import annotations

from collections.abc import Callable

from cancel_contracts.contract.form import FORM
from cancel_contracts.contract.model import Contract
from cancel_contracts.contract.parameters import Parameter
from cancel_contracts.mock import body, entry, kit
from cancel_contracts.mock.body import said
from cancel_contracts.mock.call import Call
from cancel_contracts.mock.desk import Desk
from cancel_contracts.mock.entry import Applies, Breaks, Change, Fault, all_of, breaks

MISSING, INVALID, ELSEWHERE = "parameter-missing", "parameter-invalid", "elsewhere"
# What each refusal is of: the word of a clause, and which contracts have such a parameter.
SERVED = breaks("status effect", resource="cancellable")


def has(test: Callable[[Parameter], bool]) -> Applies:
    return lambda contract: any(map(test, contract.parameters))


def beside(parameter: Parameter) -> bool:
    return parameter.place != "path"


def omissible(parameter: Parameter) -> bool:
    return beside(parameter) and parameter.required


def refusable(parameter: Parameter) -> bool:
    return beside(parameter) and parameter.invalid() is not None


def varied(parameter: Parameter) -> bool:
    return beside(parameter) and parameter.other(parameter.value or "") is not None


def in_path(parameter: Parameter) -> bool:
    return not beside(parameter)


def says_another(desk: Desk, call: Call) -> bool:
    """A parameter in query or header says something else than the page does."""
    every = [p for p in desk.contract.parameters if beside(p) and p.value is not None]
    return any(said(call, p) not in (None, p.value) for p in every if "{" not in str(p.value))


def with_form(contract: Contract) -> bool:
    return contract.media == FORM and bool(contract.bodies)


def read_as_json(desk: Desk, call: Call) -> None:
    call.json = body.read_object(call.body)


def in_json(desk: Desk, call: Call) -> bool:
    return body.media_type(call) == "application/json"


def fault(name: str, says: str, broken: Breaks, change: Change, applies: Applies) -> Fault:
    return Fault(name, "parameters", says, (broken,), applies, change)


KINDS = (
    ("parameter-missing", "A call without a required parameter", MISSING, "omitted", omissible),
    ("parameter-invalid", "A value that its schema refuses", INVALID, "invalid", refusable),
    ("path-parameter-of-another", "A path that leads to another's", ELSEWHERE, "other invalid",
     in_path),
)  # fmt: skip
FAULTS: tuple[Fault, ...] = (
    *(fault(f"{name}-accepted", f"{what} is served.",
            breaks("status effect", parameter=words), kit.forgive(why), has(test))
      for name, what, why, words, test in KINDS),
    *(fault(f"{name}-answered-500", f"{what} is answered 500.",
            breaks("status", parameter=words), kit.recode(why, 500), has(test))
      for name, what, why, words, test in KINDS),
    *(fault(f"{name}-yet-performed", f"{what} is refused, and the cancel is done.",
            breaks("effect", parameter=words), kit.edit(kit.refused(why), kit.performed),
            all_of(has(test), entry.observable))
      for name, what, why, words, test in KINDS),
    fault("other-value-refused", "Only the page's example of a parameter is taken.",
          breaks("status effect", parameter="other"),
          kit.refuse("parameters", says_another, 400), has(varied)),
    fault("form-read-as-json", "A form is read as JSON.", SERVED,
          kit.instead("body", read_as_json), with_form),
    fault("json-taken-for-a-form", "JSON passes where a form is due.",
          breaks("status", content_type="application/json"),
          kit.forgive("media", when=in_json), with_form),
)  # fmt: skip
