"""Reading without a network: a stream that follows a script, on a clock that it moves itself."""

from __future__ import annotations

import ssl
from types import SimpleNamespace

import pytest
from cancel_contracts.transport.framing import framing_faults
from cancel_contracts.transport.record import LINGER_SECONDS, Bounds, Recording, record

EMPTY = b"HTTP/1.1 204 No Content\r\n\r\n"
Step = tuple[float, bytes | OSError]


class Stream:
    """A step: seconds that pass, then bytes (none: the peer closes) or an error. Then silence."""

    def __init__(self, *steps: Step) -> None:
        self.steps = list(steps)
        self.now = self.timeout = 0.0

    def settimeout(self, seconds: float | None, /) -> None:
        assert seconds is not None
        self.timeout = seconds

    def recv(self, size: int, /) -> bytes:
        if not self.steps or self.steps[0][0] > self.timeout:
            self.now += self.timeout
            raise TimeoutError
        seconds, event = self.steps.pop(0)
        self.now += seconds
        if isinstance(event, OSError):
            raise event
        assert len(event) <= size
        return event


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[Stream]:
    streams: list[Stream] = []
    time = SimpleNamespace(monotonic=lambda: streams[0].now)
    monkeypatch.setattr("cancel_contracts.transport.record.time", time)
    return streams


def run(
    clock: list[Stream],
    *steps: Step,
    keep_alive: bool = False,
    send_error: OSError | None = None,
    reused: bool = False,
) -> Recording:
    clock.append(Stream(*steps))
    bounds = Bounds(silence_seconds=3, deadline=10, total_seconds=10, max_bytes=1000)
    return record(
        clock[0], "POST", bounds, keep_alive=keep_alive, send_error=send_error, reused=reused
    )


def test_stray_bytes_that_come_a_little_later(clock: list[Stream]) -> None:
    got = run(clock, (1, EMPTY), (LINGER_SECONDS / 2, b"la"), (LINGER_SECONDS / 4, b"te"))

    assert got.received is not None
    assert got.received.stray == b"late"
    assert framing_faults("POST", got.received) == ["4 bytes of content after the head of a 204"]
    assert (got.finished, clock[0].now) == (1, 1 + LINGER_SECONDS)


def test_stray_bytes_without_end(clock: list[Stream]) -> None:
    got = run(clock, (1, EMPTY), *[(LINGER_SECONDS / 2, b".")] * 9)

    assert got.received is not None
    assert got.received.stray == b".."
    assert (got.failure, clock[0].now) == (None, 1 + LINGER_SECONDS)


def test_keep_alive_takes_what_is_there_and_waits_for_nothing(clock: list[Stream]) -> None:
    got = run(clock, (1, EMPTY), (0.01, b"late"), keep_alive=True)

    assert (got.reusable, clock[0].now) == (True, 1)


def test_keep_alive_waits_where_the_connection_is_spent_anyway(clock: list[Stream]) -> None:
    got = run(clock, (1, EMPTY), (0, b"st"), (0.01, b"ray"), keep_alive=True)

    assert got.received is not None
    assert (got.received.stray, got.reusable) == (b"stray", False)


def test_keep_alive_sees_a_close_that_is_there_already(clock: list[Stream]) -> None:
    got = run(clock, (1, EMPTY), (0, b""), keep_alive=True)

    assert (got.failure, got.reusable) == (None, False)


def test_without_keep_alive_no_connection_is_reusable(clock: list[Stream]) -> None:
    assert not run(clock, (1, EMPTY)).reusable


def test_silence_counts_from_the_last_byte(clock: list[Stream]) -> None:
    got = run(clock, (2, b"HTTP/1.1 200 OK\r\n"), (2, b"Content-Length: 2\r\n\r\n"), (2, b"ok"))

    assert (got.failure, got.finished) == (None, 6)


def test_the_total_counts_from_the_beginning(clock: list[Stream]) -> None:
    got = run(clock, *[(2.0, b"HTTP/1.1 100 Continue\r\n\r\n")] * 9)

    assert (got.failure, got.finished) == ("timeout", 10)
    assert got.detail == "no complete answer within 10 s, after 125 bytes"


def tls(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, reason)
    error.reason = reason
    return error


@pytest.mark.parametrize(
    ("error", "reused", "nothing", "half"),
    [
        (ConnectionResetError(), False, "reset", "reset"),
        (ConnectionResetError(), True, "closed", "reset"),
        (BrokenPipeError(), False, "reset", "reset"),
        (tls("TLSV13_ALERT_CERTIFICATE_REQUIRED"), False, "tls", "reset"),
        (tls("SSLV3_ALERT_BAD_CERTIFICATE"), True, "tls", "reset"),
        (tls("TLSV1_ALERT_UNKNOWN_CA"), False, "tls", "reset"),
        (tls("SSLV3_ALERT_HANDSHAKE_FAILURE"), False, "tls", "reset"),
        # The request is out: whoever fails now may have carried it out.
        (tls("TLSV1_ALERT_INTERNAL_ERROR"), False, "reset", "reset"),
        (tls("WRONG_VERSION_NUMBER"), False, "reset", "reset"),
        (tls("SSLV3_ALERT_BAD_RECORD_MAC"), True, "closed", "reset"),
        (ssl.SSLError("no reason"), False, "reset", "reset"),
    ],
)
def test_errors_by_what_had_come_before(
    error: OSError, reused: bool, nothing: str, half: str, clock: list[Stream]
) -> None:
    assert run(clock, (1, error), reused=reused).failure == nothing
    clock.clear()
    assert run(clock, (1, EMPTY[:-2]), (0, error), reused=reused).failure == half
    clock.clear()
    assert run(clock, (1, EMPTY), (0, error), reused=reused).failure is None


@pytest.mark.parametrize(
    ("send_error", "nothing", "half"),
    [
        (None, "closed", None),
        (BrokenPipeError(), "reset", "reset"),
        (ConnectionResetError(), "reset", "reset"),
        (TimeoutError(), "closed", None),
    ],
)
def test_an_end_is_a_reset_if_sending_was_told_so(
    send_error: OSError | None, nothing: str, half: str | None, clock: list[Stream]
) -> None:
    # The kernel reports a reset once; reading then sees no more than the end.
    assert run(clock, (0, b""), send_error=send_error).failure == nothing
    clock.clear()
    assert run(clock, (0, EMPTY[:-2]), (0, b""), send_error=send_error).failure == half
    clock.clear()
    whole = run(clock, (0, EMPTY), (0, b""), send_error=send_error)
    assert (whole.failure, whole.received and whole.received.error) == (None, None)


def test_a_connection_that_did_not_take_the_request_is_not_reusable(clock: list[Stream]) -> None:
    assert not run(clock, (0, EMPTY), keep_alive=True, send_error=BrokenPipeError()).reusable
