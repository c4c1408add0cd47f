"""Accounts, what they signed in with, and what is to be told them. What must always hold is a constraint here."""

import uuid
from typing import Any

from chassis.staff import ROLES
from django.apps import apps
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Lower, Now

DIGEST_LENGTH = 64


class CustomerManager(BaseUserManager["Customer"]):
    """What Django's commands and sign-in ask of a user model."""

    def get_by_natural_key(self, username: str | None) -> "Customer":
        """The account of an e-mail address, however it is written."""
        return self.get(email=(username or "").strip().lower())

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "Customer":
        """A new account."""
        customer = self.model(email=email.strip().lower(), **fields)
        customer.set_password(password)
        customer.save()
        return customer

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "Customer":
        """A new owner of the shop."""
        return self.create_user(email, password, **fields, is_staff=True, is_superuser=True)


class Customer(AbstractBaseUser, PermissionsMixin):
    """An account: a customer's, or one of the shop's own people. A closed one stays as a row without a person in it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(max_length=254, help_text="In lower case; names the account.")
    email_verified = models.BooleanField(default=False, db_default=False)
    pending_email = models.EmailField(
        max_length=254, blank=True, default="", db_default="", help_text="Takes the place of the e-mail once verified."
    )
    name = models.CharField(max_length=200, blank=True, default="")
    is_staff = models.BooleanField(
        "staff", default=False, db_default=False, help_text="May sign in to the admins; groups are roles."
    )
    is_active = models.BooleanField("active", default=True, db_default=True, help_text="May sign in.")
    created = models.DateTimeField(db_default=Now())
    closed = models.DateTimeField(null=True, blank=True, editable=False)

    objects = CustomerManager()
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = []

    class Meta:
        ordering = ["-created", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["email"], name="customer_email_once"),
            models.CheckConstraint(condition=Q(email=Lower("email")), name="customer_email_in_lower_case"),
            models.CheckConstraint(
                condition=Q(closed=None) | Q(is_active=False, is_staff=False, is_superuser=False, name=""),
                name="customer_closed_is_nobody",
            ),
        ]
        indexes = [models.Index(fields=["-created", "-id"], name="customer_newest")]
        permissions = [
            ("help_customer", "Can end sessions and have mails sent again"),
            ("give_rights", "Can give rights, and change the accounts of colleagues"),
        ]

    def __str__(self) -> str:
        return self.email

    def save(self, *args: Any, **kwargs: Any) -> None:
        """A new password ends every session, whoever sets it: the customer, a reset, the admin, chassis.prepare."""
        new_password = self._password is not None
        with transaction.atomic():
            super().save(*args, **kwargs)
            if new_password:
                Session.objects.filter(customer=self, ended=None).update(ended=Now(), reason=Session.Reason.PASSWORD)
                # What the provider gave the other admins; its own sessions end by their hash of the password.
                apps.get_model("allauth_idp_oidc", "Token").objects.filter(user=self).delete()

    def take_password(self, password: str, encoded: str) -> None:
        """``set_password`` for a password that was hashed before, outside of the transaction."""
        self.password, self._password = encoded, password

    @property
    def roles(self) -> list[str]:
        """The staff roles, sorted; empty for a customer. A superuser is an owner."""
        if not self.is_staff:
            return []
        named = {"owner"} if self.is_superuser else set[str]()
        return sorted(named | {group.name for group in self.groups.all() if group.name in ROLES})


class Session(models.Model):
    """A sign-in and the family of refresh tokens that came of it: when one of them is used twice, the family ends."""

    class Reason(models.TextChoices):
        REVOKED = "revoked"
        REUSE = "reuse"
        PASSWORD = "password"
        ADMIN = "admin"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="sessions", db_index=False)
    created = models.DateTimeField(db_default=Now())
    ended = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=10, choices=Reason, blank=True, default="", db_default="")

    class Meta:
        ordering = ["-created", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ended=None, reason="")
                | Q(ended__isnull=False, reason__in=["revoked", "reuse", "password", "admin"]),
                name="session_ended_for_a_reason",
            )
        ]
        indexes = [models.Index(fields=["customer", "-created", "-id"], name="session_of_a_customer")]

    def __str__(self) -> str:
        return str(self.id)


class RefreshToken(models.Model):
    """A link of a session's chain of refresh tokens, as its SHA-256. Used ones are kept, so that reuse is noticed."""

    digest = models.CharField(max_length=DIGEST_LENGTH, primary_key=True, db_collation="C")
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="tokens", db_index=False)
    created = models.DateTimeField(db_default=Now())
    expires = models.DateTimeField()
    used = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created"]
        constraints = [
            models.CheckConstraint(condition=Q(expires__gt=F("created")), name="refresh_token_expires_later"),
            # However two refreshes race, a family never forks.
            models.UniqueConstraint(fields=["session"], condition=Q(used=None), name="refresh_token_one_unused"),
        ]
        indexes = [
            models.Index(fields=["expires"], name="refresh_token_to_forget"),
            models.Index(fields=["session", "-created"], name="refresh_token_of_a_session"),
        ]

    def __str__(self) -> str:
        return f"of {self.session_id}"


class MailedToken(models.Model):
    """What a mail holds to prove that its reader owns the address, as its SHA-256."""

    class Purpose(models.TextChoices):
        VERIFY_EMAIL = "verify_email"
        PASSWORD_RESET = "password_reset"

    digest = models.CharField(max_length=DIGEST_LENGTH, primary_key=True, db_collation="C")
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="mailed_tokens")
    purpose = models.CharField(max_length=20, choices=Purpose)
    email = models.EmailField(max_length=254, help_text="The address it was sent to.")
    created = models.DateTimeField(db_default=Now())
    expires = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(purpose__in=["verify_email", "password_reset"]), name="mailed_token_purpose_known"
            ),
            models.CheckConstraint(condition=Q(expires__gt=F("created")), name="mailed_token_expires_later"),
        ]
        indexes = [models.Index(fields=["expires"], name="mailed_token_to_forget")]

    def __str__(self) -> str:
        return f"{self.purpose} of {self.customer_id}"


class Mail(models.Model):
    """The outbox: a mail that has to be sent, written with what it tells of. It holds no secret: the worker makes the
    token when it sends, and keeps only the token's digest."""

    class Kind(models.TextChoices):
        WELCOME = "welcome"
        KNOWN_ADDRESS = "known_address"
        VERIFY_EMAIL = "verify_email"
        PASSWORD_RESET = "password_reset"
        PASSWORD_CHANGED = "password_changed"
        EMAIL_CHANGED = "email_changed"
        ACCOUNT_CLOSED = "account_closed"

    kind = models.CharField(max_length=20, choices=Kind)
    recipient = models.EmailField(max_length=254)
    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, null=True, related_name="mails", help_text="Whose address it verifies."
    )
    created = models.DateTimeField(db_default=Now())
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    next_attempt = models.DateTimeField(db_default=Now())
    sent = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    kind__in=[
                        "welcome",
                        "known_address",
                        "verify_email",
                        "password_reset",
                        "password_changed",
                        "email_changed",
                        "account_closed",
                    ]
                ),
                name="mail_kind_known",
            ),
            models.CheckConstraint(condition=Q(sent=None) | Q(attempts__gt=0), name="mail_sent_by_an_attempt"),
        ]
        indexes = [
            models.Index(fields=["next_attempt"], condition=Q(sent=None), name="mail_to_send"),
            models.Index(fields=["created"], name="mail_to_forget"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class Throttle(models.Model):
    """How far a key's failures have run ahead: the time at which its bucket is whole again (GCRA, see throttle.py)."""

    key = models.CharField(max_length=DIGEST_LENGTH, primary_key=True, db_collation="C")
    whole_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.key


class SigningKey(models.Model):
    """A key pair for access tokens. Published before it signs and after, so that no verifier ever misses it."""

    kid = models.CharField(max_length=43, primary_key=True, db_collation="C")
    public = models.JSONField(help_text="The public half, a JWK (RFC 7517).")
    private = models.TextField(help_text="The private half, PEM, encrypted with a key made of SECRET_KEY.")
    created = models.DateTimeField(db_default=Now())
    signs_from = models.DateTimeField(db_default=Now())
    published_until = models.DateTimeField(null=True, help_text="Set when another key takes over.")

    class Meta:
        ordering = ["-signs_from"]

    def __str__(self) -> str:
        return self.kid


class SecondFactor(models.Model):
    """An authenticator app (RFC 6238) that an account has been enrolled with; it counts once it was confirmed."""

    customer = models.OneToOneField(Customer, on_delete=models.CASCADE, primary_key=True, related_name="second_factor")
    secret = models.TextField(help_text="Shared with the app, encrypted with a key made of SECRET_KEY.")
    confirmed = models.DateTimeField(null=True, help_text="When the first code was right.")
    last_step = models.BigIntegerField(default=0, help_text="The 30 seconds of the last code: none counts twice.")
    created = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(last_step__gte=0), name="second_factor_step_not_negative")]

    def __str__(self) -> str:
        return f"of {self.customer_id}"


class RecoveryCode(models.Model):
    """What stands in for a lost authenticator app, once; kept as a keyed digest."""

    digest = models.CharField(max_length=DIGEST_LENGTH, primary_key=True, db_collation="C")
    factor = models.ForeignKey(SecondFactor, on_delete=models.CASCADE, related_name="recovery_codes")
    used = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"of {self.factor_id}"


class Address(models.Model):
    """A place to send goods to. The customer's first one is the default until another is made it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="addresses", db_index=False)
    name = models.CharField(max_length=200)
    line1 = models.CharField(max_length=200)
    line2 = models.CharField(max_length=200, blank=True, default="")
    city = models.CharField(max_length=200)
    postal_code = models.CharField(max_length=20, blank=True, default="")
    country = models.CharField(max_length=2, help_text="ISO 3166-1 alpha-2.")
    default = models.BooleanField(default=False)
    created = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "addresses"
        ordering = ["created", "id"]
        constraints = [
            models.UniqueConstraint(fields=["customer"], condition=Q(default=True), name="address_one_default"),
            models.CheckConstraint(condition=Q(country__regex="^[A-Z]{2}$"), name="address_country_two_letters"),
        ]
        indexes = [models.Index(fields=["customer", "created", "id"], name="address_of_a_customer")]

    def __str__(self) -> str:
        return f"{self.name}, {self.city}"


class Erasure(models.Model):
    """That a customer's data is to be erased in all services; the worker repeats it until they have confirmed."""

    customer = models.UUIDField(primary_key=True, help_text="The closed account's id, which names nobody.")
    requested = models.DateTimeField(db_default=Now())
    erased = models.DateTimeField(null=True, help_text="When every service had confirmed for the first time.")
    completed = models.DateTimeField(null=True, help_text="When they had again, and no token could be left.")
    attempts = models.PositiveIntegerField(default=0, db_default=0)
    next_attempt = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-requested"]
        constraints = [
            models.CheckConstraint(
                condition=Q(completed=None) | Q(erased__isnull=False), name="erasure_erased_before_completed"
            )
        ]
        indexes = [models.Index(fields=["next_attempt"], condition=Q(completed=None), name="erasure_to_do")]

    def __str__(self) -> str:
        return str(self.customer)


class PrivacyEvent(models.Model):
    """What was done for a customer's right to their data, append-only and without any of that data."""

    class Event(models.TextChoices):
        EXPORTED = "exported"
        ERASURE_REQUESTED = "erasure_requested"
        ERASED = "erased"
        COMPLETED = "completed"

    customer = models.UUIDField()
    event = models.CharField(max_length=20, choices=Event)
    created = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(event__in=["exported", "erasure_requested", "erased", "completed"]),
                name="privacy_event_known",
            )
        ]
        indexes = [models.Index(fields=["customer", "-id"], name="privacy_of_a_customer")]

    def __str__(self) -> str:
        return f"{self.event} {self.customer}"
