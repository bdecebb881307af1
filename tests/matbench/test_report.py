"""The report as a page, in a browser, and as Markdown."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from amdnet_matminer.matbench.report import duration, with_spread

pytest.importorskip("matplotlib", reason="needs matplotlib, the plots extra")

WIDTHS = {"desktop": 1280, "phone": 390}


class Links(HTMLParser):
    """Collects what a page refers to, and the texts of its pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.alternatives: list[str | None] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value or "" for name, value in attrs if name in ("href", "src", "data", "action")]
        if tag == "img":
            self.alternatives.append(dict(attrs).get("alt"))


@pytest.fixture
def report(run: Callable, complete: Path, few_trees: None, tmp_path: Path) -> Path:
    """Of a regression and a classification, by two models each, one with all folds."""
    for task in ("matbench_jdft2d", "matbench_mp_is_metal"):
        assert run("--model", "mean", task=task) == 0
        assert run("--model", "rf-magpie", "--fold", "1", task=task) == 0
    return tmp_path / "out" / "report.html"


def test_the_page_has_all_in_it(report: Path) -> None:
    text = report.read_text()
    page = Links()
    page.feed(text)
    assert all(link.startswith(("#", "data:image/svg+xml;base64,")) for link in page.links)
    assert len(page.alternatives) == 4 * 2
    assert all(page.alternatives)
    assert "url(" not in text
    assert "@import" not in text
    assert '<tr class="own"><td>–</td><td>RF-Magpie (this run, fold 1 only)</td>' in text
    assert "<td>33.1918 ± 7.3428</td>" in text
    assert "Mean-value: ROC-AUC of the probabilities 0.5000" in text
    kinds = [int(n) for n in re.findall(r"<td>(?:metal oxide|no metal)</td><td>(\d+)</td>", text)]
    assert sum(kinds) == 2 * (30 + 6)


def test_the_page_says_how_it_was_made(report: Path) -> None:
    text = re.sub(r"\s+", " ", report.read_text())
    heads = ("model", "epochs", "networks", "seed", "date", "revision", "device", "versions")
    assert "".join(f"<th>{head}</th>" for head in heads) in text
    row = re.search(r"<tr><td>RF-Magpie</td><td>–</td><td>–</td><td>0</td>(.*?)</tr>", text)[1]
    assert re.search(r"<td>20\d\d-\d\d-\d\d</td>.*<td>cpu</td><td>python 3\.\d+\.\d+, .*scikit-learn \d", row)


def test_markdown(report: Path) -> None:
    lines = report.with_suffix(".md").read_text().splitlines()
    assert len({line.count("|") for line in lines[:6]}) == 1
    assert re.match(
        r"\| jdft2d \| RF-Magpie \| no \| [\d.]+ meV/atom \| fold 1 only \| all \| – \| 33.19 \(MOD",
        lines[2],
    )
    assert re.match(
        r"\| mp_is_metal \| Mean-value \| no \| 0.5000 ± 0.0000 ROC-AUC \| all folds \| all \| 14 of 14 \|",
        lines[5],
    )


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless browser that is installed."""
    driver = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install playwright")
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("no chromium or google-chrome is installed")
    with driver.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
def test_in_a_browser(report: Path, browser: Any, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800})
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(report.as_uri())
    page.eval_on_selector_all("details", "all => all.forEach(one => one.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    pictures = page.eval_on_selector_all("img", "all => all.map(i => [i.complete, i.naturalWidth, i.width])")
    assert len(pictures) == 8
    assert all(complete and natural > 0 and shown > 200 for complete, natural, shown in pictures)
    assert page.evaluate("parseFloat(getComputedStyle(document.querySelector('td')).fontSize)") >= 14
    page.click("nav a >> text=mp_is_metal")
    assert page.evaluate("document.querySelector('#matbench_mp_is_metal').getBoundingClientRect().top") < 800
    assert not complaints
    assert all(url.startswith(("file:", "data:")) for url in asked)
    page.close()


def test_without_matplotlib__says_how_to_get_it(
    run: Callable, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Any
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    assert run("--model", "mean") == 0
    assert (
        "pictures need matplotlib; install it with pip install 'amdnet-matminer[plots]'"
        in capsys.readouterr().err
    )
    assert not (tmp_path / "out" / "report.html").exists()


@pytest.mark.parametrize(
    ("seconds", "text"), [(12, "12 s"), (89, "89 s"), (90, "1.5 min"), (3 * 3600, "3.0 h"), (2e5, "2.3 d")]
)
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("mean", "std", "n", "text"),
    [
        (0.026016, 0.0000618, 2, "0.02602 ± 0.00006"),
        (21.9, 1.65, 5, "21.90 ± 1.65"),
        (1234.5, 10.4, 5, "1234 ± 10"),
        (0.92509, 0, 1, "0.9251"),
    ],
)
def test_a_spread_has_as_many_decimals_as_its_mean(mean: float, std: float, n: int, text: str) -> None:
    assert with_spread(mean, std, n) == text
