"""The READMEs of the Terraform modules say what their code says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from scripts.generated.documents import settle
from scripts.generated.modules import (
    TERRAFORM,
    Declaration,
    declarations,
    readmes,
    render,
)
from scripts.process.entry_point import ToolError

if TYPE_CHECKING:
    from pathlib import Path

MODULES = sorted(folder for folder in (TERRAFORM / "modules").iterdir() if folder.is_dir())
FOLDERS = [TERRAFORM, *MODULES]

README = """\
# shelf

Holds things.

<!-- example: one -->
<!-- /example -->

<!-- inputs -->
What was here before.
<!-- /inputs -->

<!-- outputs -->
<!-- /outputs -->

The end.
"""

VARIABLES = """\
# A comment before all.
variable "name" {
  description = "Name of the shelf, such as \\"<place>-*\\" or `<place>-*`."
  type        = string
  nullable    = false

  validation {
    condition     = length(var.name) > 0
    error_message = "A description = \\"trap\\"."
  }
}

variable "boards" {
  description = <<-EOT
    Boards by name;
    `width` is in mm.
  EOT
  type = map(object({
    width = optional(number, 800) # outside

    hooks = optional(list(string), [])
  }))
  default = {
    top = {}
  }
}

variable "colour" {
  description = "Its colour."
  type        = object({
    name = string
  })
  default = null
}

variable "tags" {
  description = "Tags of the shelf."
  type        = map(string)
  default     = {}
}
"""

OUTPUTS = """\
output "name" {
  description = "Name of the shelf."
  value       = var.name
}

output "width" {
  description = "Width of all boards, in mm."
  value       = sum(values(var.boards)[*].width)
}
"""

EXPECTED = """\
# shelf

Holds things.

<!-- example: one -->

```hcl
module "shelf" {
  source = "../.."
}
```

In another project, `source` is `git::https://github.com/<owner>/darkroom.git//terraform/modules/shelf?ref=<tag>`.

<!-- /example -->

<!-- inputs -->

- **`name`** (`string`, required): Name of the shelf, such as "\\<place>-\\*" or `<place>-*`.

- **`boards`**: Boards by name; `width` is in mm.

  ```hcl
  type = map(object({
    width = optional(number, 800) # outside

    hooks = optional(list(string), [])
  }))

  default = {
    top = {}
  }
  ```

- **`colour`** (default `null`): Its colour.

  ```hcl
  object({
    name = string
  })
  ```

- **`tags`** (`map(string)`, default `{}`): Tags of the shelf.

<!-- /inputs -->

<!-- outputs -->

- **`name`**: Name of the shelf.
- **`width`**: Width of all boards, in mm.

<!-- /outputs -->

The end.
"""


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """Return a module in its own folder."""
    folder = tmp_path / "modules" / "shelf"
    example = folder / "examples" / "one"
    example.mkdir(parents=True)
    (example / "main.tf").write_text('module "shelf" {\n  source = "../.."\n}\n', encoding="utf-8")
    (folder / "variables.tf").write_text(VARIABLES, encoding="utf-8")
    (folder / "outputs.tf").write_text(OUTPUTS, encoding="utf-8")
    (folder / "README.md").write_text(README, encoding="utf-8")
    return folder


def replace(folder: Path, name: str, old: str, new: str) -> None:
    file = folder / name
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_no_module_is_forgotten() -> None:
    assert [readme.parent for readme in readmes()] == FOLDERS


def test_only_the_blocks_of_a_readme_are_filled(shelf: Path) -> None:
    readme = shelf / "README.md"
    readme.write_text(render(readme), encoding="utf-8")
    assert readme.read_text(encoding="utf-8") == EXPECTED
    assert render(readme) == EXPECTED


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("variables.tf", "number, 800", "number, 900"), "+    width = optional(number, 900) # outside"),
        (("variables.tf", "Its colour.", "Its paint."), "+- **`colour`** (default `null`): Its paint."),
        (("outputs.tf", "in mm.", "in cm."), "+- **`width`**: Width of all boards, in cm."),
        (("examples/one/main.tf", '"../.."', '"../../"'), '+  source = "../../"'),
    ],
)
def test_change_of_the_code_is_reported_with_a_diff(
    shelf: Path, capsys: pytest.CaptureFixture[str], change: tuple[str, str, str], message: str
) -> None:
    readme = shelf / "README.md"
    readme.write_text(render(readme), encoding="utf-8")
    replace(shelf, *change)
    assert not settle(readme, render(readme), check=True)
    error = capsys.readouterr().err
    assert message in error.splitlines()
    assert readme.read_text(encoding="utf-8") == EXPECTED


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("README.md", "<!-- /inputs -->", ""), "0 blocks <!-- inputs -->"),
        (("README.md", "<!-- outputs -->\n<!-- /outputs -->", ""), "0 blocks <!-- outputs -->"),
        (("README.md", "<!-- example: one -->", ""), "0 blocks <!-- example -->"),
        (("README.md", "The end.", "<!-- outputs -->\n<!-- /outputs -->"), "2 blocks <!-- outputs -->"),
        (("README.md", "example: one", "example: two"), "there is no example"),
        (("README.md", "example: one", "example"), "there is no example"),
        (("variables.tf", '  description = "Its colour."\n', ""), 'variable "colour" has no description'),
        (("outputs.tf", "Name of the shelf.", " "), 'output "name" has no description'),
    ],
)
def test_missing_part_is_reported(shelf: Path, change: tuple[str, str, str], message: str) -> None:
    replace(shelf, *change)
    with pytest.raises(ToolError, match=re.escape(message)):
        render(shelf / "README.md")


def test_a_module_without_a_readme_is_an_error(shelf: Path) -> None:
    (shelf / "README.md").unlink()
    with pytest.raises(ToolError, match=re.escape(str(shelf / "README.md"))):
        render(shelf / "README.md")


def test_the_root_needs_no_example(shelf: Path) -> None:
    root = shelf.rename(shelf.parent.parent / "terraform")
    replace(root, "README.md", "<!-- example: one -->\n<!-- /example -->\n", "")
    assert render(root / "README.md")


def test_a_module_may_have_no_inputs_and_no_outputs(shelf: Path) -> None:
    (shelf / "variables.tf").unlink()
    (shelf / "outputs.tf").unlink()
    text = render(shelf / "README.md")
    assert "<!-- inputs -->\n\nNone.\n\n<!-- /inputs -->" in text
    assert "<!-- outputs -->\n\nNone.\n\n<!-- /outputs -->" in text


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_inputs_are_in_order(folder: Path) -> None:
    inputs = declarations(folder / "variables.tf", "variable")
    order = [("default" in variable.arguments, variable.name) for variable in inputs]
    assert order
    assert order == sorted(order)
    outputs = [output.name for output in declarations(folder / "outputs.tf", "output")]
    assert outputs == sorted(outputs)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_inputs_have_a_type_and_a_meaning_of_null(folder: Path) -> None:
    def speaks(variable: Declaration) -> bool:
        return variable.arguments.get("nullable") == "false" or "null" in variable.description.lower()

    inputs = declarations(folder / "variables.tf", "variable")
    assert [variable.name for variable in inputs if re.search(r"\bany\b", variable.arguments["type"])] == []
    assert [variable.name for variable in inputs if not speaks(variable)] == []


@pytest.mark.parametrize("folder", MODULES, ids=lambda folder: folder.name)
def test_example_is_complete_and_in_the_readme(folder: Path) -> None:
    examples = sorted((folder / "examples").iterdir())
    assert examples
    readme = (folder / "README.md").read_text(encoding="utf-8")
    for example in examples:
        code = (example / "main.tf").read_text(encoding="utf-8")
        assert 'source = "../.."' in code
        assert re.search(r"^provider ", code, re.MULTILINE) is None
        assert f"<!-- example: {example.name} -->" in readme or f"(examples/{example.name})" in readme
