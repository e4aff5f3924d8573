"""The action for GitHub, the template for GitLab, and the image, as they are used."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
DEMO = ROOT / "fixtures/five-to-three"
ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
STEPS = {step["name"]: step for step in ACTION["runs"]["steps"]}

BEFORE = (DEMO / "before.yaml").read_text("utf-8")
AFTER = (DEMO / "after.yaml").read_text("utf-8")
ORDER = (DEMO / "commands.sh").read_text("utf-8")
BODY = f"Shrink the control plane.\r\n\r\n```bash\r\n{ORDER}```\r\n"


@dataclass
class Job:
    """A job on GitHub: a checked out change, and the files that GitHub gives it."""

    folder: Path
    base: str

    @property
    def repository(self) -> Path:
        return self.folder / "repository"

    def step(
        self, name: str, event: dict[str, object], **inputs: str
    ) -> subprocess.CompletedProcess[str]:
        """Run the script of a step as GitHub does, with these inputs of the action."""
        step = STEPS[name]
        given = {key: value["default"] for key, value in ACTION["inputs"].items()}
        given |= {key.replace("_", "-"): value for key, value in inputs.items()}
        path = self.folder / "event.json"
        path.write_text(json.dumps(event), encoding="utf-8")
        environment = {
            **os.environ,
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_EVENT_PATH": str(path),
            "GITHUB_OUTPUT": str(self.folder / "output"),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary.md"),
            "RUNNER_TEMP": str(self.folder / "temp"),
            **{key: filled(value, given) for key, value in step["env"].items()},
        }
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=self.repository / filled(step.get("working-directory", "."), given),
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def check(
        self, event: dict[str, object] | None = None, /, **inputs: str
    ) -> subprocess.CompletedProcess[str]:
        """Run the check on a pull request, by default one without a text."""
        return self.step("Check", event or self.pull_request(), **inputs)

    def pull_request(self, body: str | None = None) -> dict[str, object]:
        return {"pull_request": {"base": {"sha": self.base}, "body": body}}

    def outputs(self) -> dict[str, str]:
        lines = (self.folder / "output").read_text("utf-8").splitlines()
        return dict(line.split("=", 1) for line in lines)


def filled(text: str, inputs: dict[str, str]) -> str:
    """A value of the action with the inputs in it, as GitHub evaluates it."""
    return re.sub(r"\$\{\{ inputs\.([a-z-]+) \}\}", lambda m: inputs[m[1]], text)


def git(folder: Path, *arguments: str) -> str:
    options = ["-c", "user.name=A", "-c", "user.email=a@example.com"]
    done = subprocess.run(
        ["git", *options, "-c", "init.defaultBranch=main", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    """A change from five to three control-plane nodes, with kopslint installed."""
    for name in [name for name in os.environ if name.startswith(("GIT_", "KOPSLINT_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    spec = tmp_path / "repository/clusters/prod.yaml"
    spec.parent.mkdir(parents=True)
    spec.write_text(BEFORE, "utf-8")
    git(tmp_path / "repository", "init", "--quiet")
    git(tmp_path / "repository", "add", "--all")
    git(tmp_path / "repository", "commit", "--quiet", "-m", "five")
    base = git(tmp_path / "repository", "rev-parse", "HEAD")
    spec.write_text(AFTER, "utf-8")
    (tmp_path / "repository/order.sh").write_text(ORDER, "utf-8")
    git(tmp_path / "repository", "add", "--all")
    git(tmp_path / "repository", "commit", "--quiet", "-m", "three")
    programs = tmp_path / "temp/kopslint/bin"
    programs.mkdir(parents=True)
    # Stands for the environment that the first step makes.
    python = programs / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', "utf-8")
    python.chmod(0o755)
    return Job(tmp_path, base)


def rules(ran: subprocess.CompletedProcess[str]) -> list[str]:
    """The rules of the annotations in a log, each once."""
    found = re.findall(
        r"^::(?:error|warning|notice) .*?(KL\d+)", ran.stdout, re.MULTILINE
    )
    return sorted(set(found))


@pytest.mark.skipif(find_spec("check_jsonschema") is None, reason="no schemas")
@pytest.mark.parametrize(
    ("schema", "path"),
    [("github-actions", "action.yml"), ("gitlab-ci", "ci/gitlab.yml")],
)
def test_the_published_schema_allows_it(schema: str, path: str) -> None:
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "check_jsonschema"),
            *("--builtin-schema", f"vendor.{schema}", ROOT / path),
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_an_input_is_never_a_part_of_a_script() -> None:
    """A value could otherwise end a string and run as a command."""
    for step in STEPS.values():
        assert "${{" not in step["run"]
        assert set(step) <= {
            *("name", "id", "if", "shell", "env", "run", "working-directory"),
        }


def test_every_input_and_output_is_described_and_used() -> None:
    used = set(re.findall(r"inputs\.([a-z-]+)", json.dumps(ACTION["runs"])))

    assert used == set(ACTION["inputs"])
    assert all(each["description"] for each in ACTION["inputs"].values())
    assert ACTION["outputs"]["status"]["value"] == "${{ steps.check.outputs.status }}"


@pytest.mark.parametrize(("cel", "extra"), [("false", ""), ("true", "-cel")])
def test_kopslint_is_installed_from_the_checkout_of_the_action(
    job: Job, cel: str, extra: str
) -> None:
    """A module of the checked out repository is not imported by the way."""
    (job.repository / "venv.py").write_text("raise SystemExit(99)", "utf-8")
    (job.folder / "temp/kopslint/bin/python").unlink()
    asked = job.folder / "asked"
    python = job.folder / "python"
    # Stands for a Python that makes an environment in which pip is called.
    python.write_text(
        f'#!/bin/sh\necho "$@" >> "{asked}"\n'
        f'[ "$3" = pip ] || cp "$0" "{job.folder}/temp/kopslint/bin/python"\n',
        "utf-8",
    )
    python.chmod(0o755)

    ran = job.step("Install kopslint", job.pull_request(), python=str(python), cel=cel)

    assert (ran.returncode, ran.stderr) == (0, "")
    made, needed, installed = asked.read_text("utf-8").splitlines()
    assert made == f"-I -m venv {job.folder}/temp/kopslint"
    pip = "-I -m pip install --quiet --disable-pip-version-check"
    locks = ROOT / "ci/locks"
    assert needed == (
        f"{pip} --require-hashes --only-binary=:all: --requirement {locks}/build.txt"
        f" --requirement {locks}/requirements{extra}.txt"
    )
    assert installed == f"{pip} --no-deps --no-build-isolation {ROOT}"


def test_the_order_in_the_text_of_a_pull_request_is_replayed(job: Job) -> None:
    event = job.pull_request(BODY)
    ran = job.check(event, commands_from_pull_request="true", sarif_file="k.sarif")

    assert ran.returncode == 1, ran.stderr
    assert "KL301" in rules(ran)
    sarif = job.repository / "k.sarif"
    assert job.outputs() == {"status": "1", "sarif-file": str(sarif)}
    results = json.loads(sarif.read_text("utf-8"))["runs"][0]["results"]
    assert "KL301" in {result["ruleId"] for result in results}
    assert "KL301" in (job.folder / "summary.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (BODY, "false"),
        (None, "true"),
        ("Just words.", "true"),
        ("```\nx: 1\n```", "true"),
    ],
    ids=["not wanted", "no text", "no block", "no shell"],
)
def test_a_text_without_commands_is_left_alone(
    job: Job, body: str | None, wanted: str
) -> None:
    """The lists that the configuration names are replayed then."""
    git(job.repository, "checkout", "--quiet", "-B", "base", job.base)
    (job.repository / ".kopslint.yaml").write_text("commands: order.sh\n", "utf-8")
    git(job.repository, "add", "--all")
    git(job.repository, "commit", "--quiet", "-m", "settings")
    job.base = git(job.repository, "rev-parse", "HEAD")
    git(job.repository, "checkout", "--quiet", "main")
    git(job.repository, "rebase", "--quiet", "base")

    ran = job.check(job.pull_request(body), commands_from_pull_request=wanted)

    assert ran.returncode == 1, ran.stderr
    assert "file=order.sh" in ran.stdout
    assert not list((job.folder / "temp").rglob("pull-request.md"))


def test_the_text_of_a_pull_request_has_nothing_of_the_runner_at_hand(
    job: Job,
) -> None:
    """A script that it names is looked for beside it: nothing is there."""
    words = "hunter2-and-more"
    for folder in ("temp", "temp/kopslint-pull-request"):
        (job.folder / folder).mkdir(exist_ok=True)
        (job.folder / folder / "_secret.env").write_text(f"TOKEN={words}\n", "utf-8")
    body = (
        "```bash\nsource ./_secret.env\n. ../_secret.env\n. ../../_secret.env\n"
        'kops delete instancegroup --name "$TOKEN" "$TOKEN" --yes\n```\n'
    )

    ran = job.check(
        job.pull_request(body), commands_from_pull_request="true", sarif_file="k.sarif"
    )

    sarif = (job.repository / "k.sarif").read_text("utf-8")
    summary = (job.folder / "summary.md").read_text("utf-8")
    assert words not in ran.stdout + ran.stderr + sarif + summary
    assert [path.name for path in (job.folder / "temp/kopslint-pull-request").iterdir()]


def test_the_inputs_are_the_options_of_the_check(job: Job) -> None:
    """Lists have one item a line, and a name with blanks or a dash is a name."""
    (job.repository / "order.sh").rename(job.repository / "-my order.sh")
    inputs = {"paths": "clusters\n\n  order.sh", "commands": "-my order.sh\n"}
    (job.repository / "order.sh").write_text("", "utf-8")

    told = job.check(**inputs)
    accepted = job.check(**inputs, fail_on="never")
    refused = job.check(**inputs, config="missing.yaml")
    alike = job.check(**inputs, config_from="head", all="true")

    assert (told.returncode, accepted.returncode, refused.returncode) == (1, 0, 2)
    assert "KL301" in rules(told)
    assert rules(accepted) == rules(told) == rules(alike)
    assert "missing.yaml" in refused.stderr


def test_comments_may_be_passed_over(job: Job) -> None:
    lines = [f"{line}  # kopslint: ignore[KL301] hurry" for line in ORDER.splitlines()]
    (job.repository / "order.sh").write_text("\n".join(lines), "utf-8")

    assert "KL301" not in rules(job.check(commands="order.sh"))
    assert "KL301" in rules(job.check(commands="order.sh", no_ignores="true"))


@pytest.mark.parametrize("name", ["no_ignores", "all", "commands_from_pull_request"])
def test_what_is_neither_true_nor_false_is_refused(job: Job, name: str) -> None:
    """A check must not be laxer than somebody meant it to be."""
    ran = job.check(**{name: "yes"})

    assert ran.returncode != 0
    assert "is 'yes', neither true nor false" in ran.stderr


@pytest.mark.parametrize(
    "event",
    [
        {"pull_request": {"base": {"sha": "BASE"}}},
        {"merge_group": {"base_sha": "BASE"}},
        {"before": "BASE"},
    ],
    ids=["pull request", "merge queue", "push"],
)
def test_the_base_is_what_the_event_says(job: Job, event: dict[str, object]) -> None:
    event = json.loads(json.dumps(event).replace("BASE", job.base))

    ran = job.check(event, commands="order.sh")

    assert "KL301" in rules(ran)


@pytest.mark.parametrize(
    "event",
    [{"before": "0" * 40}, {"before": "1" * 40, "forced": True}],
    ids=["new", "by force"],
)
def test_a_pushed_branch_without_a_state_before_is_compared_with_the_default_branch(
    job: Job, event: dict[str, object]
) -> None:
    """The commit before a push by force is nowhere, and zeros are no commit."""
    git(job.repository, "update-ref", "refs/remotes/origin/main", job.base)
    about = {"ref": "refs/heads/work", "repository": {"default_branch": "main"}}

    ran = job.check({**event, **about}, commands="order.sh")

    assert "KL301" in rules(ran), ran.stderr


@pytest.mark.parametrize("ref", ["refs/heads/main", "refs/tags/v1"])
def test_what_is_pushed_first_to_the_default_branch_is_all_new(
    job: Job, ref: str
) -> None:
    about = {"ref": ref, "repository": {"default_branch": "main"}}

    ran = job.check({"before": "0" * 40, **about})

    assert ran.returncode == 0, ran.stderr
    assert "(control plane 0 -> 3)" in ran.stdout


def test_an_event_without_a_base_is_compared_with_the_default_branch(job: Job) -> None:
    """Nothing parted from main here, so there is nothing to check, and that is said."""
    ran = job.check({"schedule": "0 0 * * *"})

    assert ran.returncode == 0
    assert "no kops spec changed" in ran.stderr
    assert job.outputs() == {"status": "0"}


def test_a_value_is_never_run(job: Job) -> None:
    harm = job.folder / "harm"
    value = f'"; touch {harm}; $(touch {harm}) `touch {harm}`'

    ran = job.check(
        job.pull_request(f"```bash\ntouch {harm}\n```"),
        base=value,
        paths=value,
        commands_from_pull_request="true",
    )

    assert ran.returncode == 2
    assert not harm.exists()


def test_the_job_on_gitlab_writes_the_reports_that_it_names(job: Job) -> None:
    """The status is that of kopslint, and both reports are there all the same."""
    template = yaml.safe_load((ROOT / "ci/gitlab.yml").read_text("utf-8"))["kopslint"]
    program = job.folder / "temp/kopslint/bin/kopslint"
    program.write_text(
        f'#!/bin/sh\nexec "{sys.executable}" -m kopslint "$@"\n', "utf-8"
    )
    program.chmod(0o755)
    git(job.repository, "update-ref", "refs/remotes/origin/main", job.base)

    ran = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", "\n".join(template["script"])],
        cwd=job.repository,
        env={
            **os.environ,
            **template["variables"],
            "PATH": f"{program.parent}:{os.environ['PATH']}",
            "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
            "KOPSLINT_OPTIONS": "--commands=order.sh",
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 1, ran.stderr
    assert "error[KL301]" in ran.stdout
    assert template["artifacts"]["when"] == "always"
    reports = template["artifacts"]["reports"]
    quality = json.loads((job.repository / reports["codequality"]).read_text("utf-8"))
    assert "KL301" in {issue["check_name"] for issue in quality}
    assert "KL301" in (job.repository / reports["junit"]).read_text("utf-8")


def test_the_job_on_gitlab_asks_for_what_to_install() -> None:
    """No name is taken for granted that somebody else may own."""
    template = yaml.safe_load((ROOT / "ci/gitlab.yml").read_text("utf-8"))["kopslint"]
    install = template["before_script"][2]

    ran = subprocess.run(
        ["bash", "-c", install],
        env=template["variables"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode != 0
    assert "set KOPSLINT_LOCK to the lock of a release" in ran.stderr
    assert "--require-hashes --only-binary=:all:" in install


def test_the_image_is_made_of_what_the_wheel_is_made_of() -> None:
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    kept = {line[1:] for line in ignored if line.startswith("!")}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]

    assert kept == {
        "pyproject.toml",
        project["project"]["readme"],
        *project["project"]["license-files"],
        *wheel["packages"],
        *wheel["force-include"],
        "ci/locks",
    }
    assert [name for name in kept if not (ROOT / name).exists()] == []


def test_the_image_runs_kopslint_without_rights() -> None:
    lines = (ROOT / "Dockerfile").read_text("utf-8").splitlines()

    assert "USER kopslint" in lines
    assert lines[-1] == 'ENTRYPOINT ["kopslint"]'
