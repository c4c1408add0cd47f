"""Parse, one call of the domain, render."""

from uuid import UUID

import orjson
from chassis.auth import services, staff
from chassis.fields import validated
from chassis.idempotency import keys
from chassis.json import Response
from chassis.pages import page
from django.db import transaction
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from stock import serializers
from stock.domain import levels, reservations
from stock.models import Movement

WAREHOUSE = staff("warehouse", "catalogue", "support", "orders")
KEY = keys.described(required=False)


class LevelsView(APIView):
    """How much of several SKUs can be sold."""

    permission_classes = [AllowAny]

    @extend_schema(parameters=[serializers.LevelsQuery], responses=serializers.Availabilities)
    def get(self, request: Request) -> Response:
        """At most 100 SKUs; one that nobody knows is 0."""
        query = validated(serializers.LevelsQuery, request.query_params)
        return Response({"results": levels.available_of(skus=query["sku"])})


class LevelView(APIView):
    """How much of one SKU can be sold."""

    permission_classes = [AllowAny]

    @extend_schema(responses=serializers.Availability)
    def get(self, request: Request, sku: str) -> Response:
        """What is on hand and not reserved."""
        return Response(levels.available(sku=sku))


class MovementsView(APIView):
    """Staff write the ledger."""

    permission_classes = [staff("warehouse")]

    @extend_schema(parameters=[KEY], request=serializers.MovementRequest, responses={201: serializers.MovementEntry})
    def post(self, request: Request) -> HttpResponse:
        """A receipt or an adjustment. With an Idempotency-Key it is done once, however often it is sent."""
        body = validated(serializers.MovementRequest, request.data)
        key = keys.key_of(request, required=False)
        with transaction.atomic():
            claim = None
            if key:
                print_ = keys.fingerprint(request, body)
                claim = keys.claim(scope=f"staff:{request.user.id}", key=key, fingerprint=print_)
                if claim.answer:
                    return claim.answer
            act = levels.receive if body.pop("kind") == Movement.Kind.RECEIPT else levels.adjust
            answer = orjson.dumps(serializers.movement(act(**body, actor=f"staff:{request.user.id}")))
            if claim:
                keys.complete(claim.record, status=201, body=answer)
        return HttpResponse(answer, status=201, content_type="application/json")


class SkuMovementsView(APIView):
    """Staff read the ledger."""

    permission_classes = [WAREHOUSE]

    @extend_schema(parameters=[serializers.MovementsQuery], responses=serializers.MovementPage)
    def get(self, request: Request, sku: str) -> Response:
        """The entries of a SKU, newest first."""
        query = validated(serializers.MovementsQuery, request.query_params)
        levels.available(sku=sku)
        rows = Movement.objects.filter(level=sku)
        render = lambda found: [serializers.movement(row) for row in found]  # noqa: E731
        return Response(
            page(request, rows, keys=["-id"], limit=query["limit"], cursor=query.get("cursor"), render=render)
        )


class ReservationView(APIView):
    """Goods set aside for an order, under the order's id."""

    permission_classes = [services("orders")]

    @extend_schema(
        request=serializers.ReservationRequest,
        responses={200: serializers.ReservationAnswer, 201: serializers.ReservationAnswer},
    )
    def put(self, request: Request, id: UUID) -> Response:
        """Reserves all or nothing; the same lines again renew."""
        body = validated(serializers.ReservationRequest, request.data)
        held = reservations.reserve(id=id, lines=serializers.merged(body["lines"]), ttl=body["ttl"])
        return Response(serializers.reservation(held), status=201 if held.created else 200)


class ReservationStepView(APIView):
    """What becomes of a reservation; every step may be repeated."""

    permission_classes = [services("orders")]
    step = staticmethod(reservations.commit)

    @extend_schema(request=None, responses=serializers.ReservationAnswer)
    def post(self, request: Request, id: UUID) -> Response:
        """Commit sells, release gives up, return puts sold goods back."""
        return Response(serializers.reservation(self.step(id=id)))


class SaleView(APIView):
    """Reservations of many orders, sold at once."""

    permission_classes = [services("orders")]

    @extend_schema(exclude=True)
    def post(self, request: Request) -> Response:
        """Says which were sold by this call; a commit of its own tells of each other one why not."""
        body = validated(serializers.SaleRequest, request.data)
        return Response({"sold": [str(id) for id in reservations.commit_all(ids=body["ids"])]})


class AvailabilityView(APIView):
    """How much of many SKUs can be sold: a POST, since a thousand SKUs are too much for a query."""

    permission_classes = [services("cart", "orders")]

    @extend_schema(exclude=True)
    def post(self, request: Request) -> Response:
        """At most 1,000 SKUs, answered in the order asked; one that nobody knows is 0."""
        body = validated(serializers.AvailabilityRequest, request.data)
        return Response({"results": levels.available_of(skus=body["skus"])})


class ReceiptsView(APIView):
    """Receipts of an import, many at once."""

    permission_classes = [services("products")]

    @extend_schema(exclude=True)
    def post(self, request: Request) -> Response:
        """Each SKU is received at most once under the reference."""
        body = validated(serializers.ReceiptsRequest, request.data)
        count = levels.receive_all(
            lines=serializers.merged(body["lines"]), reference=body["reference"], actor="service:products"
        )
        return Response({"received": count})
