"""One serialiser for the data that rooms hand on: what comes back is what went in, or a ValueError."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from cancel_contracts.exchange import Exchange, Form, Received, Sent, Situation
from cancel_contracts.serial import dump, load
from hypothesis import given
from hypothesis import strategies as st


@dataclass(frozen=True)
class Circle:
    radius: float


@dataclass(frozen=True)
class Square:
    side: float
    label: str = ""


@dataclass(frozen=True)
class Sheet:
    shape: Circle | Square
    colour: Literal["red", "blue"]
    octets: bytes = b""
    pairs: tuple[tuple[str, int], ...] = ()
    by_shape: Mapping[Circle, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    maybe: int | None = None
    anything: Any = None


SHEETS = st.builds(
    Sheet,
    shape=st.builds(Circle, st.floats(allow_nan=False, allow_infinity=False)) | st.builds(Square, st.just(1.5), st.text()),
    colour=st.sampled_from(["red", "blue"]),
    octets=st.binary(max_size=8),
    pairs=st.lists(st.tuples(st.text(), st.integers())).map(tuple),
    by_shape=st.dictionaries(st.builds(Circle, st.floats(0, 9)), st.text(max_size=3), max_size=2),
    counts=st.dictionaries(st.text(max_size=3), st.integers(1, 9), max_size=2).map(Counter),
    maybe=st.none() | st.integers(),
)  # fmt: skip


@given(SHEETS)
def test_what_comes_back_is_what_went_in(sheet: Sheet) -> None:
    assert load(Sheet, json.loads(json.dumps(dump(sheet))), "sheet") == sheet


FORMS = st.builds(Form, st.sampled_from(["documented", "json", "raw"]), st.text(max_size=5))
TEXTS = st.text(max_size=5)
EXCHANGES = st.builds(
    Exchange,
    contract=TEXTS,
    scenario=st.integers(),
    position=st.integers(),
    kind=st.sampled_from(["cancel", "observe"]),
    situation=st.builds(Situation, state=st.none() | TEXTS, id=FORMS, body=FORMS),
    identity=TEXTS,
    resource=TEXTS,
    sent=st.builds(Sent, TEXTS, TEXTS, st.just((("A", "b"),)), st.binary(max_size=5)),
    received=st.none() | st.builds(Received, st.integers(0, 999), wire=st.binary(max_size=5), interim=st.just((100,))),
    failure=st.none() | st.sampled_from(["proxy", "timeout"]),
)  # fmt: skip


@given(EXCHANGES)
def test_an_exchange_comes_back_as_it_was(exchange: Exchange) -> None:
    assert load(Exchange, json.loads(json.dumps(dump(exchange))), "exchange") == exchange


def test_texts_are_cleaned_but_for_words_of_a_vocabulary() -> None:
    sheet = Sheet(Square(1.0, "red"), "red", pairs=(("red", 1),), anything=["red"])
    row = dump(sheet, lambda text: text.replace("red", "*"))
    assert row["colour"] == "red"
    assert (row["shape"]["label"], row["pairs"], row["anything"]) == ("*", [["*", 1]], ["*"])
    assert dump(sheet, lambda _: "*", verbatim=(Square,))["shape"]["label"] == "red"


GOOD = {"shape": {"@": "Circle", "radius": 1}, "colour": "red"}
BAD: dict[str, tuple[Any, str]] = {
    "no object": (5, "sheet is no object"),
    "a field too few": ({"colour": "red"}, "sheet has no shape"),
    "a field too many": ({**GOOD, "size": 1}, "sheet has a field that is not known: size"),
    "another word": ({**GOOD, "colour": "green"}, "sheet/colour is none of red, blue"),
    "another kind": ({**GOOD, "shape": {"@": "Cube"}}, "sheet/shape is none of its kinds"),
    "a text for a number": (
        {**GOOD, "shape": {"@": "Circle", "radius": "1"}},
        "sheet/shape/radius",
    ),
    "a number for a truth": ({**GOOD, "maybe": True}, "sheet/maybe is no int"),
    "no base64": ({**GOOD, "octets": "!"}, "sheet/octets is no base64 text"),
    "no list": ({**GOOD, "pairs": {}}, "sheet/pairs is no list"),
    "half a pair": ({**GOOD, "pairs": [["a"]]}, "sheet/pairs/0 is no list of 2"),
    "no object of counts": ({**GOOD, "counts": []}, "sheet/counts is no object"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_row_of_another_form_names_its_place(name: str) -> None:
    row, told = BAD[name]
    with pytest.raises(ValueError, match=told):
        load(Sheet, row, "sheet")
