"""The OpenAPI document of a service: generated into openapi.yaml by ``manage.py spectacular``, served from there."""

import re
from functools import cache
from typing import Any

import orjson
import yaml
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from drf_spectacular.extensions import (
    OpenApiAuthenticationExtension,
    OpenApiSerializerExtension,
    OpenApiSerializerFieldExtension,
)
from drf_spectacular.openapi import AutoSchema

_PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457. Some codes add members of their own.",
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "properties": {
        "type": {"type": "string", "examples": ["urn:comptoir:problem:invalid"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "detail", "code"],
                "properties": {name: {"type": "string"} for name in ("field", "detail", "code")},
            },
        },
    },
}


class PathSchema(AutoSchema):
    """Operations are named after their method and path, which are unique and stay: ``get_stock_sku``."""

    def get_operation_id(self) -> str:
        """The name with which client generators call the operation."""
        words = re.findall(r"[A-Za-z0-9]+", self.path.removeprefix("/api/v1/"))
        return "_".join([self.method.lower(), *words])


class BearerScheme(OpenApiAuthenticationExtension):
    """How chassis.auth shows in the document."""

    target_class = "chassis.auth.TokenAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """A bearer token, which is a JWT."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


class TextField(OpenApiSerializerFieldExtension):
    """chassis.fields.Text and its kind say themselves what they take."""

    target_class = "chassis.fields.Text"
    match_subclasses = True

    def get_name(self) -> str | None:
        """What is long and the same everywhere stands in the document once."""
        return "Country" if type(self.target).__name__ == "Country" else None

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> Any:
        """The library's description, and the field's own."""
        schema = auto_schema._map_serializer_field(self.target, direction, bypass_extensions=True)
        # The library adds null where it is allowed, once here and once to what this returns.
        return schema | {"type": "string"} | self.target.described()


class Body(OpenApiSerializerExtension):
    """chassis.fields.StrictSerializer and its kind may have rules between fields."""

    target_class = "chassis.fields.StrictSerializer"
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> Any:
        """The library's description, and the serializer's own."""
        return auto_schema._map_serializer(self.target, direction, bypass_extensions=True) | self.target.document


def add_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Every operation may answer with a problem document; bodies take no unknown fields."""
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    for name, schema in schemas.items():
        if name.endswith("Request") and schema.get("type") == "object":
            schema.setdefault("additionalProperties", False)
    schemas["Problem"] = _PROBLEM
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for path in result["paths"].values():
        for operation in path.values():
            operation["responses"].setdefault("default", {"description": "A problem document.", "content": content})
    return result


@cache
def _document() -> bytes:
    text = (settings.BASE_DIR / "openapi.yaml").read_text(encoding="utf-8")
    return orjson.dumps(yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))  # noqa: S506


def serve(request: HttpRequest) -> HttpResponse:
    """The committed document as JSON; a test keeps it equal to the generated one."""
    return HttpResponse(_document(), content_type="application/json")
