"""Parse, one call of the domain, render."""

import uuid
from typing import Any

from chassis.auth import SignedIn, services
from chassis.fields import Nothing, validated
from chassis.json import Response
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from cart import serializers
from cart.domain import carts, checkouts, claims, lines, privacy
from cart.domain.prices import priced


class CartsView(APIView):
    """Carts are opened here."""

    permission_classes = [AllowAny]

    @extend_schema(request=None, responses={201: serializers.CartAnswer})
    def post(self, request: Request) -> Response:
        """A new empty cart: the customer's with a token, else a guest's, which is as secret as its id."""
        validated(Nothing, request.data)
        opened = carts.open_cart(customer=_customer(request))
        return Response(serializers.cart(priced(opened)), status=201)


class CurrentView(APIView):
    """The customer's own cart, whatever its id."""

    permission_classes = [SignedIn]

    @extend_schema(responses=serializers.CartAnswer)
    def get(self, request: Request) -> Response:
        """The newest cart that the customer opened or claimed; a new one where there is none."""
        return Response(serializers.cart(priced(carts.current(customer=_signed_in(request)))))


class CartView(APIView):
    """A cart: a guest's for whoever knows its id, a customer's for that customer."""

    permission_classes = [AllowAny]

    @extend_schema(responses=serializers.CartAnswer)
    def get(self, request: Request, id: uuid.UUID) -> Response:
        """The cart at today's prices."""
        return Response(serializers.cart(priced(carts.look(id=id, customer=_customer(request)))))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, id: uuid.UUID) -> Response:
        """The cart is gone, lines and all."""
        carts.delete(id=id, customer=_customer(request))
        return Response(status=204)


class LineView(APIView):
    """A line of a cart; both ways of changing it answer the whole cart."""

    permission_classes = [AllowAny]

    @extend_schema(request=serializers.QuantityRequest, responses=serializers.CartAnswer)
    def put(self, request: Request, id: uuid.UUID, sku: str) -> Response:
        """Sets the quantity."""
        body = validated(serializers.QuantityRequest, request.data)
        cart = lines.put(id=id, customer=_customer(request), sku=sku, quantity=body["quantity"])
        return Response(serializers.cart(cart))

    @extend_schema(responses={200: serializers.CartAnswer})
    def delete(self, request: Request, id: uuid.UUID, sku: str) -> Response:
        """Takes the line out; 200 also where there is none."""
        return Response(serializers.cart(lines.remove(id=id, customer=_customer(request), sku=sku)))


class ClaimView(APIView):
    """From guest to customer."""

    permission_classes = [SignedIn]

    @extend_schema(request=None, responses=serializers.CartAnswer)
    def post(self, request: Request, id: uuid.UUID) -> Response:
        """Makes a guest's cart mine, and the lines of my current one move into it. May be repeated."""
        validated(Nothing, request.data)
        customer = _signed_in(request)
        claims.claim(id=id, customer=customer)
        return Response(serializers.cart(priced(carts.read(id=id, customer=customer))))


class CheckoutView(APIView):
    """An order is being made of a cart."""

    permission_classes = [services("orders")]

    @extend_schema(exclude=True)
    def put(self, request: Request, id: uuid.UUID, order: uuid.UUID) -> Response:
        """Begins, or goes on; answers what is in the cart."""
        body = validated(serializers.CheckoutRequest, request.data)
        return Response(serializers.contents(checkouts.begin(id=id, order=order, **body)))

    @extend_schema(exclude=True)
    def delete(self, request: Request, id: uuid.UUID, order: uuid.UUID) -> Response:
        """Ends without an order."""
        checkouts.end(id=id, order=order)
        return Response(status=204)


class ConsumeView(APIView):
    """An order has been made of a cart."""

    permission_classes = [services("orders")]

    @extend_schema(exclude=True)
    def post(self, request: Request, id: uuid.UUID) -> Response:
        """What was ordered leaves the cart, once per order."""
        body = validated(serializers.ConsumeRequest, request.data)
        checkouts.consume(id=id, order=body["order"], lines=serializers.merged(body["lines"]))
        return Response({"id": str(id)})


class PurchasesView(APIView):
    """Orders have been made of several carts."""

    permission_classes = [services("orders")]

    @extend_schema(exclude=True)
    def post(self, request: Request) -> Response:
        """What each order has bought leaves its cart, once per order."""
        body = validated(serializers.PurchasesRequest, request.data)
        checkouts.consume_all(bought=[serializers.purchase(each) for each in body["orders"]])
        return Response({})


class CustomerView(APIView):
    """All that carts hold of a customer."""

    permission_classes = [services("customers")]

    @extend_schema(exclude=True)
    def get(self, request: Request, id: uuid.UUID) -> Response:
        """A copy."""
        return Response({"carts": privacy.held(customer=id)})

    @extend_schema(exclude=True)
    def delete(self, request: Request, id: uuid.UUID) -> Response:
        """Erases it. May be repeated."""
        privacy.erase(customer=id)
        return Response(status=204)


def _customer(request: Request) -> uuid.UUID | None:
    """Who is signed in, None for a guest."""
    user: Any = request.user
    return uuid.UUID(user.customer_id) if user and user.customer_id else None


def _signed_in(request: Request) -> uuid.UUID:
    customer = _customer(request)
    assert customer is not None  # the permission has seen to it
    return customer
