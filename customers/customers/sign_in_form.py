"""The sign-in page of the staff, for all five admins: e-mail and password, then a code where one has enrolled."""

from typing import Any

from chassis.errors import DomainError
from chassis.origin import origin
from django import forms
from django.core import signing
from django.core.exceptions import ValidationError
from unfold.forms import AuthenticationForm
from unfold.widgets import BASE_INPUT_CLASSES

from customers.domain import second_factor, sign_in
from customers.models import Customer

_SALT = "customers.first-factor"
_SECONDS = 300
"""How long somebody may take to find the code."""
NOT_STAFF = "This is a customer's account. Only staff of the shop sign in here."


class SignInForm(AuthenticationForm):
    """``proof`` says, in the second step, that the password was right; it holds for five minutes."""

    data: Any
    proof = forms.CharField(required=False, widget=forms.HiddenInput)
    otp = forms.CharField(required=False, max_length=40, label="Code")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = "E-mail"
        look = {"class": " ".join(BASE_INPUT_CLASSES), "autocomplete": "one-time-code", "autofocus": ""}
        self.fields["otp"].widget.attrs |= look | {"inputmode": "text", "spellcheck": "false"}
        self.passed, self.waits_for_code = self.data.get("proof", ""), False
        if self.passed:
            self.fields["username"].required = self.fields["password"].required = False

    def clean(self) -> dict[str, Any]:
        """The account that signs in; refusals in the words of the domain."""
        try:
            customer = self._known() if self.passed else self._by_password()
            if not customer.is_staff:
                raise ValidationError(NOT_STAFF, code="not_staff")
            self.passed = self.passed or signing.dumps(_fingerprint(customer), salt=_SALT)
            second_factor.check(customer=customer, code=self.cleaned_data.get("otp", "").strip())
        except second_factor.CodeRequired:
            self.waits_for_code = True
            raise ValidationError(
                "Enter the code of your authenticator app, or a recovery code.", code="otp_required"
            ) from None
        except DomainError as refusal:
            self.data = self.data.copy()  # whoever tries again types the code anew
            self.data["otp"] = ""
            raise ValidationError(refusal.detail or refusal.title, code=refusal.code) from None
        self.user_cache = customer
        return dict(self.cleaned_data)

    def _by_password(self) -> Customer:
        email, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if not email or not password:
            raise ValidationError("Enter your e-mail address and your password.", code="required")
        return sign_in.authenticate(email=email.strip().lower(), password=password, origin=origin(self.request))

    def _known(self) -> Customer:
        try:
            id, password = signing.loads(self.passed, salt=_SALT, max_age=_SECONDS)
        except signing.BadSignature:
            id, password = None, None
        customer = Customer.objects.filter(pk=id, is_active=True).first() if id else None
        if customer is None or _fingerprint(customer) != [id, password]:
            self.passed = ""
            raise ValidationError("This took too long. Enter e-mail and password again.", code="too_late")
        return customer


def _fingerprint(customer: Customer) -> list[str]:
    """Another one as soon as the password changes."""
    return [str(customer.pk), customer.get_session_auth_hash()]
