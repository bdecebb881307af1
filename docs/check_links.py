"""Whether every link and picture within a built site leads somewhere; other sites are not asked.

python docs/check_links.py build/docs
"""

from __future__ import annotations

import sys
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """What a page refers to, and the places in it that can be referred to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.places: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag's link and name."""
        for name, value in attrs:
            if name in ("href", "src") and value:
                self.links.add(value)
            elif name == "id" or (name == "name" and tag == "a"):
                self.places.add(value or "")


@cache
def page_of(file: Path) -> Page:
    """A page, read once."""
    return Page(file.read_text(encoding="utf-8"))


def pages_of(site: Path) -> list[Path]:
    """The pages of a site, without those that its theme is made of."""
    return sorted(file for file in site.rglob("*.html") if "_static" not in file.parts)


def broken_links(site: Path) -> list[str]:
    """The links of a site's pages that lead nowhere.

    Args:
        site: Folder of the built site.

    Returns:
        ``page: link (reason)`` of each, sorted.
    """
    pages = pages_of(site)
    found = [(page, link, _fault(page, link, site)) for page in pages for link in sorted(page_of(page).links)]
    return [f"{page.relative_to(site)}: {link} ({fault})" for page, link, fault in found if fault]


def _fault(page: Path, link: str, site: Path) -> str | None:
    """Why a link leads nowhere; None if it leads somewhere or to another site."""
    address = urlsplit(link)
    if address.scheme or address.netloc:
        return None
    path = unquote(address.path)
    root = site if path.startswith("/") else page.parent
    target = (root / path.lstrip("/")).resolve() if path else page
    target = target / "index.html" if target.is_dir() else target
    if not target.is_file():
        return "no such file"
    place = unquote(address.fragment)
    if place and target.suffix == ".html" and place not in page_of(target).places:
        return "no such place on the page"
    return None


def main(site: Path) -> int:
    """Print what is broken.

    Args:
        site: Folder of the built site.

    Returns:
        1 if a link is broken, or there is no page at all.
    """
    n_pages, broken = len(pages_of(site)), broken_links(site)
    print(*broken, f"{len(broken)} broken links on {n_pages} pages of {site}", sep="\n")
    return int(bool(broken) or not n_pages)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
