"""What an entry of the catalogue is, and the questions by which it applies to a contract.

A fault says generically what it breaks, in the words of a clause's `given` and `expect`; it names
no clause.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cancel_contracts.contract.form import FORM
from cancel_contracts.contract.model import Contract
from cancel_contracts.contract.states import GONE, canonical
from cancel_contracts.mock import shape
from cancel_contracts.mock.desk import Desk
from cancel_contracts.mock.envelope import Envelope

Applies = Callable[[Contract], bool]
Change = Callable[[Desk], None]
BOTH = "+"  # between the names of two variants that a server has both of


@dataclass(frozen=True)
class Breaks:
    """What a fault breaks: one of these facets of `expect`, in a situation of these facts.

    `facts` maps a key of `given` to the words of which one is meant. Beside the vocabulary's own
    words, `permission` is an identity that holds one named permission, and `json` a body written
    out in the clause. `items` are the members of the facet (`allow`, `envelope`, `recorded`); empty
    means any.
    """

    facets: frozenset[str]
    facts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    items: frozenset[str] = frozenset()


def breaks(facets: str, items: str = "", **facts: str) -> Breaks:
    """Return a Breaks from words with blanks between; an underscore in a key stands for a hyphen.

    A media type with a parameter is one word, for all the blank in it.
    """
    return Breaks(
        frozenset(facets.split()),
        {key.replace("_", "-"): tuple(re.split(r"(?<!;) ", words)) for key, words in facts.items()},
        frozenset(items.split()),
    )


@dataclass(frozen=True)
class Fault:
    """A deliberate deviation. Any one of `breaks` may be what is noticed.

    `across`: it takes a server of several contracts to show.
    """

    name: str
    family: str
    says: str
    breaks: tuple[Breaks, ...]
    applies: Applies
    change: Change
    across: bool = False


@dataclass(frozen=True)
class Variant:
    """A deliberate difference that still conforms.

    `excused` are lines for a target's `not_testable`. `settles` names the question that it answers,
    where others answer the same one otherwise: no server has two of these.
    """

    name: str
    says: str
    applies: Applies
    change: Change
    excused: Mapping[str, str] = field(default_factory=dict)
    settles: str = ""

    def goes_with(self, other: Variant) -> bool:
        """Whether one server can have both."""
        return not self.settles or self.settles != other.settles

    def beside(self, other: Variant) -> Variant:
        """Return the variant that differs in both ways."""

        def change(desk: Desk) -> None:
            self.change(desk)
            other.change(desk)

        return Variant(
            f"{self.name}{BOTH}{other.name}",
            f"{self.says} {other.says}",
            all_of(self.applies, other.applies),
            change,
            {**self.excused, **other.excused},
        )


Entry = Fault | Variant


# --- Questions to a contract ----------------------------------------------------------------------


def always(contract: Contract) -> bool:
    return True


def all_of(*questions: Applies) -> Applies:
    return lambda contract: all(question(contract) for question in questions)


def not_(question: Applies) -> Applies:
    return lambda contract: not question(contract)


def entity(contract: Contract) -> bool:
    """Success returns the entity."""
    return shape.returns_entity(contract)


def empty(contract: Contract) -> bool:
    """Success returns nothing in the body, under a status that could."""
    status, has_body = shape.successes(contract)[0]
    return not has_body and status != 204


def documents(status: int) -> Applies:
    """The status is one of the documented successes."""
    return lambda contract: any(code == status for code, _ in shape.successes(contract))


def readings(contract: Contract) -> bool:
    """More than one success is documented."""
    return len(shape.successes(contract)) > 1


def observable(contract: Contract) -> bool:
    return contract.observe_path is not None


def takes_body(contract: Contract) -> bool:
    """A body of JSON is documented."""
    return shape.documented_body(contract) is not None and contract.media != FORM


def takes_nothing(contract: Contract) -> bool:
    """No body is documented."""
    return shape.documented_body(contract) is None


def strict_media(contract: Contract) -> bool:
    """The content type is required of every call."""
    return takes_body(contract) and entity(contract)


def records(contract: Contract) -> bool:
    """Something of the request is kept in the entity."""
    return bool(contract.lifecycle.records)


def sets(contract: Contract) -> bool:
    return bool(contract.lifecycle.sets)


def tells(what: str) -> Applies:
    """A cancel fills a property with who did it, or when it was."""
    return lambda contract: bool(shape.told_in(contract, what))


def owners(contract: Contract) -> bool:
    return contract.lifecycle.owners is not None


def owner_bodies(contract: Contract) -> bool:
    """An owner has to send a body of its own form."""
    return shape.owner_schema(contract) is not None


def named_after(contract: Contract) -> bool:
    """A page names the state that a cancel leads to, so it can be missed."""
    return bool(contract.lifecycle.after)


def shows_several(contract: Contract) -> bool:
    """Several properties tell the state, each by itself."""
    return len(contract.lifecycle.shows) > 1 and not contract.lifecycle.values


def remains(contract: Contract) -> bool:
    """A cancelled resource is still there."""
    return not contract.lifecycle.vanishes


def body_names_resource(contract: Contract) -> bool:
    """The documented body carries an id beside the one in the path."""
    return any(isinstance(value, dict) and "id" in value for value in contract.bodies.values())


def shares_properties(contract: Contract) -> bool:
    """Properties of the request body are properties of the entity, beside its id and state."""
    asked = set((shape.documented_body(contract) or {}).get("properties", {}))
    return bool(asked & set(shape.entity_example(contract)) - {"id", *contract.lifecycle.places})


def tokens(contract: Contract) -> bool:
    return shape.wants_token(contract)


def web_tokens(contract: Contract) -> bool:
    """Tokens are JSON Web Tokens: a page says so, or the scheme is one of OAuth."""
    scheme = contract.scheme
    return tokens(contract) and not scheme.opaque and not scheme.untold


def asks_permission(contract: Contract) -> bool:
    return bool(contract.permissions)


def knows(identity: str) -> Applies:
    """The identity's form is one of its own under the scheme."""
    return lambda contract: tokens(contract) and contract.scheme.knows(identity)


def goes_on(contract: Contract) -> bool:
    """Something follows the id in the path."""
    return not contract.path.endswith(f"{{{contract.id.name}}}")


def permitted(kind: str) -> Applies:
    """Permissions of a kind, delegated or application, are documented."""
    return lambda contract: any(p.kind == kind for p in contract.permissions)


def names_of_permissions(contract: Contract) -> list[str]:
    return list(dict.fromkeys(p.name for p in contract.permissions))


def several_permissions(count: int) -> Applies:
    return lambda contract: len(names_of_permissions(contract)) >= max(2, count)


def either_kind_of_one(contract: Contract) -> bool:
    """One permission is documented for both kinds of token: an edition may withdraw one kind."""
    kinds = {p.kind for p in contract.permissions}
    return len(names_of_permissions(contract)) == 1 and len(kinds) == 2


def cancellable_states(count: int) -> Applies:
    return lambda contract: len(contract.lifecycle.cancellable) >= count


def rivals(contract: Contract) -> list[str]:
    """Final states other than the one that a cancel leads to."""
    life = contract.lifecycle
    ends = {canonical(name) for name in life.after} or {canonical(life.final[-1])}
    return [s for s in life.final if canonical(s) not in ends and s != GONE]


def rival_states(count: int) -> Applies:
    return lambda contract: len(rivals(contract)) >= count


def traced(contract: Contract) -> bool:
    """Errors carry a request id."""
    return Envelope(contract).traced


def has_envelope(contract: Contract) -> bool:
    """Some error is documented to be JSON."""
    return contract.error_schema is not None


def has_target(contract: Contract) -> bool:
    """Errors carry a `target` of their own."""
    error = Envelope(contract).example.get("error")
    return isinstance(error, dict) and "target" in error


def quota(contract: Contract) -> bool:
    return bool(contract.quotas)
