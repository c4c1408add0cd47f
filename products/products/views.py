"""Parse, one call of the domain, render."""

from typing import Any

import orjson
from chassis.auth import is_staff, services, staff
from chassis.fields import validated
from chassis.json import Response
from chassis.pages import page
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import SAFE_METHODS, AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from products import serializers
from products.domain import categories, facets, images, products, search

CATALOGUE = staff("catalogue")
PUBLIC = "max-age=1, stale-while-revalidate=1"
"""For the gateway's cache; how late a price may be: 2 seconds."""
PERSONAL = "private, no-cache"
IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, description="The ETag that the change is based on"
)


class PublicReads(APIView):
    """Anyone reads, staff of the catalogue write."""

    def get_permissions(self) -> list[BasePermission]:
        """By method."""
        return [AllowAny() if self.request.method in (*SAFE_METHODS, None) else CATALOGUE()]


class ProductsView(PublicReads):
    """The shop's goods."""

    @extend_schema(parameters=[serializers.ProductsQuery], responses=serializers.ProductCards)
    def get(self, request: Request) -> Response:
        """A page of the list; by relevance with ``q``, else by name. Misspelled words find what they resemble."""
        query = validated(serializers.ProductsQuery, request.query_params)
        filters = serializers.filters(query)
        answer = _page(request, query, filters)
        if not answer["results"] and (better := search.corrected(filters)):
            answer = _page(request, query, better)
        return Response(answer, headers={"Cache-Control": _freshness(request)})

    @extend_schema(request=serializers.ProductRequest, responses={201: serializers.ProductPage})
    def post(self, request: Request) -> HttpResponse:
        """A new product. Its slug is made from its name and never changes."""
        made = products.create(**validated(serializers.ProductRequest, request.data))
        location = f"{request.path}/{orjson.loads(made.body)['slug']}"
        return _product(made, status=201, headers={"Location": request.build_absolute_uri(location)})


class FacetsView(PublicReads):
    """What the list could be narrowed to."""

    @extend_schema(parameters=[serializers.FiltersQuery], responses=serializers.FacetsAnswer)
    def get(self, request: Request) -> Response:
        """Counts by brand (the 50 largest), category and price band, within the same filters as the list.

        Beyond 5,000 products they may be estimates from a sample; ``exact`` is false then.
        """
        filters = serializers.filters(validated(serializers.FiltersQuery, request.query_params))
        counts = facets.facets(filters=filters)
        if not counts["count"] and (better := search.corrected(filters)):
            counts = facets.facets(filters=better)
        return Response(counts, headers={"Cache-Control": _freshness(request)})


class CategoriesView(PublicReads):
    """The category tree."""

    @extend_schema(responses=serializers.CategoryTree)
    def get(self, request: Request) -> Response:
        """The whole tree, each node with the number of public products in it and below it."""
        answer = {"results": categories.tree(), "next": None, "previous": None}
        return Response(answer, headers={"Cache-Control": _freshness(request)})

    @extend_schema(request=serializers.CategoryRequest, responses={201: serializers.CategoryAnswer})
    def post(self, request: Request) -> Response:
        """A new category, below ``parent`` (a slug) or at the root."""
        body = validated(serializers.CategoryRequest, request.data)
        made = categories.create(name=body["name"], parent=body.get("parent"))
        return Response(
            {"slug": made.slug, "name": made.name, "parent": body.get("parent"), "path": made.path}, status=201
        )


class ProductView(PublicReads):
    """One product."""

    @extend_schema(responses={200: serializers.ProductPage, 304: None})
    def get(self, request: Request, slug: str) -> HttpResponse:
        """The product, with an ETag; 304 for who has it already. Drafts and what is archived are seen by staff only."""
        found = products.page(slug=slug, public=not is_staff(request.user, "catalogue"))
        headers = {"ETag": found.etag, "Cache-Control": _freshness(request)}
        if found.etag in _tags(request.headers.get("If-None-Match", "")):
            return HttpResponse(status=304, headers=headers)
        return HttpResponse(found.body, content_type="application/json", headers=headers)

    @extend_schema(request=serializers.ProductChange, responses=serializers.ProductPage, parameters=[IF_MATCH])
    def patch(self, request: Request, slug: str) -> HttpResponse:
        """Changes what is given; all else stays, the slug always.

        ``attributes`` and ``images`` are replaced as a whole; ``images`` may order or drop those that were uploaded.
        ``variants`` are matched by SKU: a known one gets what is given of it, a new one is added and needs a price; all
        others stay. ``remove_variants`` takes SKUs away. With ``If-Match`` nothing changes (412) when the product is
        not the one with that ETag.
        """
        body = validated(serializers.ProductChange, request.data)
        tags = _tags(request.headers.get("If-Match", ""))
        changed = products.change(
            slug=slug,
            variants=body.pop("variants", ()),
            remove=body.pop("remove_variants", ()),
            fields=body,
            if_match=tags or None,
        )
        return _product(changed)

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Request, slug: str) -> HttpResponse:
        """Archives the product: it leaves the shop, orders and carts still know it. May be repeated."""
        products.archive(slug=slug)
        return HttpResponse(status=204)


class ImagesView(APIView):
    """A product's pictures."""

    permission_classes = [CATALOGUE]
    parser_classes = [MultiPartParser]

    @extend_schema(request={"multipart/form-data": serializers.ImageRequest}, responses={201: serializers.ProductPage})
    def post(self, request: Request, slug: str) -> HttpResponse:
        """Adds a picture, part ``image``: looked at, made at most 1,600 pixels a side, written anew as WebP."""
        file = validated(serializers.ImageRequest, request.data)["image"]
        return _product(images.add(slug=slug, file=file, size=file.size), status=201)


class VariantsView(APIView):
    """Variants by SKU."""

    permission_classes = [services("cart", "orders")]

    @extend_schema(exclude=True)
    def post(self, request: Request) -> HttpResponse:
        """Names, prices, pictures; unknown SKUs are absent, ``sellable`` is false for drafts and what is archived."""
        body = validated(serializers.VariantsRequest, request.data)
        return HttpResponse(products.by_sku(skus=body["skus"]), content_type="application/json")


def _page(request: Request, query: dict[str, Any], filters: search.Filters) -> dict[str, Any]:
    rows, keys = search.cards(filters=filters, ordering=query.get("ordering", "relevance"))
    render = lambda found: [orjson.Fragment(row["card"]) for row in found]  # noqa: E731
    return page(request, rows, keys=keys, limit=query["limit"], cursor=query.get("cursor"), render=render)


def _product(found: products.Page, status: int = 200, headers: dict[str, str] | None = None) -> HttpResponse:
    headers = {"ETag": found.etag, "Cache-Control": PERSONAL} | (headers or {})
    return HttpResponse(found.body, status=status, content_type="application/json", headers=headers)


def _freshness(request: Request) -> str:
    return PERSONAL if request.user else PUBLIC


def _tags(header: str) -> list[str]:
    """The tags of If-Match or If-None-Match. The gateway makes a tag weak when it compresses: it still counts."""
    return [tag.strip().removeprefix("W/") for tag in header.split(",") if tag.strip()]
