"""A reader who types every command of a document in one shell gets through."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import typer

from darkroom.cli import app
from scripts import ROOT
from tests.tools.documents.commands import subcommands
from tests.tools.documents.reading import DOCUMENTS, blocks, name
from tests.tools.documents.sessions import Call, SessionError, run, verify

if TYPE_CHECKING:
    from pathlib import Path

# Documents for readers who have done nothing before.
FRESH = {"README.md", "docs/getting-started.md"}

# Documents that are read one after the other, with one `terraform.tfvars`.
TUTORIAL = ["getting-started", "try-it", "observe", "operate", "deploy"]

WITH_COMMANDS = [path for path in DOCUMENTS if any(block.language == "sh" for block in blocks(path.read_text()))]


def session(directory: Path, *texts: str, fresh: bool = False) -> list[Call]:
    calls = run(texts, directory, fresh=fresh)
    verify(calls, directory / "checkout", fresh=fresh)
    return calls


@pytest.mark.parametrize("document", WITH_COMMANDS, ids=name)
def test_document_is_a_session(document: Path, tmp_path: Path) -> None:
    assert session(tmp_path, document.read_text(), fresh=name(document) in FRESH)


def test_tutorial_is_one_session(tmp_path: Path) -> None:
    texts = [(ROOT / "docs" / f"{page}.md").read_text() for page in TUTORIAL]
    calls = session(tmp_path, *texts, fresh=True)
    assert len([call for call in calls if call.program == "settings"]) >= 5
    assert len([call for call in calls if call.arguments == ["-chdir=terraform", "apply"]]) >= 5


def test_every_subcommand_is_documented(tmp_path: Path) -> None:
    group = typer.main.get_command(app)
    assert isinstance(group, typer.core.TyperGroup)
    calls = run([path.read_text() for path in WITH_COMMANDS], tmp_path, fresh=False)
    documented = [call.arguments for call in calls if call.program == "darkroom"]
    for words in subcommands(group):
        assert any(arguments[: len(words)] == list(words) for arguments in documented), words


def sh(commands: str) -> str:
    return f"```sh\n{commands}\n```\n"


def hcl(settings: str) -> str:
    return f"```hcl\n{settings}\n```\n"


@pytest.mark.parametrize(
    "text",
    [
        sh("make init\nterraform -chdir=terraform apply"),
        sh("cd terraform\nterraform apply"),
        sh("cd terraform") + sh("cd ..\nmake package"),
        sh("export DARKROOM_NAME=darkroom") + sh("darkroom doctor"),
        sh(". .venvs/dev/bin/activate") + sh("python scripts/check_published.py --publish"),
        hcl("api = { logs = true }") + sh("terraform -chdir=terraform apply") + hcl("api = { logs = false, page = 1 }"),
        "Write this into `xray.json`:\n\n```json\n{}\n```\n"
        + sh("aws xray put-resource-policy --policy-name darkroom --policy-document file://xray.json"),
    ],
)
def test_good_sessions_pass(text: str, tmp_path: Path) -> None:
    assert session(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (sh("cd terraform") + sh("make package"), "there is no Makefile in"),
        (sh("cd terraform") + sh("make package\nterraform apply"), "there is no Makefile in"),
        (sh("cd terraform\n.venvs/dev/bin/darkroom doctor"), "No such file or directory"),
        (sh("cd terraform\n.venvs/dev/bin/python scripts/render.py"), "No such file or directory"),
        (
            sh(". .venvs/dev/bin/activate\ncd docs") + sh("python scripts/render.py docs"),
            "there is no scripts/render.py",
        ),
        (sh("terraform apply"), "there is no Terraform configuration in"),
        (sh("cd terraform") + sh("terraform -chdir=terraform apply"), "there is no Terraform configuration in"),
        (sh("cd terrafrom"), "terrafrom: No such file or directory"),
        (sh("python scripts/render.py docs"), "this Python has no packages"),
        (sh("darkroom doctor"), "Missing option '--name'"),
        (sh("make demos"), "the Makefile has no {'demos'}"),
        (sh("terraform -chdir=terraform output -raw bucket"), "has no output {'bucket'}"),
        (
            sh("cd docs\naws xray put-resource-policy --policy-name a --policy-document file://a.json"),
            "there is no a.json",
        ),
        (sh('aws s3 ls "s3://$BUCKET"'), "BUCKET: unbound variable"),
        (sh("export AWS_REGION=us-east-1") + sh("darkroom doctor --name darkroom"), "is not the pipeline's region"),
        (sh("terraform -chdir=terraform apply -var name=darkroom"), "would drop what `-var` sets"),
        (
            sh("terraform -chdir=terraform/examples/api_account_logging apply -var region=eu-central-1"),
            "there was no `terraform init`",
        ),
        (
            sh(
                "terraform -chdir=terraform/examples/api_account_logging init\n"
                "terraform -chdir=terraform/examples/api_account_logging apply"
            ),
            "does not set {'region'}",
        ),
        (hcl("api = { logs = true }") + hcl("api = { try_page = true }"), "`api.logs` was set before and is dropped"),
        (
            sh("make init")
            + hcl("reconcile = { repair = true }")
            + sh("echo 'name = \"other\"' > terraform/terraform.tfvars\nmake package"),
            "`region` was set before and is dropped",
        ),
    ],
)
def test_bad_sessions_fail(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(SessionError, match=re.escape(message)):
        session(tmp_path, text)


@pytest.mark.parametrize(
    "text",
    [
        sh("terraform -chdir=terraform apply"),
        sh("echo 'name = 1\nregion = 2' > terraform/terraform.tfvars\nterraform -chdir=terraform apply"),
        sh("make package\nmake init\nterraform -chdir=terraform apply"),
    ],
)
def test_fresh_reader_needs_preparation(text: str, tmp_path: Path) -> None:
    with pytest.raises(SessionError, match=r"name and region|make package|make init"):
        session(tmp_path, text, fresh=True)


def test_fresh_reader_must_install_the_command(tmp_path: Path) -> None:
    with pytest.raises(SessionError, match="darkroom: command not found"):
        session(tmp_path, sh("darkroom doctor --name darkroom"), fresh=True)
