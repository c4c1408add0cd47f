"""Parse, one call of the domain, render: a customer's addresses."""

from uuid import UUID

from chassis.auth import SignedIn
from chassis.fields import validated
from chassis.json import Response
from chassis.pages import page
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from customers import caller, serializers
from customers.domain import addresses


class AddressesView(APIView):
    """The addresses of one's own account."""

    permission_classes = [SignedIn]

    @extend_schema(parameters=[serializers.AddressesQuery], responses=serializers.AddressPage)
    def get(self, request: Request) -> Response:
        """In the order they were added."""
        query = validated(serializers.AddressesQuery, request.query_params)
        rows = addresses.of(customer=caller.customer(request))
        render = lambda found: [serializers.address(row) for row in found]  # noqa: E731
        return Response(
            page(request, rows, keys=["created", "id"], limit=query["limit"], cursor=query.get("cursor"), render=render)
        )

    @extend_schema(request=serializers.AddressRequest, responses={201: serializers.AddressAnswer})
    def post(self, request: Request) -> Response:
        """At most 50; the first is the default."""
        body = validated(serializers.AddressRequest, request.data)
        return Response(serializers.address(addresses.add(customer=caller.customer(request), **body)), status=201)


class AddressView(APIView):
    """One of them."""

    permission_classes = [SignedIn]

    @extend_schema(responses=serializers.AddressAnswer)
    def get(self, request: Request, id: UUID) -> Response:
        """The address."""
        return Response(serializers.address(addresses.get(customer=caller.customer(request), id=id)))

    @extend_schema(request=serializers.AddressRequest, responses=serializers.AddressAnswer)
    def patch(self, request: Request, id: UUID) -> Response:
        """Changes what is given; the default moves by naming another one."""
        body = validated(serializers.AddressRequest, request.data, partial=True)
        return Response(serializers.address(addresses.change(customer=caller.customer(request), id=id, **body)))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, id: UUID) -> Response:
        """The newest of the others takes over as the default."""
        addresses.remove(customer=caller.customer(request), id=id)
        return Response(status=204)
