"""`--debug`: a line for each exchange, and the traceback of what goes wrong, without secrets."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import click

from cancel_contracts.redact.secrets import Redactor


class Lines(logging.Handler):
    """Writes records to the standard error, redacted."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self.redactor = redactor

    def emit(self, record: logging.LogRecord) -> None:
        click.echo(f"debug: {self.redactor.text(record.getMessage())}", err=True)


@contextmanager
def debugging(wanted: bool) -> Iterator[Redactor]:
    """Yield the redactor that a run must use; where `wanted`, tell what happens in the block."""
    redactor = Redactor()
    if not wanted:
        yield redactor
        return
    log, lines = logging.getLogger("cancel_contracts"), Lines(redactor)
    level = log.level
    log.addHandler(lines)
    log.setLevel(logging.DEBUG)
    try:
        yield redactor
    except Exception:
        click.echo(redactor.text(traceback.format_exc()).rstrip(), err=True)
        raise
    finally:
        log.removeHandler(lines)
        log.setLevel(level)
