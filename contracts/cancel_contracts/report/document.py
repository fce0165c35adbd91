"""What every HTML page of ours is made of: its templates, and what keeps hostile text harmless.

Each enough by itself: Jinja2's autoescape; a Content-Security-Policy that knows the script and the
style by their hashes and forbids every load; `plain`, through which every value passes, so that no
character turns the direction of text or hides.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from cancel_contracts.report.text import count, plain

BASE = "cancel_contracts.report"  # the package with the style that all pages share


def part(package: str, name: str) -> Markup:
    """Return a file among the templates of a package, as it is to stand in the page."""
    text = resources.files(package).joinpath("templates", name).read_text("utf-8")
    return Markup(text)  # noqa: S704 - our own file


def style(package: str, name: str) -> Markup:
    """Return the style that all pages share, and after it a page's own."""
    return part(BASE, "base.css") + part(package, name)


def policy(style: str, script: str) -> str:
    """Return the Content-Security-Policy: nothing loads, and only what we wrote runs."""
    return (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def environment(package: str) -> Environment:
    """Return Jinja2 over the templates of a package."""
    env = Environment(
        loader=PackageLoader(package, "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    env.globals["count"] = count
    return env


def _finalize(value: Any) -> Any:
    return (
        plain(value, keep="\n\t") if isinstance(value, str) and type(value) is not Markup else value
    )
