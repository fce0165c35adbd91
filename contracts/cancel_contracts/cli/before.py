"""What a run does before its first call."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from cancel_contracts.contract.model import Contract
    from cancel_contracts.targets.file import Target


def keep_tables_apart() -> None:
    """Have Hypothesis keep its tables among the user's caches, not in the working directory."""
    with suppress(RuntimeError):  # nobody's home
        caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        place = Path(caches) / "cancel-contracts" / "hypothesis"
        os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(place))


def wait_for_servers(target: Target, contracts: Sequence[Contract], seconds: float) -> None:
    """Wait until the servers of a target let somebody connect, each for so long at most."""
    from cancel_contracts.cli.interrupt import interruptible
    from cancel_contracts.hosts import is_proxied
    from cancel_contracts.transport.listening import wait_for

    endpoints = [target.endpoint(contract) for contract in target.narrowed(contracts)]
    urls = dict.fromkeys(url for s in endpoints for url in (s.base_url, s.handler) if url)
    with interruptible() as stop:
        for url in urls:
            if is_proxied(url, os.environ):
                continue  # only the proxy could tell
            if not wait_for(url, seconds, stop.wait) and not stop.asked:
                click.echo(f"warning: nobody listens at {url} after {seconds:g} s", err=True)
