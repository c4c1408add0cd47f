"""The staff account that ``up`` makes sure of: the shop's owner, who may everything."""

from django.contrib.auth import get_user_model


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
