import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from scripts.check_english import ROOT, RULES, Rules, check_text, texts

WORDS = [banned for rule in tomllib.loads(RULES.read_text())["banned"] for banned in rule["find"]]


@pytest.fixture(scope="module")
def rules() -> Rules:
    return Rules(tomllib.loads(RULES.read_text()))


@pytest.mark.parametrize("words", WORDS)
def test_every_banned_phrase_is_found(rules: Rules, words: str) -> None:
    found = check_text(rules, "docs/a.md", f"First line.\n\nIt is so: {words}, then.\n")

    assert (3, words) in {(finding.line, finding.words) for finding in found}


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        ("a.md", "Nothing is lost, Nobody calls.", "Nobody"),
        ("a.md", "A message goes by\nitself.", "by itself"),
        ("a.tf", "# It is sent for\n  # ever.", "for # ever"),
        ("a.py", "def test_queue_tells_both() -> None: ...", "tells"),
        ("a.py", 'raise ValueError("told twice")', "told"),
        ("a.tf", 'error_message = "The name must bear it."', "bear"),
        ("a.tftest.hcl", 'run "queue_is_mended" {', "mended"),
        ("a.yml", "name: Run it anew", "anew"),
        ("Makefile", "lock: ## Resolve anew", "anew"),
        ("a.html", "<p>This lacks a name.</p>", "lacks"),
        (".ci/run", "# by hand", "by hand"),
        ("a.json", '{"description": "`limit` is none."}', "is none"),
        ("a.md", "Of a HEIC every output is skipped.", "Of a HEIC"),
        ("a.md", "- What you add is kept.", "What you add"),
        ("a.md", "It ends. What is left is deleted.", "What is left"),
        ("a.md", "## What it costs", "What it costs"),
        ("a.md", "# See how it is doing", "See how it is doing"),
        ("a.py", "a = 1  # a\n# What is left.\n", "What is left."),
        ("a.tf", "# What the role may do.\n", "What the role"),
        ("a.tf", 'description = "How callers sign."', "How"),
        ("a.tf", "description = <<-EOT\n    Whether it is on.\n  EOT", "Whether"),
        ("a.json", '{"description": "Why it failed."}', "Why"),
        ("a.py", 'add_argument("x", help="where to write")', "where"),
        ("a.tftest.hcl", 'run "what_the_role_may_do" {', "what_the_role_may_do"),
        ("a.py", "def test_what_is_left() -> None: ...", "test_what_is_left"),
        ("a.py", f"def test_{'a' * 80}() -> None: ...", f"test_{'a' * 80}"),
        ("a.py", '"""Where the images are."""', "Where the images are."),
        ("a.py", 'class A:\n    """What a call returned."""', "What a call returned."),
        ("a.py", 'class A:\n    """Something that fails."""', "Something that fails."),
        ("a.py", 'class A:\n    @property\n    def b(self):\n        """How big it is."""', "How big it is."),
        ("a.py", 'A = 1\n"""How many there may be."""', "How many there may"),
        ("a.py", 'def f():\n    """The size in bytes."""', "The size in bytes."),
        ("a.py", 'def f():\n    """Returns the size."""', "Returns the size."),
        ("a.py", 'def f():\n    """Number of bytes."""', "Number of bytes."),
        ("a.py", 'async def f():\n    """A size."""', "A size."),
        ("a.py", 'if A:\n    class B:\n        def f(self):\n            """Whether it is."""', "Whether it is."),
        (
            "a.py",
            'def f():\n    """Return it.\n\n    Args:\n        size: How big it is.\n    """',
            "size: How big it is.",
        ),
    ],
)
def test_fault_is_found(rules: Rules, file: str, text: str, words: str) -> None:
    assert [finding.words for finding in check_text(rules, file, text)] == [words]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("a.py", "size = file.tell()"),
        ("a.py", "if limit is None: ..."),
        ("a.py", "STAND_IN = 1  # the bar stands for the maximum"),
        ("a.md", "The rest of the REST API: bearer tokens, `--storytelling`."),
        ("a.md", "## How to undo it\n\n## What does it cost?"),
        ("a.md", "**Is it fast?** Yes. What does it need?\nWhen S3 fails, it retries. Off the record."),
        ("a.py", '"""Images."""\n\nclass A:\n    """A size in bytes."""\n    b: int\n    """The size."""'),
        ("a.py", 'def f():\n    """Return the size.\n\n    Args:\n        x: Whether to do it.\n    """'),
        ("a.py", 'class A:\n    @property\n    def size(self):\n        """Size in bytes."""'),
        ("a.py", 'def test_overwrite_keeps_both_versions():\n    """An overwrite keeps both."""'),
        ("a.py", 'if what_is_it:\n    """"""'),
        ("a.tf", 'variable "what" {\n  description = "Seconds that a message is kept."\n}\n'),
        ("a.tftest.hcl", 'run "queue_needs_a_name" {\n'),
    ],
)
def test_plain_english_passes(rules: Rules, file: str, text: str) -> None:
    assert check_text(rules, file, text) == []


def test_finding_names_place_and_replacement(rules: Rules) -> None:
    (finding,) = check_text(rules, "docs/a.md", "One.\nIt lasts for ever.\n")

    assert str(finding) == "docs/a.md:2: “for ever”: write forever"


def test_new_files_are_checked_and_binaries_skipped(rules: Rules, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    (tmp_path / "new.md").write_text("tell")
    (tmp_path / "picture.png").write_bytes(b"tell\0")
    (tmp_path / "LICENSE").write_text("tell")

    assert list(texts(rules, tmp_path)) == [("new.md", "tell")]


def test_command_fails_when_it_finds_something(tmp_path: Path) -> None:
    for path in ("scripts/check_english.py", "scripts/english.toml"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text((ROOT / path).read_text())
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)

    def run() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(tmp_path / "scripts" / "check_english.py")]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    good = run()
    (tmp_path / "README.md").write_text("# Pictures\n\nIt tells you.\n")
    bad = run()

    assert (good.returncode, good.stdout) == (0, "0 findings\n")
    assert bad.returncode == 1
    assert bad.stdout.startswith("README.md:3: “tells”: write report")
