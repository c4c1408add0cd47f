"""The addresses every service has: health, its OpenAPI document, its admin, and JSON for what is not there."""

from collections.abc import Sequence
from uuid import UUID

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, register_converter
from django.urls.converters import UUIDConverter

from chassis import health, openapi
from chassis.fields import SKU_PATTERN

HANDLERS = {
    "handler400": "chassis.problems.bad_request",
    "handler403": "chassis.problems.permission_denied",
    "handler404": "chassis.problems.not_found",
    "handler500": "chassis.problems.server_error",
}


class SkuConverter:
    """``<sku:sku>`` in a route."""

    regex = SKU_PATTERN

    def to_python(self, value: str) -> str:
        """The SKU verbatim."""
        return value

    def to_url(self, value: str) -> str:
        """The SKU verbatim."""
        return value


class IdConverter(UUIDConverter):
    """``<id:id>`` in a route: a UUID, in capitals too (RFC 9562, section 4), as some languages write them."""

    regex = UUIDConverter.regex.replace("a-f", "a-fA-F")

    def to_python(self, value: str) -> UUID:
        """The UUID."""
        return UUID(value)


register_converter(SkuConverter, "sku")
register_converter(IdConverter, "id")


def service_urls(public: str, internal: str | None = None) -> Sequence[URLPattern | URLResolver]:
    """A service's URL configuration: ``public`` is mounted at its API prefix, ``internal`` below ``/internal/``.

    The gateway never routes what is outside of ``/api/v1/<prefix>`` and ``/admin/<service>/``.
    """
    prefix = settings.API_PREFIX.lstrip("/")
    inside = [path("internal/", include(internal))] if internal else []
    return [
        *inside,  # first: a path with an id is looked for each time, past all that stand before it
        path("livez", health.livez),
        path("readyz", health.readyz),
        path(f"{prefix}/openapi.json", openapi.serve, name="openapi"),
        path(prefix, include(public)),
        path(settings.ADMIN_PATH.lstrip("/"), include(settings.SIGN_IN_URLS)),
        path(settings.ADMIN_PATH.lstrip("/"), admin.site.urls),
    ]
