"""The checker of `.tfvars` files and module calls, on files with and without typos."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

from scripts import ROOT
from scripts.check_tfvars import check, files, main, own_files
from scripts.process.entry_point import ToolError

if TYPE_CHECKING:
    from pathlib import Path

VARIABLES = """
variable "name" {
  type = string
}

variable "anything" {
  type = any
}

variable "untyped" {}

variable "labels" {
  type = map(string)
}

variable "observe" {
  type = object({
    alarm_topic_arns = optional(list(string), [])
    budget           = optional(object({ usd = number, emails = optional(set(string), []) }))
    dlq              = optional(object({ max_receive_count = optional(number, 5) }), {}) # a comment
  })
}

variable "variants" {
  type = list(object({
    name      = string
    watermark = optional(object({ text = optional(string), image = optional(string) }))
  }))
}

variable "rules" {
  type = map(object({ pattern = string, targets = optional(list(object({ arn = string })), []) }))
}

variable "pair" {
  type = tuple([string, object({ left = string })])
}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a configuration with variables of every kind of type."""
    (tmp_path / "variables.tf").write_text(VARIABLES)
    return tmp_path


def found(file: Path, text: str) -> list[tuple[int, str]]:
    """Write a file and return line and message of what is found in it."""
    file.write_text(textwrap.dedent(text))
    return [(finding.line, finding.message) for finding in check(file)]


@pytest.mark.parametrize(
    ("text", "line", "parts"),
    [
        pytest.param(
            'observe = {\n  alarm_topic_arn = ["a"]\n}',
            2,
            ("observe.alarm_topic_arn", "observe, so Terraform", "Did you mean alarm_topic_arns?"),
            id="attribute",
        ),
        pytest.param(
            'name = "a"\n\nvariants = [{ name = "a" }, {\n  name = "b"\n  watermrk = { text = "x" } }]',
            5,
            ("variants[1].watermrk", "variants[1], so", "Did you mean watermark?"),
            id="object in a list",
        ),
        pytest.param(
            "observe = { dlq = { max_recieve_count = 3 } }",
            1,
            ("observe.dlq.max_recieve_count", "Did you mean max_receive_count?"),
            id="object in an object",
        ),
        pytest.param(
            'rules = {\n  one = { pattern = "{}" }\n  two = { pattern = "{}", target = [] }\n}',
            3,
            ('rules["two"].target ', "Did you mean targets?"),
            id="object in a map",
        ),
        pytest.param(
            'rules = { "a b" = { pattern = "{}", targets = [{ arn = "a" }, { arm = "b" }] } }',
            1,
            ('rules["a b"].targets[1].arm ', "Did you mean arn?"),
            id="object in a list in a map",
        ),
        pytest.param('pair = ["a", { lefd = "x" }]', 1, ("pair[1].lefd", "Did you mean left?"), id="tuple"),
        pytest.param('observe = { "dlg" = {} }', 1, ("observe.dlg ", "Did you mean dlq?"), id="quoted key"),
        pytest.param("observe = { dlg : {} }", 1, ("observe.dlg ",), id="colon"),
        pytest.param("observe = { zzzzz = 1 }", 1, ("Use one of alarm_topic_arns, budget, dlq.",), id="nothing near"),
        pytest.param('nmae = "x"', 1, ("nmae is not a variable", "Did you mean name?"), id="variable"),
        pytest.param("observe = (true ? { dlg = {} } : null)", 1, ("observe.dlg ",), id="condition"),
        pytest.param("observe = merge(local.usual, { dlg = {} })", 1, ("observe.dlg ",), id="merge"),
        pytest.param("observe = { for = 1 }", 1, ("observe.for ",), id="keyword"),
        pytest.param(
            'rules = { for one in ["a"] : one => { patern = one } }',
            1,
            ("rules[*].patern", "Did you mean pattern?"),
            id="for in a map",
        ),
        pytest.param('variants = [for one in ["a"] : { nam = one }]', 1, ("variants[*].nam",), id="for in a list"),
        pytest.param(
            "#\n/* two\n{ nested = } */\nobserve = {\n  //\n  budget = {\n    usd = 5 #\n    email = []\n  }\n}",
            8,
            ("observe.budget.email ", "Did you mean emails?"),
            id="comments",
        ),
        pytest.param(
            'labels = {\n  text = <<-EOT\n    { dlg = 1 }\n  EOT\n  b = "${upper("}")}"\n}\nobserve = { dlg = 1 }',
            7,
            ("observe.dlg ",),
            id="heredoc and template",
        ),
    ],
)
def test_typo_is_reported_with_line_and_near_name(folder: Path, text: str, line: int, parts: tuple[str, ...]) -> None:
    ((reported, message),) = found(folder / "my.tfvars", text + "\n")
    assert reported == line
    for part in parts:
        assert part in message


def test_correct_values_are_accepted(folder: Path) -> None:
    assert not found(
        folder / "my.tfvars",
        """\
        name     = "x"
        anything = { any_name = [{ deep = 1 }] }
        untyped  = { any_name = 1 }
        labels   = { any = "key", "other key" = "b" }
        observe = {
          alarm_topic_arns = ["a"], budget = { usd = 1 },
          dlq = null
        }
        variants = [{ name = "a", watermark = { text = "{ x = 1 }" } }]
        rules    = { any_key = { pattern = jsonencode({ "detail-type" = ["x"] }), targets = [{ arn = "a" }] } }
        pair     = ["a", { left = "b" }]""",
    )


@pytest.mark.parametrize(
    "value",
    ["var.settings", "local.usual.dlq", 'yamldecode(file("x"))', "{ (var.key) = 1 }", '{ "${var.key}" = 1 }', "null"],
)
def test_other_expressions_are_skipped(folder: Path, value: str) -> None:
    assert not found(folder / "my.tfvars", f"observe = {value}\n")


def test_json_typo_is_reported_with_its_line(folder: Path) -> None:
    text = """\
    {
      "name": "a \\"quoted\\" {name}: \\u00e4,",
      "observe": {"budget": {"usd": 1.5e3, "emails": [], "email": ["x"]},
                  "dlq": null,
        "alarm_topic_arn": ["a", "b"]},
      "labels": {},
      "variants": [{"name": "a"}
        , {"name": "b", "watermrk": {"text": true}}],
      "nmae": -1
    }"""
    assert [(line, message.split(" is not")[0]) for line, message in found(folder / "my.tfvars.json", text)] == [
        (3, "observe.budget.email"),
        (5, "observe.alarm_topic_arn"),
        (8, "variants[1].watermrk"),
        (9, "nmae"),
    ]


def test_json_and_hcl_have_the_same_findings(folder: Path) -> None:
    value = {"observe": {"dlg": {}, "budget": {"us": 1}}, "rules": {"x": {"targets": [{"a": "x"}]}}, "n": []}
    hcl = "\n".join(f"{name} = {json.dumps(one)}" for name, one in value.items()) + "\n"
    messages = [message for _, message in found(folder / "my.tfvars", hcl)]
    assert messages == [message for _, message in found(folder / "my.tfvars.json", json.dumps(value))]
    assert len(messages) == 4


def test_module_call_is_compared_with_its_module(folder: Path) -> None:
    (folder / "call").mkdir()
    text = """\
    module "one" {
      source   = "./.."
      for_each = toset(["a"])
      name     = each.key
      observe  = { dlg = {} }
      variant  = []
    }

    module "other" {
      source  = "terraform-aws-modules/lambda/aws"
      observe = { dlg = {} }
    }
    """
    assert [(line, message.split(" is not")[0]) for line, message in found(folder / "call" / "main.tf", text)] == [
        (5, "module.one.observe.dlg"),
        (6, "module.one.variant"),
    ]


@pytest.mark.parametrize("suffix", ["?ref=v1", ""])
def test_call_by_git_is_compared_with_this_checkout(tmp_path: Path, suffix: str) -> None:
    source = f"git::https://github.com/someone/darkroom.git//terraform/modules/queue{suffix}"
    text = f'module "queue" {{\n  source = "{source}"\n  dlq = {{ max_recieve_count = 5 }}\n}}\n'
    ((line, message),) = found(tmp_path / "main.tf", text)
    assert line == 3
    assert message.startswith("module.queue.dlq.max_recieve_count is not")
    assert message.endswith("Did you mean max_receive_count?")


def test_default_is_compared_with_its_type(folder: Path) -> None:
    text = 'variable "x" {\n  type = object({ a = optional(number) })\n  default = { b = 1 }\n}\n'
    assert [line for line, _ in found(folder / "more.tf", text)] == [3]


def test_values_of_terraform_tests_are_compared(folder: Path) -> None:
    (folder / "tests").mkdir()
    (folder / "other").mkdir()
    (folder / "other" / "main.tf").write_text('variable "size" {\n  type = object({ width = number })\n}\n')
    text = """\
    variables {
      observe = { dlg = {} }
    }

    run "of_the_root" {
      variables {
        observe = { budgt = null }
      }
    }

    run "of_a_module" {
      module {
        source = "./other"
      }
      variables {
        size = { width = 1, heigth = 2 }
      }
    }
    """
    assert [
        (line, message.split(" is not")[0]) for line, message in found(folder / "tests" / "x.tftest.hcl", text)
    ] == [
        (2, "observe.dlg"),
        (7, "observe.budgt"),
        (16, "size.heigth"),
    ]


def test_examples_in_documents_are_compared(tmp_path: Path) -> None:
    text = """\
    # Title

    ```hcl
    observe = {
      alarm_topic_arn = "x"
    }
    ```

    1. In a list:

       ```hcl
       module "queue" {
         source = "git::https://example.com/darkroom.git//terraform/modules/queue?ref=<tag>"
         dlg    = null
       }
       ```

    ```hcl
    object({ dlg = string })
    ```
    """
    assert [line for line, _ in found(tmp_path / "page.md", text)] == [5, 14]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("my.tfvars", "observe = {\n", "is not valid HCL"),
        ("my.tfvars.json", '{"name": }', "is not valid JSON"),
        ("my.tfvars.json", "[]", "has to be a JSON object"),
        ("my.tfvars", "\udcff", "cannot be read"),
    ],
)
def test_invalid_file_is_an_error(folder: Path, name: str, text: str, said: str) -> None:
    (folder / name).write_text(text, errors="surrogateescape")
    with pytest.raises(ToolError, match=said):
        list(check(folder / name))


def test_values_default_to_the_root(tmp_path: Path) -> None:
    ((_, message),) = found(tmp_path / "prod.tfvars", "observe = { alarm_topic_arn = [] }\n")
    assert message.endswith("Did you mean alarm_topic_arns?")


def test_folder_means_what_terraform_loads(tmp_path: Path) -> None:
    names = ("main.tf", "terraform.tfvars", "a.auto.tfvars.json", "tests/x.tftest.hcl")
    for name in (*names, "prod.tfvars", "notes.json", ".terraform/modules/x/main.tf"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert {file.relative_to(tmp_path).as_posix() for file in files(tmp_path)} == set(names)


def test_command_reports_each_problem_and_fails(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "a.tfvars").write_text("observe = { dlg = {} }\n")
    (folder / "b.tfvars").write_text("observe = {\n")
    assert main([str(folder / "a.tfvars"), str(folder / "b.tfvars")]) == 1
    said = capsys.readouterr()
    assert f"{folder}/a.tfvars:1: observe.dlg is not" in said.err
    assert f"{folder}/b.tfvars:" in said.err
    assert "2 files checked, 2 problems" in said.out


def test_command_refuses_a_missing_path(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([str(tmp_path / "none.tfvars")])


def test_command_runs_on_this_repository() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "check_tfvars.py"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_own_files_include_calls_tests_and_documents() -> None:
    own = {file.relative_to(ROOT).as_posix() for file in own_files()}
    assert {"terraform/3_buffer.tf", "terraform/tests/settings.tftest.hcl", "README.md"} <= own
    assert "terraform/modules/queue/examples/rule_to_queue/main.tf" in own
