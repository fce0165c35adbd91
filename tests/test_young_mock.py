"""A mock as somebody writes it who begins, with three mistakes: three findings, each seen again,
and none once they are mended.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cancel_contracts.cli import main
from servers.young import MISTAKES, TOKEN, serve

Capture = pytest.CaptureFixture[str]


@contextmanager
def running(planted: Collection[str]) -> Iterator[str]:
    with serve(planted) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def target(folder: Path, url: str, more: str = "") -> Path:
    """Write the file as docs/check-my-mock.md says: what `init` gives, with two addresses and a
    token.
    """
    path = folder / "target.yaml"
    path.unlink(missing_ok=True)
    assert main(["init", "--contract", "machine-action", "--handler", "--output", str(path)]) == 0
    text = path.read_text("utf-8")
    places = {
        "http://127.0.0.1:8080/_pact/provider-states": f"{url}/states",
        "http://127.0.0.1:8080": url,
        "# identities:\n#   admin:": "identities:\n  admin:",
    }
    for was, is_ in places.items():
        assert was in text
        text = text.replace(was, is_)
    path.write_text(text + more, encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADMIN_TOKEN", TOKEN)


def report_of(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


@pytest.mark.slow(5)
def test_three_mistakes_are_three_findings_seen_again_until_they_are_mended(
    tmp_path: Path, capsys: Capture
) -> None:
    report = tmp_path / "report.json"
    with running(MISTAKES) as url:
        argv = ["verify", "--target", str(target(tmp_path, url)), "--report-json", str(report)]
        assert main(argv) == 1
        sentences = [row["sentence"] for row in report_of(report)["defects"]]
        assert len(sentences) == 3, sentences
        final, unknown, challenge = sentences
        assert "Failed" in final
        assert final.endswith("and takes effect; expected 4xx")
        assert " cancels an unknown id" in unknown
        assert unknown.endswith(": 200, 2 bytes; expected 404")
        assert ": 401, WWW-Authenticate" in challenge
        assert challenge.endswith("; expected 401 with WWW-Authenticate")
        capsys.readouterr()
        assert main(["replay", str(report)]) == 1
        assert capsys.readouterr().out.endswith("3 findings still deviate\n")
        assert TOKEN not in report.read_text("utf-8")
    with running(()) as url:
        mended = str(target(tmp_path, url))
        assert main(["replay", str(report), "--target", mended]) == 0
        assert capsys.readouterr().out.endswith("3 findings no longer deviate\n")
        # From here it takes what the page says, and what the run prints.
        argv = ["verify", "--target", mended, "--wait", "30", "--report-json", str(report)]
        assert main(argv) == 4
        _, _, printed = capsys.readouterr().out.partition("would excuse what was not exercised:\n")
        lines = printed.partition("\n\n")[0]
        assert lines.startswith("not_testable:\n")
        assert main(["verify", "--target", str(target(tmp_path, url, f"{lines}\n"))]) == 0


@pytest.mark.slow(5)
@pytest.mark.parametrize("mistake", MISTAKES)
def test_each_mistake_alone_is_one_finding(mistake: str, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    with running([mistake]) as url:
        argv = ["verify", "--target", str(target(tmp_path, url)), "--report-json", str(report)]
        assert main(argv) == 1
    assert len(report_of(report)["defects"]) == 1
