"""Documents: text and pictures of real PDFs."""

import pytest
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from PIL import Image

from nexus_middleware.services.jobs.content import documents
from nexus_middleware.services.jobs.content.outputs import Operation
from nexus_middleware.services.jobs.registry import Permanent


@pytest.fixture(scope="module")
def paper(tmp_path_factory):
    """Two pages of 4 by 3 inches, each with its number."""
    path = tmp_path_factory.mktemp("paper") / "paper"
    with PdfPages(path) as pdf:
        for number in (1, 2):
            figure = Figure(figsize=(4, 3))
            figure.text(0.2, 0.5, f"This is page {number}")
            pdf.savefig(figure)
    return path


def run(source, text, folder, **more):
    return documents.process(source, Operation.read(text), folder, **more)


def test_the_text_of_all_pages_is_kept(paper, tmp_path):
    told = []

    made = run(paper, "text", tmp_path, progress=told.append)

    pages = (tmp_path / made["file"]).read_text().split("\f")
    assert [" ".join(page.split()) for page in pages] == ["This is page 1", "This is page 2"]
    assert told == [0.5, 1.0]


def test_each_page_becomes_a_picture(paper, tmp_path):
    made = run(paper, "pages:100", tmp_path)

    assert made == {"files": ["page-0001.png", "page-0002.png"]}
    with Image.open(tmp_path / "page-0002.png") as image:
        assert image.size == (400, 300)


def test_a_probe_counts_the_pages(paper, tmp_path):
    assert run(paper, "probe", tmp_path) == {"pages": 2}


@pytest.mark.parametrize("text", ["pages:9000", "pages:x", "pages:96:jpeg", "print"])
def test_what_cannot_be_done_is_told(paper, tmp_path, text):
    with pytest.raises(Permanent):
        run(paper, text, tmp_path / "made")


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7\n", b"<html>", b"%PDF-1.4\n" + b"1 0 obj<<>>endobj\n" * 50])
def test_what_is_no_pdf_is_refused_for_good(tmp_path, content):
    (tmp_path / "upload").write_bytes(content)

    with pytest.raises(Permanent, match="no PDF"):
        run(tmp_path / "upload", "text", tmp_path / "made")


def test_a_page_as_large_as_a_house_is_refused(tmp_path):
    with PdfPages(tmp_path / "huge") as pdf:
        pdf.savefig(Figure(figsize=(200, 200)))

    with pytest.raises(Permanent, match="fewer dots"):
        run(tmp_path / "huge", "pages:300", tmp_path / "made")


def test_a_document_of_too_many_pages_is_refused(paper, tmp_path, monkeypatch):
    monkeypatch.setattr(documents, "MAX_PAGES", 1)

    with pytest.raises(Permanent, match="2 pages"):
        run(paper, "text", tmp_path / "made")
