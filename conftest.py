"""Makes `pytest specs` work in a checkout whose package is not installed. An installed
package brings the same plugin.
"""

import os
from pathlib import Path

import pytest

pytest_plugins = ["cancel_contracts.pytest_plugin"]

# Runs of `deep` within the tests leave nothing in the caches of whoever runs them.
os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(Path(__file__).with_name(".hypothesis")))

# The files that take longest begin first, so that no worker is left with one of them at the end.
LONGEST = (
    "test_prove.py",
    "test_schemathesis_checks.py",
    "test_deep.py",
    "test_examples_mockoon.py",
    "test_examples_prism.py",
    "test_ci_integration.py",
    "test_pytest_door.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.name, len(places)))
