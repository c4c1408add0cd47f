"""Who asks."""

from typing import cast

from chassis.tokens import Principal
from rest_framework.request import Request


def customer(request: Request) -> str:
    """The id of the account whose access token came along."""
    return cast(Principal, request.user).id
