"""The Markdown pages, as the tests read them; run with a page's path, it executes the page's `python` blocks."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parent.parent
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/**/*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
DJANGO = {"SECRET_KEY": "a secret of the tests", "ROOT_URLCONF": "mysite.urls", "USE_TZ": True}


def blocks(text: str) -> Iterator[tuple[int, str]]:
    """Yield each block with the number of lines before it."""
    for found in BLOCK.finditer(text):
        yield text.count("\n", 0, found.start(1)), found[1]


def links(text: str) -> list[str]:
    """Return the targets of links and images outside of code."""
    return LINK.findall(FENCED.sub("", text))


def anchors(text: str) -> set[str]:
    """Return the names under which headings can be linked to."""
    titles = [re.sub(r"[^\w\s-]", "", title.lower()) for title in HEADING.findall(FENCED.sub("", text))]
    return {re.sub(r"[\s]+", "-", title.strip()) for title in titles}


def execute(page: Path) -> None:
    """Run the blocks of `page`, each as a module of its own; a traceback tells the line of the page."""
    settings = ModuleType("mysite.settings")
    settings.__dict__.update(DJANGO)
    sys.modules |= {"mysite": ModuleType("mysite"), "mysite.settings": settings}
    for before, code in blocks(page.read_text()):
        module = ModuleType(f"block_{before}")  # in sys.modules, for those who resolve annotations
        sys.modules[module.__name__] = module
        exec(compile("\n" * before + code, page, "exec"), module.__dict__)


if __name__ == "__main__":
    execute(Path(sys.argv[1]))
