"""Why a resource or an identity cannot be had: the two words that a run knows for it."""

from __future__ import annotations


class Refused(Exception):
    """The target does not offer this state. The message is the reason to report."""


class Broken(Exception):
    """Something failed on the way: nobody can tell whether it is offered. The message is the reason
    to report.
    """
