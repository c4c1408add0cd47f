"""The local accounts of people who sign in at the provider: named by their id there, without a password."""

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group

from chassis.staff import ROLES


def account_of(claims: dict[str, Any]) -> Any:
    """The account of the provider's claims, made where there is none; e-mail, name and roles follow the claims."""
    user, _ = get_user_model().objects.get_or_create(username=claims["sub"], defaults={"password": "!"})
    shown = claims["name"] or claims["email"].partition("@")[0]
    wanted = {"email": claims["email"], "first_name": shown[:150], "is_staff": True, "is_active": True}
    if any(getattr(user, field) != value for field, value in wanted.items()):
        get_user_model().objects.filter(pk=user.pk).update(**wanted)
        user.refresh_from_db()
    roles = {role for role in claims["roles"] if role in ROLES}
    if roles != set(user.groups.values_list("name", flat=True)):
        user.groups.set(Group.objects.filter(name__in=roles))
    return user
