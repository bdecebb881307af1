"""How Sphinx builds the site: ``make docs``, without a network."""

from __future__ import annotations

import os
import warnings
from contextlib import redirect_stdout, suppress
from io import StringIO
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator

import amdnet_matminer
from amdnet_matminer.cli.main import COMMANDS
from amdnet_matminer.cli.main import main as amdnet

# The examples need no GPU, and what TensorFlow says of the processor is of no use on a page.
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["COLUMNS"] = "88"  # of what commands say
warnings.filterwarnings("ignore", message="FigureCanvasAgg is non-interactive")

project = "amdnet_matminer"
author = "amdnet_matminer developers"
project_copyright = author
release = amdnet_matminer.__version__
version = release

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["gallery", "_commands.md"]
suppress_warnings = ["config.cache"]  # the gallery's settings hold functions
nitpicky = False  # the sites of other projects are not asked where their names are

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
copybutton_exclude = ".linenos, .gp, .go"

autosummary_generate = True
autosummary_ignore_module_all = False
autodoc_class_signature = "mixed"
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
autodoc_inherit_docstrings = True
autodoc_preserve_defaults = True
maximum_signature_line_length = 80
toc_object_entries_show_parents = "hide"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_preprocess_types = True
napoleon_use_rtype = False
napoleon_use_ivar = True
napoleon_attr_annotations = False
napoleon_custom_sections = [("Features", "notes_style")]

sphinx_gallery_conf = {
    "examples_dirs": "gallery",
    "gallery_dirs": "auto_gallery",
    "filename_pattern": r"/plot_",
    "within_subsection_order": "FileNameSortKey",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "min_reported_time": 0,
    "remove_config_comments": True,
    "show_memory": False,
    "show_signature": False,
    "write_computation_times": False,
}

html_theme = "pydata_sphinx_theme"
html_title = "amdnet_matminer"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_sidebars = {"start": [], "science": []}  # sections of one page
html_theme_options = {
    "header_links_before_dropdown": 6,
    "navigation_with_keys": False,
    "show_prev_next": True,
    "show_toc_level": 2,
    "footer_start": ["copyright"],
    "footer_end": [],
    "navbar_end": ["theme-switcher"],
}
html_context = {"default_mode": "auto"}
html_math_renderer = "mathml"


def setup(app: Sphinx) -> None:
    """Let browsers draw equations themselves, so that no script has to be fetched for them."""
    app.add_html_math_renderer("mathml", (_inline_equation, None), (_equation, None))
    app.connect("builder-inited", _write_commands)
    app.connect("autodoc-skip-member", _is_of_others)


def _write_commands(app: Sphinx) -> None:
    """What each command says of itself, for api/commands.md."""
    said = []
    for name in COMMANDS:
        with redirect_stdout(StringIO()) as text, suppress(SystemExit):
            amdnet([name, "--help"])
        said.append(f"## amdnet {name}\n\n```text\n{text.getvalue()}```\n")
    Path(app.srcdir, "_commands.md").write_text("\n".join(said), encoding="utf-8")


def _is_of_others(app: Sphinx, what: str, name: str, member: Any, *_: Any) -> bool | None:
    """What classes have from scikit-learn is documented there, in terms of its own site."""
    return True if str(getattr(member, "__module__", "")).startswith("sklearn.") else None


def _inline_equation(self: HTML5Translator, node: nodes.math) -> None:
    self.body.append(tex2mathml(node.astext()))
    raise nodes.SkipNode


def _equation(self: HTML5Translator, node: nodes.math_block) -> None:
    attributes: dict[str, Any] = {"CLASS": "equation"}
    self.body.append(self.starttag(node, "div", **attributes))
    if node["number"]:
        self.body.append(f'<span class="eqno">({get_node_equation_number(self, node)})</span>')
    self.body.append(tex2mathml(node.astext(), as_block=True))
    self.body.append("</div>\n")
    raise nodes.SkipNode
