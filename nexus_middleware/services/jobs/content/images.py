"""Pictures made smaller or put into another format; what is no picture, or a bomb, is refused for good."""

from __future__ import annotations

import warnings
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..registry import Permanent
from .outputs import Operation, written

if TYPE_CHECKING:
    from PIL.Image import Image

READ = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")  # no format that runs a program or names other files
WRITTEN = {"webp": "WEBP", "jpeg": "JPEG", "png": "PNG", "avif": "AVIF"}
MAX_PIXELS = 50_000_000  # of what is read: 200 MB when unpacked
MAX_SIDE = 8192  # of what is written
QUALITY = 82


def process(source: Path, operation: Operation, folder: Path) -> dict[str, Any]:
    """Do one of resize:WxH, thumbnail:N, convert and probe; the result says what was written, and its size in pixels.

    "resize" fits the picture into a box and never makes it larger, "thumbnail" fills a square and cuts off the rest.
    Both, and "convert", may end with a format: webp (if none is said), jpeg, png or avif. What a camera notes in the
    file, such as the place, does not go into the result; the picture is turned the way it is meant to be seen.

    Raises:
        Permanent: the file is no picture that we read, it is too large, or the operation is none.
    """
    with _opened(source) as image:
        if operation.name == "probe":
            return {"format": (image.format or "").lower(), "width": image.width, "height": image.height}
        return _save(_shaped(image, operation), operation, folder)


@contextmanager
def _opened(source: Path) -> Generator[Image]:
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError as error:
        raise Permanent("pictures need Pillow: install nexus-middleware[media]") from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(source, formats=READ) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise Permanent(f"the picture has {image.width}x{image.height} pixels: at most {MAX_PIXELS}")
                yield image
    except UnidentifiedImageError as error:
        raise Permanent(f"the file is no picture of {', '.join(READ)}") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Permanent(f"the picture would be too large when unpacked: at most {MAX_PIXELS} pixels") from error
    except (SyntaxError, ValueError, EOFError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # the disk's fault, not the picture's
            raise
        raise Permanent(f"the picture is broken: {error}") from error


def _shaped(image: Image, operation: Operation) -> Image:
    from PIL import ImageOps
    from PIL.Image import Resampling

    if operation.name == "convert":
        return ImageOps.exif_transpose(image)
    width, height = operation.box(square=operation.name == "thumbnail", most=MAX_SIDE)
    image.draft(
        "RGB", (2 * width, 2 * height)
    )  # a JPEG is unpacked at a fraction of its size, which saves most of the time
    upright = ImageOps.exif_transpose(image)
    if operation.name == "thumbnail":
        return ImageOps.fit(_plain(upright), (width, height), Resampling.LANCZOS)
    if operation.name == "resize":
        small = _plain(upright)
        small.thumbnail((width, height), Resampling.LANCZOS)
        return small
    raise operation.unknown("resize:WxH, thumbnail:N, convert and probe")


def _plain(image: Image) -> Image:
    """Return it in colours that can be mixed, which those of a palette cannot."""
    if image.mode in ("RGB", "RGBA", "L", "LA"):
        return image
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _save(image: Image, operation: Operation, folder: Path) -> dict[str, Any]:
    ending = operation.ending(WRITTEN, "webp")
    image = _plain(image)
    if ending == "jpeg" and image.mode in ("RGBA", "LA"):
        from PIL import Image as Images

        ground = Images.new("RGB", image.size, "white")
        ground.paste(image, mask=image.getchannel("A"))
        image = ground
    image.info.clear()  # Pillow would write its EXIF, XMP and comments again
    with written(folder, operation.file(ending)) as path:
        image.save(path, WRITTEN[ending], quality=QUALITY)
    return {"file": operation.file(ending), "width": image.width, "height": image.height}
