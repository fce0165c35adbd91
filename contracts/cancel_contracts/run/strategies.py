"""Strategies that generate request bodies from a spec: where schemathesis is asked for bodies.

schemathesis takes milliseconds for a body and often draws the same again, more time than a call
takes. So it fills pools once; what is sent are members of the pools, mixtures of them, and members
with another text. The schema decides anew of each whether it fits.

Slow to import, so imported only where properties are explored.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cached_property, lru_cache
from random import Random
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, Verbosity, find, settings
from hypothesis import strategies as st
from hypothesis.errors import HypothesisWarning, NoSuchExample
from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS, HypothesisProvider
from schemathesis import GenerationMode

from cancel_contracts.contract import form
from cancel_contracts.contract.entity_schema import problem_of
from cancel_contracts.contract.model import Contract

POOL = 40  # values of each kind; from there on mixing finds more than drawing
MISFITS = 20  # of those that schemathesis draws: each takes it tens of milliseconds
ROW = 8  # drawn at a time: what Hypothesis does around a draw takes as long as the draw
KEPT = 16  # contracts and seeds whose pools are at hand
TRIES = 20  # mixtures until one is of the kind that is asked for


class Elsewhere(HypothesisProvider):
    """Draws alike wherever the package lies and whoever runs it: Hypothesis' own takes one value in
    forty from the source of those modules that are imported and not installed.
    """

    def _maybe_draw_constant(self, *_: Any, **__: Any) -> None:
        return None


AVAILABLE_PROVIDERS["cancel-contracts"] = Elsewhere
_SETTINGS = settings(
    backend="cancel-contracts",
    deadline=None,
    database=None,
    phases=[Phase.generate],
    verbosity=Verbosity.quiet,
    suppress_health_check=list(HealthCheck),
)
# Hypothesis writes strategies out for itself; how long that gets is nothing to tell a user.
warnings.filterwarnings("ignore", "Generating overly large repr", HypothesisWarning)
# Any text that UTF-8 can carry. Asked for the codec by its name, Hypothesis tries each code point:
# that takes a second where it has no cache yet, in the first run of whoever installs this.
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
# No controls, and nothing that is no character: surrogates, private and unassigned code points.
SAYING = st.text(st.characters(exclude_categories=("Cc", "Cs", "Cn", "Co")), min_size=1)


class Bodies:
    """Pools of what a contract's calls may hold, filled when they are first asked for, and how to
    mix more from them. `size` is how many bodies of a kind are drawn.
    """

    def __init__(self, contract: Contract, seed: str, size: int) -> None:
        self._seed, self._size = seed, size
        self._schema = contract.body_schema if contract.bodies else None
        self._form = contract.media == form.FORM
        # What is written as a form is drawn as JSON.
        as_json = {"content": {"application/json": {"schema": self._schema}}, "required": True}
        self._body = as_json if self._form else contract.operation.get("requestBody")
        self._documented: Mapping[str, Any] = next(iter(contract.bodies.values()), {})

    @cached_property
    def texts(self) -> list[str]:
        """Any texts, controls and unassigned characters among them."""
        return pool(TEXT, lambda text: isinstance(text, str), self._seed, POOL)

    @cached_property
    def sayings(self) -> list[str]:
        """Texts that people may write: assigned characters, and not blanks alone."""
        return pool(SAYING, lambda text: bool(text.strip()), self._seed, POOL)

    @cached_property
    def octets(self) -> list[bytes]:
        return pool(st.binary(min_size=2, max_size=12), bool, self._seed, POOL, bytes.hex)

    @cached_property
    def fitting(self) -> list[Any]:
        """Bodies that fit; none where the contract has no requestBody."""
        if self._schema is None:
            return []
        return pool(self._drawn(GenerationMode.POSITIVE), self.fits, self._seed, self._size)

    @cached_property
    def misfit(self) -> list[Any]:
        """Bodies that do not fit; any JSON values where the contract has no requestBody."""
        found = pool(JSON, self.misfits, self._seed, POOL)
        if self._schema is None:
            return found
        if self._form:  # few of what is drawn are forms: one made by rule leads them
            made = form.misfit(self._schema, self._documented)
            return [*([] if made is None else [made]), *found[: self._size]]
        drawn = self._drawn(GenerationMode.NEGATIVE)
        few = min(self._size, MISFITS)
        return [*pool(drawn, self.misfits, self._seed, few), *found[: self._size]]

    @cached_property
    def _operation(self) -> Any:
        return _operation(self._body)

    def _drawn(self, mode: GenerationMode) -> Any:
        return self._operation.as_strategy(generation_mode=mode).map(lambda case: case.body)

    def fits(self, value: Any) -> bool:
        if self._schema is None or not plain(value):
            return plain(value)
        if self._form:
            return form.fits_form(self._schema, value)
        return problem_of(self._schema, value) is None

    def misfits(self, value: Any) -> bool:
        if self._schema is None or not plain(value):
            return plain(value)
        if self._form:
            return form.encodes(value) and not form.fits_form(self._schema, value)
        return bool(problem_of(self._schema, _bare(value)))

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
        """Return a body that does not; where the contract has none, any JSON value, nine times
        of ten one with members.
        """
        into = self.fitting or self.misfit
        full = [value for value in self.misfit if isinstance(value, (dict, list)) and value]
        others = full if not self.fitting and full and random.random() < 0.9 else self.misfit
        made = (self._mix(into, others, random) for _ in range(TRIES))
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


@lru_cache(KEPT)
def bodies(contract: Contract, seed: str, size: int = POOL) -> Bodies:
    """Return the pools of a contract and a seed, the same each time: they are filled once."""
    return Bodies(contract, seed, size)


def _operation(body: Any) -> Any:
    """Return the operation as schemathesis sees it, the body alone: the rest is not drawn."""
    post = {"requestBody": body, "responses": {"200": {"description": ""}}}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "bodies", "version": "1"},
        "paths": {"/": {"post": post}},
    }
    # An own configuration: a schemathesis.toml that happens to lie about must not change the run.
    config = schemathesis.Config()
    generation = config.projects.default.generation
    generation.database, generation.codec = "none", None  # by name a codec takes long: see TEXT
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return schemathesis.openapi.from_dict(document, config=config)["/"]["POST"]


def pool(
    values: Any,
    wanted: Callable[[Any], bool],
    seed: str,
    size: int,
    name: Callable[[Any], str] | None = None,
) -> list[Any]:
    """Return what a strategy draws, without doubles (by `name`), the smallest first."""
    name = name or (lambda value: json.dumps(value, sort_keys=True))
    found: dict[str, Any] = {}

    def full(row: list[Any]) -> bool:
        for value in filter(wanted, row):
            if len(found) < size:
                found.setdefault(name(value), value)
        return len(found) >= size

    row = min(ROW, size)
    rows = st.lists(values, min_size=row, max_size=row)
    often = settings(_SETTINGS, max_examples=max(2, 2 * size // row))
    with suppress(NoSuchExample):  # `find` draws until the pool is full, or as often as it may
        find(rows, full, random=Random(seed), settings=often)  # noqa: S311
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
