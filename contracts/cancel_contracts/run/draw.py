"""Draw the free values of calls: texts of the documented body, whole bodies, ids as octets. Seeded.

The gate's plan leaves them open (forms of DRAWN without a text), `deep` makes calls of nothing
else. Pools are filled by schemathesis and Hypothesis when they are first asked for (strategies.py).
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any
from urllib.parse import quote, unquote, unquote_to_bytes

from cancel_contracts.contract.given import ordinary
from cancel_contracts.contract.model import Contract
from cancel_contracts.exchange import Form, Situation
from cancel_contracts.plan.plan import Plan
from cancel_contracts.plan.vary import with_calls
from cancel_contracts.run.strategies import POOL, bodies

# One contract at a time. Hypothesis parses the source of strategies, and in CPython before 3.11.10
# two threads that parse at once may end in "AST constructor recursion depth mismatch".
TURN = threading.Lock()
FEW = 4  # bodies of a kind: a plan leaves one call of each open
TOGETHER = 3  # texts in one: few calls that are served carry any, and each is to meet much
MARKS = "<>&\"'%\\+"  # what is written otherwise in HTML, a query, a quoted string: in each text
SEPARATORS = re.compile(rb"[/\\]")


class Drawing:
    """Values for one contract's calls. `size` is how many bodies of a kind a pool holds."""

    def __init__(self, contract: Contract, seed: int, size: int = POOL) -> None:
        self._contract, self._ordinary = contract, ordinary(contract)
        self._random = Random(f"{seed}/{contract.name}/drawn")  # noqa: S311 - no secret
        self._states = contract.lifecycle.cancellable
        self._bodies = bodies(contract, f"{seed}/{contract.name}", size)
        self._texts: list[str] = []
        self._told = 0
        self._makers: dict[str, Callable[[], str]] = {
            "text": self._text,
            "valid": lambda: written(self._bodies.valid(self._random)),
            "invalid": lambda: written(self._bodies.invalid(self._random)),
            "raw": self._id,
        }

    # --- calls of a plan --------------------------------------------------------------------------

    def filled(self, situation: Situation) -> Situation:
        """Return a call with what it leaves open drawn."""
        body, id_ = (self._form(form) for form in (situation.body, situation.id))
        return replace(situation, body=body, id=id_)

    def _form(self, form: Form) -> Form:
        return Form(form.word, self._makers[form.word]()) if form.drawn and not form.text else form

    def _text(self) -> str:
        """Return the documented body with the next texts and marks in what is recorded of it. Every
        other one holds what no other call carries, so that it is known again wherever it turns up.
        """
        if len(self._texts) < TOGETHER:
            self._texts = self._random.sample(self._bodies.sayings, len(self._bodies.sayings))
        said = [self._texts.pop() for _ in range(min(TOGETHER, len(self._texts)))]
        self._told += 1
        marks = "".join(self._random.sample(MARKS, len(MARKS)))
        text = " ".join([*said, marks]) + " {unique}" * (self._told % 2)
        documented = next(iter(self._contract.bodies.values()))
        sources = self._contract.lifecycle.records.values()
        return written(documented | dict.fromkeys(sources, text))

    def _id(self) -> str:
        """Return octets that are no UTF-8: they can be no resource's id."""
        return self._segment(lambda: b"\xff" + b"".join(self._two(self._bodies.octets)))

    def _text_for_an_id(self) -> str:
        """Return a text that is no id; where any text is one, one that names nothing."""
        id_ = self._contract.id
        while True:
            segment = self._segment(lambda: "".join(self._two(self._bodies.texts)).encode("utf-8"))
            if id_.fits("no-such-id") or not id_.fits(unquote(segment)):
                return segment

    def _two(self, pool: list[Any]) -> list[Any]:
        return self._random.choices(pool, k=2)

    @staticmethod
    def _segment(draw: Callable[[], bytes]) -> str:
        while not one_segment(segment := quote(draw(), safe="")):
            pass
        return segment

    # --- calls of their own -----------------------------------------------------------------------

    def __call__(self) -> Situation:
        """Return a call of which nothing but the drawn value is out of the ordinary."""
        kinds = ["text", "raw", *(["invalid"] if self._bodies.misfit else [])]
        kinds += ["valid"] if self._contract.bodies else []
        kind = self._random.choice(kinds)
        if kind in ("text", "raw"):
            make = self._text_for_an_id if kind == "text" else self._id
            return replace(self._ordinary, resource="odd", id=Form("raw", make()))
        state = self._random.choice(self._states)
        return self.filled(replace(self._ordinary, state=state, body=Form(kind)))

    def alike(self, situation: Situation) -> bool:
        """Whether what was drawn is what it is called: a part of a valid body need not be valid."""
        form = situation.body
        if situation.id.drawn:
            return one_segment(situation.id.text)
        if form.word == "text":
            said = json.loads(form.text)
            return all(said.get(s, "").strip() for s in self._contract.lifecycle.records.values())
        of_kind = {"valid": self._bodies.fits, "invalid": self._bodies.misfits}.get(form.word)
        return of_kind is None or of_kind(json.loads(form.text))


def filled(plan: Plan, seed: int) -> Plan:
    """Return a plan with what its calls leave open drawn. Equal seeds give equal calls."""
    drawing = Drawing(plan.contract, seed, FEW)
    with TURN:
        scenarios = tuple(with_calls(s, drawing.filled) for s in plan.scenarios)
    return replace(plan, scenarios=scenarios)


def written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True, sort_keys=True)


def one_segment(segment: str) -> bool:
    """Whether an id is read as one segment, however early it is decoded: a server that decodes a
    slash first has an empty or a dot segment to do away with, and may redirect.
    """
    parts = set(SEPARATORS.split(unquote_to_bytes(segment)))
    return not {b"", b".", b".."} & {part.strip() for part in parts}
