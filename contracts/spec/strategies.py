"""Strategies that generate request bodies from a spec: the only importer of schemathesis.

Slow to import, so imported only where properties are explored.
"""

from __future__ import annotations

import warnings
from typing import Any

import schemathesis
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from schemathesis import GenerationMode

from contracts.spec.model import Contract

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def bodies(contract: Contract) -> tuple[st.SearchStrategy[Any], st.SearchStrategy[Any]]:
    """Return strategies for bodies that fit the requestBody schema and for bodies that do not.

    Where the contract has no request body any JSON value is a body that was not asked for.
    """
    if not contract.bodies:
        return st.nothing(), JSON
    # An own configuration: a schemathesis.toml that happens to lie about must not change the run.
    config = schemathesis.Config.from_dict({"generation": {"database": "none"}})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        document = schemathesis.openapi.from_path(contract.path_of_file, config=config)
        operation = document[contract.path]["POST"]
        fitting = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
        misfit = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)
    schema = contract.operation["requestBody"]["content"]["application/json"]["schema"]
    check = Draft202012Validator(schema).is_valid
    return (
        fitting.map(lambda case: case.body).filter(lambda b: plain(b) and check(b)),
        misfit.map(lambda case: case.body).filter(lambda b: plain(b) and not check(_bare(b))),
    )


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
