"""Every fault that is registered, in one order whichever module was imported first: it decides on
which contract each is met, so a new module comes last.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType

from servers import (
    faults_answers,
    faults_entity,
    faults_existence,
    faults_identity,
    faults_method,
    faults_request,
    faults_state,
    faults_wire,
    joint_dates,
    joint_entity,
    joint_left,
    joint_pairs,
    joint_past,
    joint_requests,
)
from servers.faults import FAULTS, Fault

# What any cancel may break.
GENERAL = (
    faults_answers,
    faults_existence,
    faults_identity,
    faults_method,
    faults_request,
    faults_state,
    faults_wire,
)
ALL = (
    *GENERAL,
    faults_entity,
    joint_dates,
    joint_entity,
    joint_left,
    joint_pairs,
    joint_past,
    joint_requests,
)


def registered(modules: Iterable[ModuleType] = ALL) -> list[Fault]:
    """Return what modules have registered, in their order."""
    names = [module.__name__ for module in modules]
    found = (fault for fault in FAULTS if fault.service.__module__ in names)
    return sorted(found, key=lambda fault: names.index(fault.service.__module__))
