"""Read a YAML file that a person wrote: a spec, a target file, a baseline. Knows none of them.

Every complaint is a UsageError that names file, line and column. A key written twice is one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from cancel_contracts.errors import UsageError
from cancel_contracts.pipes import is_pipe, read_text

MERGE, TIMESTAMP = "tag:yaml.org,2002:merge", "tag:yaml.org,2002:timestamp"
INTEGER, DECIMAL = "tag:yaml.org,2002:int", re.compile(r"^(?:0|-?[1-9][0-9]*)$")
MERGED_KEYS = 1000
DEPTH = 100  # levels of nesting; a spec has a dozen
VALUES = 200_000  # of one file; the largest spec has four thousand

# libyaml reads ten times as fast. Builds of PyYAML without it have the same loader in Python.
SafeLoader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class UniqueKeys(SafeLoader):  # type: ignore[misc,valid-type]
    """SafeLoader that refuses a key written twice: YAML would keep the last without a word."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Bring in what merge keys name. Each level may double the one before: bounded."""
        super().flatten_mapping(node)
        if len(node.value) > MERGED_KEYS:
            problem = f"a mapping has more than {MERGED_KEYS} keys, merged ones counted"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


def _mapping(loader: UniqueKeys, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        # What a merge key brings, a key that is written here replaces.
        merge = key_node.tag == MERGE
        key = "<<" if merge else loader.construct_object(key_node, deep=True)
        if isinstance(key, (str, int)) and key in seen:
            raise yaml.constructor.ConstructorError(
                None, None, f"key {key!r} stands twice", key_node.start_mark
            )
        if isinstance(key, (str, int)):
            seen.add(key)
    loader.flatten_mapping(node)
    return dict(loader.construct_pairs(node, deep=True))


# JSON has no dates, and a schema says which texts are one: written bare or quoted, one is a text.
# So is what YAML 1.1 takes for an octal, hexadecimal or parted integer: the id 0012 is not 10.
UniqueKeys.yaml_implicit_resolvers = {
    first: [
        (tag, DECIMAL if tag == INTEGER else pattern) for tag, pattern in rows if tag != TIMESTAMP
    ]
    for first, rows in UniqueKeys.yaml_implicit_resolvers.items()
}
UniqueKeys.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def _measure(path: Path, text: str) -> None:
    """Raise where a document is nested without measure, or its aliases unfold to too much: whoever
    walks it walks them each time. libyaml composes without a bound: it would crash.
    """
    open_: list[_Part] = [_Part()]
    anchors: dict[str, _Part] = {}
    for event in yaml.parse(text, Loader=SafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            open_.append(_Part(values=1, anchor=event.anchor))
            anchors.pop(event.anchor or "", None)
        elif isinstance(event, yaml.CollectionEndEvent):
            part = open_.pop()
            if part.anchor:
                anchors[part.anchor] = part
            open_[-1].take(part)
        elif isinstance(event, yaml.AliasEvent):
            # Within itself it has no end; an unknown one is the loader's to refuse.
            within = any(part.anchor == event.anchor for part in open_)
            taken = anchors.get(event.anchor or "") or _Part(values=VALUES + 1 if within else 1)
            open_[-1].take(taken)
        elif isinstance(event, yaml.ScalarEvent):
            open_[-1].values += 1
        place = f"{path}:{event.start_mark.line + 1}" if event.start_mark else str(path)
        if len(open_) + open_[-1].height > DEPTH + 1:
            raise UsageError(place, f"is nested deeper than {DEPTH} levels", "fix that line")
        if open_[-1].values > VALUES:
            problem = f"holds more than {VALUES} values, aliases unfolded"
            raise UsageError(place, problem, "fix that line")


@dataclass
class _Part:
    """A part of a document: its values, and the levels below it."""

    values: int = 0
    height: int = 0
    anchor: str | None = None

    def take(self, part: _Part) -> None:
        self.values += part.values
        self.height = max(self.height, part.height + 1)


def parse_yaml(path: Path) -> Any:
    """Return the YAML document of a file, keys checked for doubles. Shared with the target file."""
    return parse_text(path, read_file(path))


def read_file(path: Path) -> str:
    """Return the text of a file. Raises UsageError for what cannot be read."""
    try:
        return read_text(path)
    except OSError as err:
        raise UsageError(
            str(path), err.strerror or "cannot be read", "give a readable file"
        ) from None
    except UnicodeDecodeError:
        raise UsageError(str(path), "is no UTF-8 text", "save it as UTF-8") from None


def parse_text(path: Path, text: str) -> Any:
    """Return the YAML document of a file's text."""
    try:
        _measure(path, text)
        return yaml.load(text, Loader=UniqueKeys)  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as err:
        mark = err.problem_mark
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        # An alias or a tag may be a secret that somebody forgot to quote.
        problem = re.sub(r"\b(alias|tag) ['\"].*", r"\1", str(err.problem), flags=re.DOTALL)
        raise UsageError(place, f"is no YAML: {problem}", "fix that line") from None
    except UsageError:
        raise
    except Exception as err:  # noqa: BLE001 - of `!!timestamp x` and the like each tag raises another
        problem = f"is no YAML: a value is not of its type ({type(err).__name__})"
        raise UsageError(str(path), problem, "fix the file") from None


@lru_cache(1)
def _nodes(text: str) -> yaml.Node | None:
    try:
        return yaml.compose(text, Loader=SafeLoader)
    except (ValueError, yaml.YAMLError, RecursionError):
        return None  # not the file any more that was read


def line_in(path: Path, keys: Sequence[str | int]) -> str:
    """Return file and line of a place in a YAML file that was read before, `file:line`."""
    try:
        node = None if is_pipe(path) else _nodes(read_text(path))
    except (OSError, ValueError):
        node = None
    line = ""
    for key in keys:
        name = None
        if isinstance(node, yaml.MappingNode):
            name, node = next((row for row in node.value if row[0].value == str(key)), (None, None))
        elif isinstance(node, yaml.SequenceNode) and isinstance(key, int):
            node = node.value[key] if key < len(node.value) else None
        else:
            break
        if node is None:
            break
        # A mapping is told by its key, which may stand a line above; a value by itself.
        told = node if name is None or isinstance(node, yaml.ScalarNode) else name
        line = f":{told.start_mark.line + 1}"
    return f"{path}{line}"


def place_in(path: Path, keys: Sequence[str | int]) -> str:
    """Return a place in a YAML file to begin a complaint with: file, line and keys."""
    return f"{line_in(path, keys)}: {'/'.join(map(str, keys)) or '(top level)'}"
