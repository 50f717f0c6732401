"""Pictures: what comes out, what is left out, and what is refused."""

import struct
import zlib

import pytest
from PIL import Image

from nexus_middleware.services.jobs.content import images
from nexus_middleware.services.jobs.content.outputs import Operation, source_of, written
from nexus_middleware.services.jobs.registry import Permanent


@pytest.fixture
def photo(tmp_path):
    """A JPEG of 1600x1200 that a camera has turned on its side, and in which it noted a place."""
    path = tmp_path / "photo"
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 0.0)  # latitude
    Image.effect_noise((1600, 1200), 60).convert("RGB").save(path, "JPEG", exif=exif)
    return path


def run(source, text, folder):
    return images.process(source, Operation.read(text), folder)


def test_a_picture_fits_its_box_the_right_way_up_and_says_nothing_of_the_place(photo, tmp_path):
    made = run(photo, "resize:300x400", tmp_path / "made")

    with Image.open(tmp_path / "made" / made["file"]) as image:
        assert (image.format, image.size) == ("WEBP", (300, 400))
        assert not image.getexif()
    assert b"Exif" not in (tmp_path / "made" / made["file"]).read_bytes()


def test_a_thumbnail_fills_its_square(photo, tmp_path):
    assert run(photo, "thumbnail:128:png", tmp_path) == {"file": "thumbnail-128.png", "width": 128, "height": 128}


def test_a_picture_is_never_made_larger(tmp_path):
    Image.new("RGB", (20, 10)).save(tmp_path / "small.png")

    assert run(tmp_path / "small.png", "resize:300x400:jpeg", tmp_path)["width"] == 20


def test_what_is_transparent_is_white_in_a_jpeg(tmp_path):
    Image.new("RGBA", (8, 8), (255, 0, 0, 0)).save(tmp_path / "clear.png")

    made = run(tmp_path / "clear.png", "convert:jpeg", tmp_path)

    with Image.open(tmp_path / made["file"]) as image:
        assert image.getpixel((4, 4)) == (255, 255, 255)


def test_comments_and_profiles_do_not_come_along(tmp_path):
    from PIL.PngImagePlugin import PngInfo

    notes = PngInfo()
    notes.add_text("Comment", "taken at home")
    Image.new("RGB", (8, 8)).save(tmp_path / "noted.png", pnginfo=notes)

    made = run(tmp_path / "noted.png", "convert:png", tmp_path / "made")

    assert b"taken at home" not in (tmp_path / "made" / made["file"]).read_bytes()


def bomb():
    """A PNG of a few bytes that says it has 900 million pixels."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (bomb(), "too large"),
        (b"import os\nos.system('id')\n", "no picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n", "no picture"),
        (b"\x89PNG\r\n\x1a\n", "no picture|broken"),
        (b"", "no picture"),
    ],
    ids=["bomb", "program", "postscript", "cut off", "empty"],
)
def test_what_is_no_picture_or_a_bomb_is_refused_for_good(tmp_path, content, why):
    (tmp_path / "upload").write_bytes(content)

    with pytest.raises(Permanent, match=why):
        run(tmp_path / "upload", "thumbnail:64", tmp_path / "made")
    assert not list((tmp_path / "made").glob("*"))


def test_a_picture_that_is_cut_off_leaves_no_half_file(photo, tmp_path):
    photo.write_bytes(photo.read_bytes()[:2000])

    with pytest.raises(Permanent):
        run(photo, "resize:100x100", tmp_path / "made")
    assert [*(tmp_path / "made").glob("*")] == []


@pytest.mark.parametrize("text", ["resize", "resize:0x9", "resize:99999x9", "thumbnail:a9", "crop:9", "resize:9x9:exe"])
def test_what_cannot_be_done_is_told_and_not_tried_again(photo, tmp_path, text):
    with pytest.raises(Permanent):
        run(photo, text, tmp_path / "made")


@pytest.mark.parametrize("text", ["", "a:b:c:d", "../x", "resize:3 x", "RESIZE:9x9", "thumbnail:" + "9" * 40])
def test_an_operation_that_cannot_be_read_is_refused(text):
    with pytest.raises(Permanent):
        Operation.read(text)


def test_a_file_is_there_whole_or_not_at_all(tmp_path):
    with pytest.raises(RuntimeError), written(tmp_path, "a.txt") as path:
        path.write_text("half")
        raise RuntimeError
    assert [*tmp_path.iterdir()] == []

    with written(tmp_path, "a.txt") as path:
        path.write_text("whole")
        assert not (tmp_path / "a.txt").exists()
    assert [x.name for x in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.parametrize("name", ["../photo", "/etc/passwd", ".hidden", "a/b", "", "a\0b", "link", "nothing"])
def test_a_content_id_names_a_file_of_its_folder_and_no_other(tmp_path, name):
    (tmp_path / "link").symlink_to("/etc/passwd")

    with pytest.raises(Permanent):
        source_of(str(tmp_path), name)


def test_without_a_folder_content_is_refused_and_the_setting_named():
    with pytest.raises(Permanent, match="NEXUS_MEDIA_DIR"):
        source_of("", "photo")
