"""Content: what a job makes of a file, once, and where it ends up."""

import pytest
from PIL import Image

from nexus_middleware.services.jobs.registry import Permanent


@pytest.fixture
def media(tmp_path):
    Image.effect_noise((300, 200), 50).save(tmp_path / "photo.png")
    return tmp_path


def process(desk, media, *operations, kind="image", content_id="photo.png"):
    payload = {"type": kind, "content_id": content_id, "operations": [*operations]}
    return desk.run("content.process", payload, media_dir=str(media))


def test_each_operation_writes_a_file_and_says_which(desk, media):
    told = process(desk, media, "thumbnail:64", "convert:jpeg", "probe")

    assert told["folder"] == "photo.png.made"
    assert told["made"]["probe"] == {"format": "png", "width": 300, "height": 200}
    files = {told["made"][x]["file"] for x in ("thumbnail:64", "convert:jpeg")}
    assert files == {x.name for x in (media / "photo.png.made").iterdir() if not x.name.startswith(".")}
    assert desk.told[-1] == {"done": 3, "total": 3, "note": ""}


def test_what_was_made_of_a_file_is_not_made_again_until_the_file_changes(desk, media):
    made = media / "photo.png.made" / "thumbnail-64.webp"
    process(desk, media, "thumbnail:64")
    before = made.stat().st_mtime_ns

    process(desk, media, "thumbnail:64")
    assert made.stat().st_mtime_ns == before
    Image.new("RGB", (300, 200)).save(media / "photo.png")
    process(desk, media, "thumbnail:64")
    assert made.stat().st_mtime_ns > before


@pytest.mark.parametrize(
    ("kind", "content_id", "operations"),
    [
        ("image", "../photo.png", ["probe"]),
        ("image", "nothing", ["probe"]),
        ("poem", "photo.png", ["probe"]),
        ("image", "photo.png", []),
        ("image", "photo.png", ["probe"] * 21),
        ("image", "photo.png", ["thumbnail:64", "../x"]),
        ("document", "photo.png", ["text"]),
        ("video", "photo.png", ["transcode:240p"]),
    ],
)
def test_what_cannot_be_done_fails_for_good_and_leaves_nothing(desk, media, kind, content_id, operations):
    with pytest.raises(Permanent):
        process(desk, media, *operations, kind=kind, content_id=content_id)
    assert not [*media.glob("*.made/*")]


def test_without_a_folder_the_setting_is_named(desk, media):
    with pytest.raises(Permanent, match="NEXUS_MEDIA_DIR"):
        desk.run("content.process", {"type": "image", "content_id": "photo.png", "operations": ["probe"]})
