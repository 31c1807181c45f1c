"""Settings of the site that `make site` builds from the Markdown of this folder.

The sources are plain Markdown that a forge shows as it is, so they contain no lists for
Sphinx. The navigation comes from the links: the children of `manual.md` are the pages in
`manual/` to which it links, in this order, and those of `index.md` are the pages beside it.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

project = "asyncmachine"
html_title = "asyncmachine"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.viewcode"]
html_theme = "furo"
html_show_copyright = False
html_copy_source = False
smartquotes = False

myst_heading_anchors = 6

# Several classes have a field `type`; which of them a link means cannot be known.
suppress_warnings = ["ref.python"]

# A docstring has code in single backticks, as in Markdown.
default_role = "code"
autodoc_typehints_format = "short"
autodoc_default_options = {"member-order": "alphabetical"}

PARENTS = {"index": "", "manual": "manual/", "recipes": "recipes/", "api": "api/"}
"""The pages that have children, and the folder of these."""


def children(page: str, text: str) -> list[str]:
    """The pages in the folder of a page to which it links, each once."""
    linked = re.findall(rf"\]\(({PARENTS[page]}[\w-]+)\.md\)", text)
    return list(dict.fromkeys(linked))


def add_navigation(app: Sphinx, page: str, source: list[str]) -> None:
    """Give a parent a hidden list of its children."""
    if page in PARENTS:
        rows = "\n".join(children(page, source[0]))
        source[0] += f"\n```{{toctree}}\n:hidden:\n\n{rows}\n```\n"


def show_code(
    app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]
) -> None:
    """Mark the indented code in a docstring as code; otherwise it would be a quotation."""
    marked: list[str] = []
    before = ""
    for line in lines:
        if line.startswith("    ") and not before.startswith("    ") and marked[-1:] == [""]:
            marked += ["::", ""]
        marked.append(line)
        before = line or before
    lines[:] = marked


def setup(app: Sphinx) -> None:
    """Connect the steps of the build."""
    from pygments.lexers.special import TextLexer

    app.add_lexer("hex", TextLexer)
    app.connect("source-read", add_navigation)
    app.connect("autodoc-process-docstring", show_code)
