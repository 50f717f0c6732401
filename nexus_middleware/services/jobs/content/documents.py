"""PDF documents: their text, and pictures of their pages."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..registry import Permanent
from .outputs import Operation, written

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument  # type: ignore[import-untyped]

MAX_PAGES = 500
MAX_PIXELS = 20_000_000  # a page
MAX_TEXT = 10_000_000  # characters
POINTS = 72  # an inch
Progress = Callable[[float], None]


def process(source: Path, operation: Operation, folder: Path, *, progress: Progress = lambda _: None) -> dict[str, Any]:
    """Do one of text, pages:144 (dots per inch; 96 if none are said) and probe.

    "text" writes one file with a form feed between pages, "pages" one PNG a page.

    Raises:
        Permanent: it is no PDF that can be read, it has too many pages, or the operation is none.
    """
    with _opened(source) as document:
        if operation.name == "probe":
            return {"pages": len(document)}
        if operation.name == "text":
            return _text(document, operation, folder, progress)
        if operation.name == "pages":
            return _pages(document, operation, folder, progress)
    raise operation.unknown("text, pages:144 and probe")


@contextmanager
def _opened(source: Path) -> Generator[PdfDocument]:
    try:
        from pypdfium2 import PdfDocument, PdfiumError
    except ImportError as error:
        raise Permanent("documents need pypdfium2: install nexus-middleware[media]") from error
    try:
        document = PdfDocument(source)
        try:
            if len(document) > MAX_PAGES:
                raise Permanent(f"the document has {len(document)} pages: at most {MAX_PAGES}")
            yield document
        finally:
            document.close()
    except PdfiumError as error:
        raise Permanent(f"the file is no PDF that can be read: {error}") from error


def _text(document: PdfDocument, operation: Operation, folder: Path, progress: Progress) -> dict[str, Any]:
    name, size = operation.file("txt"), 0
    with written(folder, name) as path, path.open("w", encoding="utf-8", errors="replace") as file:
        for number, page in enumerate(document, 1):
            text = page.get_textpage().get_text_range(errors="replace").replace("\r\n", "\n")
            size += len(text)
            if size > MAX_TEXT:
                raise Permanent(f"the document has more than {MAX_TEXT} characters")
            file.write(text + ("\f" if number < len(document) else ""))
            progress(number / len(document))
    return {"file": name, "characters": size}


def _pages(document: PdfDocument, operation: Operation, folder: Path, progress: Progress) -> dict[str, Any]:
    dots = int(operation.size) if operation.size.isdigit() else 96 if not operation.size else 0
    if not 20 <= dots <= 600:
        raise Permanent("pages needs dots per inch from 20 to 600, such as pages:144")
    operation.ending(("png",), "png")
    files: list[str] = []
    for number, page in enumerate(document, 1):
        width, height = (side / POINTS * dots for side in page.get_size())
        if width * height > MAX_PIXELS:
            raise Permanent(f"page {number} would have {width:.0f}x{height:.0f} pixels: ask for fewer dots per inch")
        name = f"page-{number:04}.png"
        with written(folder, name) as path:
            picture = page.render(scale=dots / POINTS)  # pyright: ignore[reportArgumentType]  # a float will do
            picture.to_pil().save(path, "PNG")
        files.append(name)
        progress(number / len(document))
    return {"files": files}
