"""The mock on a real socket, in a thread of its own.

Starts in milliseconds and stops without waiting for a hanging answer. Several may run in one
process.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Sequence
from types import TracebackType

import uvicorn
from joserfc.jwk import OctKey

from cancel_contracts.contract.model import Contract
from cancel_contracts.errors import UsageError
from cancel_contracts.mock import states
from cancel_contracts.mock.app import App
from cancel_contracts.mock.catalogue import install
from cancel_contracts.mock.desk import Desk
from cancel_contracts.mock.wire import TappedProtocol


class QuickServer(uvicorn.Server):
    """uvicorn's server with an event in place of its 100 ms ticks."""

    loop: asyncio.AbstractEventLoop
    stop: asyncio.Event

    async def main_loop(self) -> None:
        self.loop, self.stop = asyncio.get_running_loop(), asyncio.Event()
        self.ready.set()
        await self.stop.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close at once: nobody waits for what a fault keeps hanging."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)
        tasks = list(self.server_state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()


class MockServer:
    """Serves contracts on a loopback port while the `with` block runs.

    `faults` and `variants` are names of the catalogue; each is put into every contract it applies
    to. `quotas=False` turns the documented rate limits off; `tls` makes it serve https. Raises
    UsageError for an unknown name, or a port that cannot be had.
    """

    def __init__(
        self,
        contracts: Sequence[Contract],
        *,
        key: str,
        faults: Sequence[str] = (),
        variants: Sequence[str] = (),
        host: str = "127.0.0.1",
        port: int = 0,
        quotas: bool = True,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        signing = OctKey.import_key(key)
        desks = [Desk(contract, signing, quotas=quotas) for contract in contracts]
        for desk in desks:
            install(desk, faults=faults, variants=variants)
        self._app = App(desks)
        self._host, self._port, self._tls = host, port, tls
        self._socket: socket.socket | None = None
        self._server: QuickServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def base_url(self) -> str:
        if self._socket is None:
            raise RuntimeError("the mock is not running")
        host, port = self._socket.getsockname()[:2]
        scheme = "https" if self._tls else "http"
        return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"

    @property
    def provider_states(self) -> str:
        return self.base_url + states.PATH

    @property
    def requests(self) -> Counter[str]:
        """How many requests came, by kind: cancel, observe, provider_states, elsewhere."""
        return self._app.requests

    @property
    def crashes(self) -> list[str]:
        """Tracebacks of the mock's own errors; a faithful mock has none."""
        return self._app.crashes

    def __enter__(self) -> MockServer:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Bind, start the thread and return when it serves."""
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        # asyncio sends without delay on sockets that name TCP; else every answer on a connection
        # that is kept waits 40 ms for an acknowledgement.
        bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind((self._host, self._port))
            bound.listen(128)
        except (OSError, OverflowError) as err:
            bound.close()
            place = f"{self._host}:{self._port}"
            raise UsageError(
                place, f"cannot be listened on: {err}", "choose another port"
            ) from None
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        config = uvicorn.Config(
            self._app,
            http=TappedProtocol,
            ws="none",
            loop="asyncio",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
        )
        config.load()
        config.ssl = self._tls
        self._socket, self._server = bound, QuickServer(config)
        self._thread = threading.Thread(target=self._run, name="mock", daemon=True)
        self._thread.start()
        self._server.ready.wait()

    def _run(self) -> None:
        if self._server and self._socket:
            asyncio.run(self._server.serve(sockets=[self._socket]))

    def stop(self) -> None:
        """Stop the thread and free the port. Safe to call twice."""
        if self._server is not None and self._thread is not None:
            self._server.loop.call_soon_threadsafe(self._server.stop.set)
            self._thread.join()
        if self._socket is not None:
            self._socket.close()
        self._server = self._thread = self._socket = None
