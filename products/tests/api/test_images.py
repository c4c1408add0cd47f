"""Pictures: what comes in is looked at, what is kept is written anew."""

from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from products.domain import images
from products.models import Product

pytestmark = pytest.mark.django_db
PRODUCTS = "/api/v1/products"


def picture(format="PNG", size=(8, 6), color="red", mode="RGB", **options):
    raw = BytesIO()
    Image.new(mode, size, color).save(raw, format, **options)
    return raw.getvalue()


@pytest.fixture
def upload(as_staff, sell):
    sell("Shirt")
    client = Client(raise_request_exception=False)

    def post(content, slug="shirt", headers=None, **more):
        parts = {"image": SimpleUploadedFile("../../x.png", content)} | more
        return client.post(f"{PRODUCTS}/{slug}/images", parts, headers=headers or as_staff("catalogue"))

    return post


def stored(media):
    return sorted(path for path in media.rglob("*") if path.is_file())


def test_a_picture_is_stored_by_its_content_and_shown(api, upload, media):
    answer = upload(picture())
    assert answer.status_code == 201, answer.content
    (file,) = stored(media)
    address = f"http://localhost:8080/media/{file.relative_to(media)}"
    assert (answer.json()["image"], answer.json()["images"]) == (address, [address])
    assert api.get(PRODUCTS).json()["results"][0]["image"] == address
    assert file.stat().st_mode & 0o777 == 0o644
    with Image.open(file) as kept:
        assert (kept.format, kept.size) == ("WEBP", (8, 6))
    assert upload(picture()).json()["images"] == [address]
    assert len(stored(media)) == 1
    second = upload(picture(color="blue")).json()["images"]
    assert (len(second), second[0]) == (2, address)


def test_pictures_are_reordered_and_dropped_by_patch(api, upload, as_staff):
    upload(picture())
    both = upload(picture(color="blue")).json()["images"]
    turned = api.patch(f"{PRODUCTS}/shirt", {"images": both[::-1]}, as_staff()).json()
    assert (turned["images"], turned["image"]) == (both[::-1], both[1])
    assert api.patch(f"{PRODUCTS}/shirt", {"images": []}, as_staff()).json()["image"] is None


@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "WEBP"])
def test_four_formats_are_taken(upload, format):
    assert upload(picture(format)).status_code == 201


def test_what_is_kept_is_small_upright_and_holds_no_metadata(upload, media):
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90°
    exif[0x010E] = "secret place"
    assert upload(picture("JPEG", size=(3000, 1500), exif=exif.tobytes())).status_code == 201
    (file,) = stored(media)
    assert b"secret place" not in file.read_bytes()
    with Image.open(file) as kept:
        assert kept.size == (800, 1600)


def test_transparency_stays(upload, media):
    assert upload(picture(mode="RGBA", color=(255, 0, 0, 0))).status_code == 201
    with Image.open(stored(media)[0]) as kept:
        assert kept.mode == "RGBA"


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.mark.parametrize(
    "content",
    [b"nonsense", SVG, b"GIF89a", picture()[:40], picture("BMP"), picture("TIFF"), b"\x89PNG\r\n\x1a\n" + b"\0" * 50],
)
def test_what_is_no_picture_is_400(upload, media, content):
    answer = upload(content)
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert [error["field"] for error in answer.json()["errors"]] == ["image"]
    assert stored(media) == []
    assert Product.objects.get().images == []


def test_an_empty_file_or_none_or_another_part_is_400(upload, media):
    assert upload(b"").json()["errors"][0]["field"] == "image"
    assert upload(picture(), other="x").json()["errors"][0]["field"] == "other"
    assert upload(picture(), image="text").json()["errors"][0]["field"] == "image"
    assert stored(media) == []


def test_too_many_bytes_or_pixels_is_413(upload, media):
    heavy = upload(picture() + b"\0" * images.MAX_BYTES)
    wide = upload(picture(size=(25_001, 1000), mode="1", color=0))
    assert [(answer.status_code, answer.json()["code"]) for answer in (heavy, wide)] == [(413, "image_too_large")] * 2
    assert stored(media) == []


def test_a_product_has_a_bounded_number_of_pictures(upload):
    Product.objects.update(images=[f"aa/{n}.webp" for n in range(images.MAX_IMAGES)])
    answer = upload(picture())
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_images")


def test_who_may_upload_and_where(upload, as_customer, api, as_staff, media):
    assert upload(picture(), slug="nope").status_code == 404
    assert upload(picture(), headers=as_customer()).status_code == 403
    json = api.post(f"{PRODUCTS}/shirt/images", {"image": "x"}, as_staff())
    assert (json.status_code, json.json()["code"]) == (415, "unsupported_media_type")
    broken = Client().post(f"{PRODUCTS}/shirt/images", b"x", content_type="multipart/form-data", headers=as_staff())
    assert broken.status_code == 400
    assert Product.objects.get().images == []
