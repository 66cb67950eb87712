from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

from scripts import ROOT
from scripts.demo import deployment as demo_deployment
from scripts.demo.deployment import Progress, exclusive, fingerprint
from scripts.engines.ministack import SAVED, forget
from scripts.process.entry_point import ToolError
from scripts.terraform.stack import Stack, TerraformError, emulator_variables

APPLY = """\
data.aws_partition.current: Reading...
data.aws_partition.current: Read complete after 0s [id=aws]
Plan: 3 to add, 1 to change, 0 to destroy.
module.key.aws_kms_key.this: Creating...
module.uploads.aws_sqs_queue.dlq[0]: Creating...
module.key.aws_kms_key.this: Still creating... [10s elapsed]
module.key.aws_kms_key.this: Creation complete after 13s [id=d35bbe58]
module.bus.aws_cloudwatch_event_rule.this["image-deleted"]: Modifying... [id=demo/image-deleted]
module.bus.aws_cloudwatch_event_rule.this["image-deleted"]: Modifications complete after 0s [id=demo/image-deleted]
""".splitlines()


def test_progress_shows_pending_resources() -> None:
    progress = Progress()
    assert progress.describe() == "Terraform plans what to make"
    for line in APPLY:
        progress.read(line)
    assert progress.planned == 4
    assert progress.done == 2
    assert progress.describe() == "Terraform: 2 of 4 resources, waiting for uploads.aws_sqs_queue.dlq[0]"
    progress.read("module.images.aws_dynamodb_table.this: Creating...")
    assert progress.describe().endswith(" and 1 more")
    progress.read("module.images.aws_dynamodb_table.this: Creation complete after 0s")
    progress.read("module.uploads.aws_sqs_queue.dlq[0]: Creation complete after 25s")
    assert progress.describe() == "Terraform: 4 of 4 resources"


def test_fingerprint_changes_with_the_inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / "project"
    for part in ("terraform", "events", "requirements"):
        shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"))
    (copy / "build").mkdir()
    monkeypatch.setattr(demo_deployment, "ROOT", copy)
    manifest = copy / "build" / "manifest.json"
    manifest.write_text("{}")
    variables = emulator_variables("demo") | {"artifacts": "../build/manifest.json"}
    seen = [fingerprint(variables)]
    for file in (
        copy / "terraform" / "6_record.tf",
        copy / "terraform" / "record_image.asl.json",
        copy / "terraform" / "modules" / "queue" / "main.tf",
        copy / "events" / "image_deleted" / "pattern.json",
        manifest,
    ):
        file.write_text(file.read_text() + "\n")
        seen.append(fingerprint(variables))
    seen.append(fingerprint(variables | {"name": "other"}))
    assert len(set(seen)) == len(seen)
    (copy / "terraform" / "terraform.tfstate").write_text("{}")
    (copy / "terraform" / "README.md").write_text("something else")
    assert fingerprint(variables) == seen[-2]


def test_only_one_demo_runs_in_a_directory(tmp_path: Path) -> None:
    with exclusive(tmp_path):
        with pytest.raises(ToolError, match="another demo runs"), exclusive(tmp_path):
            pass
        with exclusive(tmp_path / "other"):
            pass
    with exclusive(tmp_path):
        pass


def test_forget_removes_all_state(tmp_path: Path) -> None:
    for name in ("state/sqs.json", "s3/000000000000/bucket/key", SAVED, "port", "terraform/terraform.tfstate"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    forget(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["terraform"]
    forget(tmp_path)


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """Return a stack whose Terraform is a script that starts a provider and waits; the provider does not end."""
    program = tmp_path / "bin" / "terraform"
    program.parent.mkdir()
    program.write_text(
        f"#!{sys.executable}\n"
        "import os, subprocess, sys, time\n"
        "if sys.argv[1] == 'fail':\n"
        "    sys.exit(print('planning...\\nError: it is wrong\\n  on main.tf line 1') or 1)\n"
        "if sys.argv[1] == 'wait':\n"
        "    open(os.environ['TMPDIR'] + '/plugin1', 'w')\n"
        "    provider = subprocess.Popen(['sleep', '600'], stdout=subprocess.DEVNULL)\n"
        "    print(provider.pid, flush=True)\n"
        "    time.sleep(600)\n"
        "print('one', *sys.argv[1:], sep='\\n')\n"
    )
    program.chmod(0o755)
    stack = Stack(tmp_path, {}, {})
    stack.folder.mkdir()
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    monkeypatch.setattr(stack, "_process_environment", {**os.environ, "PATH": path})
    monkeypatch.setenv("PATH", path)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    return stack


def test_output_of_terraform_is_passed_by_line(stack: Stack) -> None:
    lines: list[str] = []
    assert stack.run("apply", "-x", on_line=lines.append) == "one\napply\n-no-color\n-x\n"
    assert lines == ["one", "apply", "-no-color", "-x"]


def test_error_has_only_terraforms_error(stack: Stack) -> None:
    with pytest.raises(TerraformError) as error:
        stack.run("fail")
    assert str(error.value) == "terraform fail failed:\nError: it is wrong\n  on main.tf line 1\n"


def gone(pid: int) -> bool:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        state = subprocess.run(
            ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
        ).stdout
        if not state.strip() or state.startswith("Z"):
            return True
        time.sleep(0.05)
    return False


def test_interrupt_ends_terraform_and_its_providers(stack: Stack) -> None:
    providers: list[int] = []
    main = threading.main_thread().ident
    assert main is not None

    def interrupt_later(line: str) -> None:
        providers.append(int(line))
        threading.Timer(0.2, signal.pthread_kill, (main, signal.SIGINT)).start()

    with pytest.raises(KeyboardInterrupt):
        stack.run("wait", on_line=interrupt_later)
    assert gone(providers[0])
    assert list(Path(tempfile.gettempdir()).iterdir()) == []
