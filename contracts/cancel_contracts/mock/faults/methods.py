"""Faults of other methods than that of the operation, on its route."""

from __future__ import annotations

from cancel_contracts.contract.model import Contract
from cancel_contracts.mock import kit
from cancel_contracts.mock.entry import Applies, Breaks, Change, Fault, always, breaks, observable

OTHERS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


def other(*names: str) -> Applies:
    """One of these methods is another one on the route, and does not show the resource there."""

    def applies(contract: Contract) -> bool:
        shown = {"GET", "HEAD"} if contract.path == contract.observe_path else set()
        return bool(set(names) - shown - {contract.method})

    return applies


def fault(
    name: str, says: str, broken: tuple[Breaks, ...], change: Change, applies: Applies = always
) -> Fault:
    return Fault(name, "method", says, broken, applies, change)


FAULTS: tuple[Fault, ...] = (
    *(fault(f"{name.lower()}-performs", f"{name} on the route performs the cancel and says so.",
            (breaks("status effect", method=name),),
            kit.edit(kit.both(kit.refused("method"), kit.method(name)), kit.performed,
            kit.as_success), other(name))
      for name in OTHERS),
    *(fault(f"{name.lower()}-answered-200", f"{name} on the route is answered 200, without effect.",
            (breaks("status", method=name),),
            kit.edit(kit.both(kit.refused("method"), kit.method(name)), kit.answer(200)),
            other(name))
      for name in OTHERS),
    fault("other-method-refused-yet-performed",
          "Another method is answered 405, and the cancel is done.",
          (breaks("effect", method=" ".join(OTHERS)),),
          kit.edit(kit.refused("method"), kit.performed), observable),
    fault("other-method-answered-500", "Another method is answered 500.",
          (breaks("status", method=" ".join(OTHERS)),), kit.recode("method", 500)),
    fault("head-answered-500", "HEAD on the route is answered 500.",
          (breaks("status", method="HEAD"),),
          kit.edit(kit.both(kit.refused("method"), kit.method("HEAD")), kit.answer(500))),
    fault("options-answered-500", "OPTIONS on the route is answered 500.",
          (breaks("status", method="OPTIONS"),), kit.recode("options", 500)),
    fault("options-performs", "OPTIONS on the route performs the cancel.",
          (breaks("effect", method="OPTIONS"),),
          kit.edit(kit.refused("options"), kit.performed), observable),
    fault("head-answered-with-body", "The answer to HEAD has a body.",
          (breaks("wire connection", method="HEAD"),),
          kit.edit(kit.method("HEAD"), kit.wire("head-with-body"))),
)  # fmt: skip
