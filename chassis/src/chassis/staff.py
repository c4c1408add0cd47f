"""The staff: the account that ``up`` makes sure of, and what each role may do in the admins."""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatch
from importlib import import_module

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission

ROLES = ("catalogue", "warehouse", "orders", "support", "owner")
"""The staff roles. Each is a group of the same name in every service, and a word in the tokens of its people."""


def ensure_owner(*, email: str, password: str) -> None:
    """Creates the account, or sets its password anew; says nothing when all is as it should be."""
    model = get_user_model()
    email = email.strip().lower()
    user = model.objects.filter(**{model.USERNAME_FIELD: email}).first() or model(**{model.USERNAME_FIELD: email})
    if user.pk and user.is_superuser and user.check_password(password):
        return
    user.email, user.is_staff, user.is_superuser, user.is_active = email, True, True, True
    user.set_password(password)
    user.save()


def ensure_roles() -> None:
    """Makes the group of each role, and gives it what the service's ``roles.py`` says; an owner may everything.

    Permissions are patterns of ``app.codename``, as in ``stock.view_*``. What a group had besides is taken away.
    """
    granted: Mapping[str, Sequence[str]] = import_module(settings.STAFF_ROLES).PERMISSIONS
    everything = {
        f"{permission.content_type.app_label}.{permission.codename}": permission
        for permission in Permission.objects.select_related("content_type")
    }
    for role in ROLES:
        patterns = ["*"] if role == "owner" else granted.get(role, [])
        names = [name for name in everything if any(fnmatch(name, pattern) for pattern in patterns)]
        Group.objects.get_or_create(name=role)[0].permissions.set([everything[name] for name in names])
