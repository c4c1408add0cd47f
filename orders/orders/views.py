"""Parse, one call of the domain, render."""

import hashlib
from collections.abc import Callable
from typing import Any
from uuid import UUID

from chassis.answer_first import AnswerFirst
from chassis.auth import SignedIn, is_staff, services, staff
from chassis.errors import Invalid
from chassis.fields import Nothing, validated
from chassis.idempotency import keys
from chassis.json import Response
from chassis.pages import page
from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from orders import serializers
from orders.domain import checkout, lifecycle, orders, privacy
from orders.domain.documents import location
from orders.models import Order

ORDER_STAFF = ("orders", "support")
KEY = keys.described(required=True)
DONE = {200: serializers.OrderAnswer, 202: serializers.OrderAnswer}
ACCESS = OpenApiParameter("access_token", str, OpenApiParameter.QUERY, description="a guest's, from the order")


class OrdersView(APIView):
    """Place an order; list them."""

    def get_permissions(self) -> list[Any]:
        """Guests may order; whoever lists is signed in."""
        return [AllowAny() if self.request.method == "POST" else SignedIn()]

    @extend_schema(parameters=[serializers.OrdersQuery], responses=serializers.OrderPage)
    def get(self, request: Request) -> Response:
        """Mine; for staff everyone's."""
        query = validated(serializers.OrdersQuery, request.query_params)
        customer = None if is_staff(request.user, *ORDER_STAFF) else customer_of(request)
        rows = orders.search(customer=customer, status=query.get("status", ""), q=query.get("q", ""))
        limits = {"limit": query["limit"], "cursor": query.get("cursor")}
        return Response(page(request, rows, keys=["-created", "id"], render=orders.documents_of, **limits))

    @extend_schema(
        parameters=[KEY],
        request=serializers.OrderRequest,
        responses={201: serializers.OrderAnswer, 202: serializers.OrderAnswer},
    )
    def post(self, request: Request) -> HttpResponse:
        """Orders what is in a cart, once per Idempotency-Key; 202 when it has to go on by itself."""
        key = keys.key_of(request)
        body = validated(serializers.OrderRequest, request.data)
        customer = customer_of(request)
        placed = checkout.place(
            request=_order_request(body, customer),
            scope=f"customer:{customer}" if customer else f"guest:{hashlib.sha256(body['cart'].bytes).hexdigest()}",
            key=key or "",
            fingerprint=keys.fingerprint(request, body),
            actor=actor(request),
        )
        if isinstance(placed, HttpResponse):
            return placed
        answer = placed.answer
        headers = {"Content-Type": "application/json", **answer.headers}
        return AnswerFirst(answer.body, status=answer.status, headers=headers, then=placed.finish)


class OrderView(APIView):
    """One order."""

    permission_classes = [AllowAny]

    @extend_schema(parameters=[ACCESS], responses=serializers.OrderAnswer)
    def get(self, request: Request, id: UUID) -> Response:
        """For its owner, for a guest with its access token, for staff."""
        return Response(orders.documents_of([_visible(request, id)])[0])


class EventsView(APIView):
    """What happened to an order."""

    permission_classes = [AllowAny]

    @extend_schema(parameters=[ACCESS], responses=serializers.Events)
    def get(self, request: Request, id: UUID) -> Response:
        """Oldest first."""
        return Response({"results": orders.events(order=_visible(request, id)), "next": None, "previous": None})


class CancelView(APIView):
    """Cancel an order."""

    permission_classes = [AllowAny]

    @extend_schema(parameters=[ACCESS], request=None, responses=DONE)
    def post(self, request: Request, id: UUID) -> Response:
        """Until it is shipped; what it needs time for goes on by itself. May be repeated."""
        validated(Nothing, request.data)
        return _done(lifecycle.cancel(order=_visible(request, id), actor=actor(request)))


class StepView(APIView):
    """What staff do with an order."""

    permission_classes = [staff("orders")]
    step: Callable[..., Order] = staticmethod(lifecycle.ship)

    @extend_schema(request=None, responses=DONE)
    def post(self, request: Request, id: UUID) -> Response:
        """Ship, deliver, refund, mark as paid; 409 ``invalid_transition`` where the state forbids it."""
        validated(Nothing, request.data)
        return _done(self.step(order=_visible(request, id), actor=actor(request)))


class CustomerView(APIView):
    """All that orders hold of a customer."""

    permission_classes = [services("customers")]

    @extend_schema(exclude=True)
    def get(self, request: Request, id: UUID) -> Response:
        """A copy."""
        return Response({"orders": privacy.held(customer=id)})

    @extend_schema(exclude=True)
    def delete(self, request: Request, id: UUID) -> Response:
        """Takes the person out of it. May be repeated, and has to be while orders are under way."""
        privacy.erase(customer=id)
        return Response(status=204)


def customer_of(request: Request) -> UUID | None:
    """The signed-in customer's id; None for a guest."""
    customer = getattr(request.user, "customer_id", None)
    return UUID(customer) if customer else None


def actor(request: Request) -> str:
    """Who did it, for the order's history."""
    customer = customer_of(request)
    if customer is None:
        return "guest"
    return f"{'staff' if is_staff(request.user) else 'customer'}:{customer}"


def _visible(request: Request, id: UUID) -> Order:
    return orders.visible(
        id=id,
        customer=customer_of(request),
        staff=is_staff(request.user, *ORDER_STAFF),
        access_token=request.query_params.get("access_token", ""),
    )


def _done(order: Order) -> Response:
    """The order; 202 where its end goes on by itself: a service or the provider does not answer now."""
    answer = orders.documents_of([order])[0]
    return Response(answer, status=202, headers={"Location": location(order)}) if order.ending else Response(answer)


def _order_request(body: dict[str, Any], customer: UUID | None) -> checkout.Request:
    payment, expected = body["payment"], body.get("expected_total")
    if payment["method"] == "invoice" and customer is None:
        raise Invalid("payment.method", "Sign in to pay by invoice.", code="sign_in_required")
    if expected and expected["currency"] != settings.CURRENCY:
        raise Invalid("expected_total.currency", f"This shop's currency is {settings.CURRENCY}.")
    return checkout.Request(
        cart=body["cart"],
        customer=customer,
        email=body["email"],
        shipping_address=dict(body["shipping_address"]),
        method=payment["method"],
        token=payment.get("token", ""),
        currency=settings.CURRENCY,
        expected_total=expected and expected["amount"],
    )
