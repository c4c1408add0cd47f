import os
import time
from pathlib import Path
from typing import Any

import structlog
from django.db import connection
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from chassis.answer_first import AnswerFirst
from chassis.auth import SignedIn, services, staff
from chassis.errors import DomainError
from chassis.fields import Boolean, Integer, Sku, StrictSerializer, Text, validated
from chassis.http import ServiceClient
from chassis.json import Response
from chassis.urls import HANDLERS, service_urls

globals().update(HANDLERS)


class EchoBody(StrictSerializer):
    text = Text(max_length=20)
    number = Integer(min_value=1, max_value=9)
    sku = Sku(required=False)
    flag = Boolean(required=False)


class Full(DomainError):
    code, title, retry_after = "full", "It is full", 7


class WhoAreYou(DomainError):
    status, code, title = 401, "who_are_you", "Sign in first"


class Echo(APIView):
    permission_classes = [AllowAny]

    def get(self, request: Request) -> Response:
        return Response({"ok": True})

    @extend_schema(request=EchoBody, responses=EchoBody)
    def post(self, request: Request) -> Response:
        return Response(validated(EchoBody, request.data))

    def put(self, request: Request) -> Response:
        raise Full("No room for more.", room=0)

    def options(self, request: Request) -> Response:  # type: ignore[override]
        raise WhoAreYou

    def delete(self, request: Request) -> Response:
        raise RuntimeError("a secret that no client may see")


class WhoAmI(APIView):
    permission_classes = [AllowAny]

    def get(self, request: Request) -> Response:
        user: Any = request.user
        return Response({} if user is None else {"kind": user.kind, "id": user.id, "roles": sorted(user.roles)})


class ForCustomers(WhoAmI):
    permission_classes = [SignedIn]


class ForWarehouse(WhoAmI):
    permission_classes = [staff("warehouse")]


class ForOrders(WhoAmI):
    permission_classes = [services("orders")]


class Goods(APIView):
    permission_classes = [AllowAny]

    def get(self, request: Request, sku: str) -> Response:
        return Response(sku)


class Relay(APIView):
    permission_classes = [AllowAny]

    def get(self, request: Request) -> Response:
        with connection.cursor() as cursor:
            cursor.execute("SELECT %s AS kept_back", ["a value"])
        answer = ServiceClient("stock", [os.environ["NEXT_URL"]]).call("GET", "/api/v1/stock/who")
        return Response(answer.body)


class Slow(APIView):
    permission_classes = [AllowAny]

    def get(self, request: Request) -> Response:
        time.sleep(float(request.GET.get("seconds", "0.5")))
        return Response("late")


class First(APIView):
    permission_classes = [AllowAny]

    def get(self, request: Request) -> AnswerFirst:
        return AnswerFirst(b"{}", headers={"Content-Type": "application/json"}, then=self._rest)

    def _rest(self) -> None:
        while not Path(os.environ["GATE"]).exists():
            time.sleep(0.01)
        structlog.get_logger("first").info("rest_done")


class ForNobodyNamed(APIView):
    def get(self, request: Request) -> Response:
        return Response("reached")


urlpatterns = [
    *service_urls("tests.empty"),
    path("api/v1/stock/echo", Echo.as_view()),
    path("api/v1/stock/goods/<sku:sku>", Goods.as_view()),
    path("api/v1/stock/relay", Relay.as_view()),
    path("api/v1/stock/slow", Slow.as_view()),
    path("api/v1/stock/first", First.as_view()),
    path("api/v1/stock/who", WhoAmI.as_view()),
    path("api/v1/stock/customers", ForCustomers.as_view()),
    path("api/v1/stock/warehouse", ForWarehouse.as_view()),
    path("api/v1/stock/orders", ForOrders.as_view()),
    path("api/v1/stock/default", ForNobodyNamed.as_view()),
]
