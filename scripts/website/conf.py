"""Settings of the website for Sphinx. Its pages and their order are read from the documents."""

import os
import re
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent

project = "Darkroom"
html_title = project
copyright = "Darkroom's authors, Apache 2.0"  # noqa: A001 - Sphinx's name

extensions = [
    "myst_parser",
    "sphinx_copybutton",
    "sphinxcontrib.mermaid",
    "scripts.website.source_pages",
    "scripts.website.navigation",
]

# The documents stay where they are, next to what they describe.
root_doc = "README"
include_patterns = ["*.md", "*/README.md", "docs/**.md", "terraform/**.md"]
exclude_patterns = ["**/.*", ".*", "build", "**/node_modules"]

myst_fence_as_directive = ["mermaid"]
myst_heading_anchors = 4  # for links to #headings, as on GitHub
myst_links_external_new_tab = False

# Pygments does not know all of Terraform's grammar. tests/tools/documents parses the examples.
suppress_warnings = ["misc.highlighting_failure"]

html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {"navigation_with_keys": True}

# build_site.py installs Mermaid if there is npm. Otherwise the pages load the same version from the network.
mermaid_version = re.search(r'"mermaid": "([^"]+)"', (HERE / "package.json").read_text())[1]  # type: ignore[index]
if os.environ.get("MERMAID"):
    html_static_path.append(os.environ["MERMAID"])
    mermaid_use_local = "mermaid.esm.min.mjs"
mermaid_height = "auto"
mermaid_fullscreen = False
