"""Pictures of products: what is uploaded is looked at, made small, and written anew; nothing else of it is kept.

A picture is stored by the hash of its content: the same one twice is one file, and its address may be cached for ever.
"""

import hashlib
import os
import tempfile
from io import BytesIO
from pathlib import Path
from typing import IO

from chassis.errors import DomainError, Invalid
from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from products import metrics
from products.domain import derived, products
from products.models import Product

MAX_BYTES = 10_000_000
MAX_PIXELS = 25_000_000
"""A picture is unpacked into 4 bytes a pixel: 100 MB for a moment."""
MAX_SIDE = 1600
MAX_IMAGES = 20
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")


class ImageTooLarge(DomainError):
    """More bytes or pixels than are taken."""

    status, code, title = 413, "image_too_large", "The image is too large"


class TooManyImages(DomainError):
    """A product has a bounded number of pictures."""

    code, title = "too_many_images", "The product has too many images"


def add(*, slug: str, file: IO[bytes], size: int) -> products.Page:
    """Adds a picture of ``size`` bytes to a product, after those it has; one it has already changes nothing.

    Raises ``UnknownProduct``, ``ImageTooLarge``, ``TooManyImages``, ``Invalid`` where it is no picture.
    """
    if size > MAX_BYTES:
        raise ImageTooLarge(f"An image has at most {MAX_BYTES:,} bytes, this one {size:,}.")
    path = store(encoded(file))
    with transaction.atomic():
        product = Product.objects.select_for_update().filter(slug=slug).first()
        if product is None:
            raise products.UnknownProduct(f"There is no product {slug}.")
        if path not in product.images:
            if len(product.images) >= MAX_IMAGES:
                raise TooManyImages(f"A product has at most {MAX_IMAGES} images. Remove one first.")
            Product.objects.filter(pk=product.pk).update(images=[*product.images, path], updated=Now())
            derived.refresh([product.pk])
            metrics.CHANGES.labels("image").inc()
        return products.page(slug=slug, public=False)


def encoded(file: IO[bytes]) -> bytes:
    """The picture as WebP, upright, at most 1,600 pixels a side, no metadata. Raises ``Invalid``, ``ImageTooLarge``."""
    from PIL import Image, ImageOps, UnidentifiedImageError  # 10 MiB that only this needs

    try:
        with Image.open(file, formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise ImageTooLarge(
                    f"An image has at most {MAX_PIXELS:,} pixels, this one {image.width}×{image.height}."
                )
            image.draft("RGB", (MAX_SIDE, MAX_SIDE))
            upright = ImageOps.exif_transpose(image)
            transparent = upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info
            plain = upright.convert("RGBA" if transparent else "RGB")
            plain.thumbnail((MAX_SIDE, MAX_SIDE))
            output = BytesIO()
            plain.save(output, "WEBP", quality=82)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise Invalid("image", "This is not a picture that can be read: send JPEG, PNG, WebP or GIF.") from None
    return output.getvalue()


def store(content: bytes) -> str:
    """Writes a picture below MEDIA_ROOT, whole or not at all; returns its path there."""
    digest = hashlib.sha256(content).hexdigest()[:32]
    path = f"{digest[:2]}/{digest}.webp"
    target = Path(settings.MEDIA_ROOT) / path
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as file:
            file.write(content)
        os.chmod(file.name, 0o644)  # the gateway reads it as another user
        os.replace(file.name, target)
    return path
