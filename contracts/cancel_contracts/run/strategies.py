"""Strategies that generate request bodies from a spec: where schemathesis is asked for bodies.

schemathesis takes milliseconds for a body and often draws the same again, more time than a call
takes. So it fills pools once; what is sent are members of the pools, mixtures of them, and members
with another text. The schema decides anew of each whether it fits.

Slow to import, so imported only where properties are explored.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, Verbosity, find, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample
from schemathesis import GenerationMode

from cancel_contracts.contract.entity_schema import problem_of
from cancel_contracts.contract.model import Contract

POOL = 40  # bodies of each kind; from there on mixing finds more than drawing
DRAWS = 80  # to fill a pool with; a poor schema has fewer bodies than that
ROW = 8  # drawn at a time: what Hypothesis does around a draw takes as long as the draw
TRIES = 20  # mixtures until one is of the kind that is asked for

_SETTINGS = settings(
    max_examples=DRAWS // ROW,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    verbosity=Verbosity.quiet,
    suppress_health_check=list(HealthCheck),
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@dataclass(frozen=True)
class Bodies:
    """Pools of bodies, and how to draw more from them. `fitting` is empty without a requestBody."""

    fitting: list[Any]
    misfit: list[Any]
    texts: list[str]
    fits: Callable[[Any], bool] = field(repr=False)
    misfits: Callable[[Any], bool] = field(repr=False)

    def valid(self, random: Random) -> Any:
        """Return a body that fits the requestBody schema."""
        made = (
            self._say(random.choice(self.fitting), random)
            if random.random() < 0.5
            else self._mix(self.fitting, self.fitting, random)
            for _ in range(TRIES)
        )
        return next(filter(self.fits, made), self.fitting[0])

    def invalid(self, random: Random) -> Any:
        """Return a body that does not; where the contract has none, any JSON value."""
        into = self.fitting or self.misfit
        made = (self._mix(into, self.misfit, random) for _ in range(TRIES))
        return next(filter(self.misfits, made), self.misfit[0])

    @staticmethod
    def _mix(into: list[Any], others: list[Any], random: Random) -> Any:
        """Return a member of one pool with some properties of a member of the other."""
        first, other = random.choice(into), random.choice(others)
        if not isinstance(first, dict) or not isinstance(other, dict):
            return other
        return {**first, **{k: v for k, v in other.items() if random.random() < 0.7}}

    def _say(self, into: Any, random: Random) -> Any:
        """Return a body with another text in one of its strings."""
        names = [k for k, v in into.items() if isinstance(v, str)] if isinstance(into, dict) else []
        if not names:
            return into
        text = random.choice(self.texts) + random.choice(self.texts)
        return {**into, random.choice(names): text}


def bodies(contract: Contract, seed_: int = 0) -> Bodies:
    """Return bodies for a contract's calls; the seed decides which."""
    texts = _pool(st.text(), lambda text: isinstance(text, str), seed_)
    if not contract.bodies:
        return Bodies([], _pool(JSON, plain, seed_), texts, plain, plain)
    body = contract.operation["requestBody"]
    schema = body["content"]["application/json"]["schema"]

    def fits(value: Any) -> bool:
        return plain(value) and problem_of(schema, value) is None

    def misfits(value: Any) -> bool:
        return plain(value) and bool(problem_of(schema, _bare(value)))

    operation = _operation(body)
    good, bad = (
        operation.as_strategy(generation_mode=mode).map(lambda case: case.body)
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    )
    misfit = [*_pool(bad, misfits, seed_), *_pool(JSON, misfits, seed_)]
    return Bodies(_pool(good, fits, seed_), misfit, texts, fits, misfits)


def _operation(body: Any) -> Any:
    """Return the operation as schemathesis sees it, the body alone: the rest is not drawn."""
    post = {"requestBody": body, "responses": {"200": {"description": ""}}}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "bodies", "version": "1"},
        "paths": {"/": {"post": post}},
    }
    # An own configuration: a schemathesis.toml that happens to lie about must not change the run.
    config = schemathesis.Config.from_dict({"generation": {"database": "none"}})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return schemathesis.openapi.from_dict(document, config=config)["/"]["POST"]


def _pool(values: Any, wanted: Callable[[Any], bool], seed_: int) -> list[Any]:
    """Return what a strategy draws, without doubles, the smallest first."""
    found: dict[str, Any] = {}

    def full(row: list[Any]) -> bool:
        for value in filter(wanted, row):
            if len(found) < POOL:
                found.setdefault(json.dumps(value, sort_keys=True), value)
        return len(found) >= POOL

    rows = st.lists(values, min_size=ROW, max_size=ROW)
    with suppress(NoSuchExample):  # `find` draws until the pool is full, or as often as it may
        find(rows, full, random=Random(seed_), settings=_SETTINGS)  # noqa: S311
    return [found[text] for text in sorted(found, key=lambda text: (len(text), text))]


def plain(value: Any) -> bool:
    """Whether a value is JSON as it stands. schemathesis also draws markers such as NOT_SET."""
    if isinstance(value, dict):
        return all(isinstance(k, str) and plain(v) for k, v in value.items())
    if isinstance(value, list):
        return all(map(plain, value))
    return value is None or isinstance(value, (str, int, float, bool))


def _bare(value: Any) -> Any:
    """Return a value without its null properties, nothing as {}: null may stand for absent."""
    if value is None:
        return {}
    if isinstance(value, dict):
        return {k: v for k, v in value.items() if v is not None}
    return value
