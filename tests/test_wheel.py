"""The wheel works outside the checkout: specs, schemas, templates and the commands are all in it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from textwrap import dedent

import pytest

pytestmark = pytest.mark.slow(7)

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation",
         "-w", str(folder), str(ROOT)],
        check=True, timeout=120,
    )  # fmt: skip
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel. What it depends on comes from this one, the checkout does not."""
    folder = tmp_path_factory.mktemp("venv")
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True, timeout=60
    )
    site = next((folder / "lib").glob("python*/site-packages"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    # A plain path line: the editable install's own .pth is not followed from there.
    libraries = [path for path in sys.path if Path(path).name == "site-packages"]
    (site / "dependencies.pth").write_text("\n".join(libraries) + "\n", "utf-8")
    return folder / "bin" / "python"


def run(python: Path, cwd: Path, *args: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "GITHUB"))}
    return subprocess.run(
        [str(python), *args],
        cwd=cwd,
        env=clean,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


MAIN = "import sys; from cancel_contracts.cli import main; sys.exit(main(sys.argv[1:]))"


def test_the_wheel_brings_specs_schemas_and_templates(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for wanted in (
        "cancel_contracts/specs/machine-action.yaml",
        "cancel_contracts/contract/extensions.schema.json",
        "cancel_contracts/targets/target.example.yaml",
        "cancel_contracts/report/report.schema.json",
        "cancel_contracts/baseline.schema.json",
    ):
        assert wanted in names
    assert any(n.startswith("cancel_contracts/report/templates/") for n in names)
    assert not any(n.startswith(("tests/", "specs/")) for n in names)


def test_it_verifies_the_mock_from_anywhere(python: Path, tmp_path: Path) -> None:
    where = run(python, tmp_path, "-c", "import cancel_contracts; print(cancel_contracts.__file__)")
    assert str(ROOT) not in where.stdout, where.stdout + where.stderr
    verify = ("verify", "--contract", "security-action", "--contract", "machine-action")
    reports = ("--report-html", "r.html", "--report-json", "r.json")
    done = run(
        python, tmp_path, "-c", MAIN, *verify, "--only", "SA-20", "--only", "MA-34", *reports
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "r.html").stat().st_size > 10_000
    done = run(python, tmp_path, "-c", MAIN, "board", "r.json", "-o", "site")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("the built-in mock: conforms, kept ")
    assert (tmp_path / "site" / "index.html").stat().st_size > 10_000


THEIRS = {
    "contracts/__init__.py": "OURS = True\n",
    "contracts/rooms.py": "from contracts import OURS\n",
    "conftest.py": """
        import pytest

        def pytest_addoption(parser):  # as pytest-embedded has it
            parser.addoption("--target", action="append")

        @pytest.fixture(scope="session")
        def base_url(base_url):
            return base_url + "/v1"
    """,
    "test_theirs.py": """
        import contracts
        from contracts.rooms import OURS

        def test_the_folder_is_theirs():
            assert OURS and contracts.__file__.startswith(FOLDER)

        def test_the_options_are_theirs(base_url, pytestconfig):
            assert base_url == "http://theirs.invalid/v1"
            assert pytestconfig.getoption("profile") is True
            assert pytestconfig.getoption("target") == ["esp32"]
    """,
}


def project(folder: Path) -> None:
    """Write a project of somebody else's, whose package is called `contracts`."""
    for name, text in THEIRS.items():
        (folder / name).parent.mkdir(exist_ok=True)
        text = dedent(text).replace("FOLDER", repr(str(folder)))
        (folder / name).write_text(text, "utf-8")


PLUGIN = ("-p", "cancel_contracts.pytest_plugin")  # named beside being installed


@pytest.mark.parametrize(
    ("more", "clauses", "passed"),
    [((*PLUGIN, "--contracts-strict"), True, "6 passed"), (("-n", "1"), False, "2 passed")],
    ids=["clauses", "xdist"],
)
def test_a_project_with_other_plugins_runs_as_ever(
    python: Path, tmp_path: Path, more: tuple[str, ...], clauses: bool, passed: str
) -> None:
    """pytest-base-url and pytest-profiling are loaded beside the plugin, and the project has a `contracts`."""
    project(tmp_path)
    if clauses:
        spec = ROOT / "tests" / "print_job_spec.txt"
        (tmp_path / "print-job.yaml").write_bytes(spec.read_bytes())
    theirs = ("--base-url", "http://theirs.invalid", "--profile", "--target", "esp32")
    done = run(python, tmp_path, "-m", "pytest", "--trace-config", *theirs, *more)
    assert done.returncode == 0, done.stdout + done.stderr
    assert passed in done.stdout
    for plugin in ("cancel-contracts-", "pytest-base-url-", "pytest-profiling-"):
        assert re.search(rf"^ +{plugin}\d", done.stdout, re.MULTILINE), plugin
    assert "cancel_contracts/pytest_plugin" in done.stdout
    assert (tmp_path / "prof").is_dir()  # pytest-profiling has done its work
