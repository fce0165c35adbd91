"""Whether anybody listens at a URL. Connects, and sends nothing."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from urllib.parse import urlsplit

PAUSE_SECONDS = 0.2
CONNECT_SECONDS = 2.0


def wait_for(url: str, seconds: float, pause: Callable[[float], bool]) -> bool:
    """Wait until somebody can connect; whether that came about in time. `pause` waits, and says
    whether to give up.
    """
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    until = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection((parts.hostname or "", port), CONNECT_SECONDS).close()
        except OSError:
            if time.monotonic() >= until or pause(PAUSE_SECONDS):
                return False
        else:
            return True
