"""Links within the site that lead nowhere are found."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parent.parent / "docs" / "check_links.py"
OTHER = '<h1 id="a place">Other</h1><a name="old"></a>'


@pytest.fixture
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_links", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def site(tmp_path: Path) -> Callable[[str], Path]:
    """Write a site of two pages, a picture and a page of the theme; the first page's body is given."""

    def write(body: str) -> Path:
        (tmp_path / "guide").mkdir()
        (tmp_path / "guide" / "index.html").write_text(OTHER)
        (tmp_path / "picture.png").write_bytes(b"1")
        (tmp_path / "_static").mkdir()
        (tmp_path / "_static" / "macros.html").write_text('<a href="{{ nowhere }}">of the theme</a>')
        (tmp_path / "index.html").write_text(body)
        return tmp_path

    return write


@pytest.mark.parametrize(
    "link",
    [
        "#",
        "#top",
        "guide/index.html",
        "guide/",
        "/guide/index.html#old",
        "guide/index.html#a%20place",
        "picture.png?v=2",
        "https://example.org/nowhere",
        "//example.org/nowhere",
        "mailto:a@example.org",
        "data:image/png;base64,AA",
    ],
)
def test_a_link_that_leads_somewhere(script: ModuleType, site: Callable, link: str) -> None:
    folder = site(f'<p id="top"><a href="{link}">x</a><img src="{link}"></p>')
    assert script.broken_links(folder) == []
    assert script.main(folder) == 0


@pytest.mark.parametrize(
    ("tag", "reason"),
    [
        ('<a href="gone.html">', "gone.html (no such file)"),
        ('<img src="gone.png">', "gone.png (no such file)"),
        ('<script src="../index.html"></script>', "../index.html (no such file)"),
        ('<a href="#gone">', "#gone (no such place on the page)"),
        ('<a href="guide/index.html#top">', "guide/index.html#top (no such place on the page)"),
    ],
)
def test_a_link_that_leads_nowhere(
    script: ModuleType, site: Callable, capsys: pytest.CaptureFixture[str], tag: str, reason: str
) -> None:
    folder = site(f'<p id="top">{tag}</p>')
    assert script.broken_links(folder) == [f"index.html: {reason}"]
    assert script.main(folder) == 1
    assert "1 broken links on 2 pages" in capsys.readouterr().out


def test_no_site(script: ModuleType, tmp_path: Path) -> None:
    assert script.main(tmp_path / "nothing") == 1
