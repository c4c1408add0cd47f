"""The support desk: accounts, their sessions and addresses, and the outbox. No password, token or key is ever shown."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.idp.oidc.models import Client, Token
from chassis.admin import ReadOnlyAdmin, ReasonForm, act_on_each, ask
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from unfold.admin import ModelAdmin, TabularInline
from unfold.contrib.filters.admin import RangeDateFilter
from unfold.decorators import action, display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from customers.domain import accounts, mails, sessions
from customers.models import Address, Customer, Erasure, Mail, PrivacyEvent, Session

# Groups are the roles, made by chassis.prepare; clients too are registered there.
admin.site.unregister([Group, EmailAddress, Client, Token])


class AddressInline(TabularInline):
    model = Address
    fields = readonly_fields = ["name", "line1", "line2", "city", "postal_code", "country", "default"]
    extra = 0
    can_delete = False
    tab = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class SessionInline(TabularInline):
    model = Session
    fields = readonly_fields = ["created", "ended", "reason"]
    extra = 0
    can_delete = False
    tab = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class AccountForm(UserChangeForm):
    """An account's fields; an address is kept in lower case, as everywhere."""

    def clean_email(self) -> str:
        """The address in the form that accounts are known by."""
        return str(self.cleaned_data["email"]).lower()


class NewAccountForm(UserCreationForm):
    """A new account, usually for one of the shop's own people."""

    class Meta:
        model = Customer
        fields = ["email", "name"]

    def clean_email(self) -> str:
        """The address in the form that accounts are known by."""
        return str(self.cleaned_data["email"]).lower()


@admin.register(Customer)
class CustomerAdmin(UserAdmin, ModelAdmin):
    form = AccountForm
    add_form = NewAccountForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["email", "name", "standing", "verified", "role_names", "created", "last_login"]
    list_display_links = ["email"]
    search_fields = ["email", "name"]
    list_filter = ["is_staff", "is_active", "email_verified", "groups", ("created", RangeDateFilter)]
    list_filter_submit = True
    list_per_page = 50
    show_full_result_count = False
    ordering = ["-created", "-id"]
    filter_horizontal = ["groups"]
    inlines = [AddressInline, SessionInline]
    readonly_fields = ["id", "pending_email", "created", "closed", "last_login"]
    fieldsets = [
        (None, {"fields": ["id", "email", "email_verified", "pending_email", "name", "password"]}),
        ("Rights", {"fields": ["is_active", "is_staff", "is_superuser", "groups"]}),
        ("Times", {"fields": ["created", "last_login", "closed"]}),
    ]
    add_fieldsets = [(None, {"fields": ["email", "name", "password1", "password2"]})]
    actions = ["end_sessions"]
    actions_detail = ["end_all_sessions", "close"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Customer]:
        rows: QuerySet[Customer] = super().get_queryset(request).prefetch_related("groups")
        return rows

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        """A new account has nothing yet."""
        return self.inlines if obj else []

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Only an owner gives rights, or moves an account to another address."""
        return self.readonly_fields + (
            [] if _gives_rights(request) else ["email", "is_active", "is_staff", "is_superuser", "groups"]
        )

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A colleague's account, password included, is an owner's affair; one that is closed is nobody's."""
        if not super().has_change_permission(request, obj) or (obj is not None and obj.closed):
            return False
        return obj is None or _gives_rights(request) or not (obj.is_superuser or obj.is_staff)

    def has_close_permission(self, request: HttpRequest, object_id: str = "") -> bool:
        """Who may change an account may close it; unfold asks with the id."""
        return self.has_change_permission(request, self.get_object(request, object_id) if object_id else None)

    def has_help_permission(self, request: HttpRequest, object_id: str = "") -> bool:
        """The support desk ends sessions of customers; those of colleagues are an owner's affair too."""
        if not _helps(request) or (obj := self.get_object(request, object_id) if object_id else None) is None:
            return _helps(request)
        return _gives_rights(request) or not (obj.is_superuser or obj.is_staff)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Accounts are closed, not deleted: orders refer to them."""
        return False

    @display(description="account", label={"active": "success", "off": "warning", "closed": ""})
    def standing(self, customer: Customer) -> str:
        if customer.closed:
            return "closed"
        return "active" if customer.is_active else "off"

    @display(description="verified", boolean=True, ordering="email_verified")
    def verified(self, customer: Customer) -> bool:
        return customer.email_verified

    @display(description="roles")
    def role_names(self, customer: Customer) -> str:
        return ", ".join(customer.roles) or "–"

    @admin.action(description="End all sessions", permissions=["help"])
    def end_sessions(self, request: HttpRequest, queryset: QuerySet[Customer]) -> None:
        rows = queryset if _gives_rights(request) else queryset.filter(is_staff=False, is_superuser=False)
        act_on_each(request, rows, _end_sessions, "customers signed out everywhere.")

    @action(description="End all sessions", url_path="end-sessions", icon="logout", permissions=["help"])
    def end_all_sessions(self, request: HttpRequest, object_id: str) -> HttpResponse:
        explanation = "Signs this account out everywhere. Access tokens live out their five minutes."
        return self._ask(request, object_id, "End all sessions", explanation, _end_sessions)

    @action(description="Close account", url_path="close", icon="person_off", permissions=["close"])
    def close(self, request: HttpRequest, object_id: str) -> HttpResponse:
        explanation = "Deletes name, addresses and sessions for good. Orders keep what the law wants. Not to be undone."
        return self._ask(request, object_id, "Close account", explanation, lambda one: accounts.close(id=str(one.pk)))

    def _ask(self, request: HttpRequest, id: str, title: str, explanation: str, act: Any) -> HttpResponse:
        customer = self.get_object(request, id)
        if customer is None or customer.closed:
            raise PermissionDenied

        def run(values: dict[str, Any]) -> str:
            act(customer)
            self.log_change(request, Customer.objects.get(pk=customer.pk), f"{title}: {values['reason']}")
            return f"{title}: done."

        return ask(
            request,
            self.admin_site,
            title=f"{title}: {customer}",
            explanation=explanation,
            form_class=ReasonForm,
            run=run,
            back=reverse("admin:customers_customer_change", args=[id]),
        )


@admin.register(Session)
class SessionAdmin(ReadOnlyAdmin):
    list_display = ["created", "customer", "standing", "ended", "refreshed"]
    search_fields = ["customer__email", "id"]
    list_filter = ["reason", ("created", RangeDateFilter)]
    list_filter_submit = True
    list_select_related = ["customer"]
    fields = ["id", "customer", "created", "ended", "reason", "refreshed"]
    readonly_fields = ["refreshed"]
    show_full_result_count = False
    actions = ["revoke"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Session]:
        used = Count("tokens", filter=Q(tokens__used__isnull=False))
        rows: QuerySet[Session] = super().get_queryset(request).annotate(refreshes=used)
        return rows

    @display(
        description="state",
        label={"active": "success", "revoked": "", "reuse": "danger", "password": "info", "admin": "warning"},
    )
    def standing(self, session: Session) -> str:
        return session.reason or "active"

    @display(description="times refreshed")
    def refreshed(self, session: Session) -> int:
        return int(getattr(session, "refreshes", 0))

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """The support desk."""
        return _helps(request)

    @admin.action(description="Revoke", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Session]) -> None:
        rows = queryset if _gives_rights(request) else queryset.filter(customer__is_staff=False)
        ended = sessions.end(ids=list(rows.values_list("pk", flat=True)))
        messages.success(request, f"{ended} sessions ended.")


@admin.register(Address)
class AddressAdmin(ReadOnlyAdmin):
    list_display = ["customer", "name", "line1", "city", "postal_code", "country", "default"]
    search_fields = ["customer__email", "name", "city", "postal_code"]
    list_filter = ["country"]
    list_select_related = ["customer"]
    show_full_result_count = False


class MailState(admin.SimpleListFilter):
    """What became of the mails."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("waiting", "Waiting"), ("failed", "Given up"), ("sent", "Sent")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Mail]) -> QuerySet[Mail]:
        match self.value():
            case "waiting":
                return queryset.filter(sent=None, attempts__lt=mails.MAX_ATTEMPTS)
            case "failed":
                return queryset.filter(sent=None, attempts__gte=mails.MAX_ATTEMPTS)
            case "sent":
                return queryset.filter(sent__isnull=False)
        return queryset


@admin.register(Mail)
class MailAdmin(ReadOnlyAdmin):
    list_display = ["created", "kind", "recipient", "standing", "attempts", "next_attempt", "sent"]
    search_fields = ["recipient"]
    list_filter = [MailState, "kind", ("created", RangeDateFilter)]
    list_filter_submit = True
    show_full_result_count = False
    actions = ["try_again"]

    @display(description="state", label={"sent": "success", "waiting": "info", "given up": "danger"})
    def standing(self, mail: Mail) -> str:
        if mail.sent:
            return "sent"
        return "waiting" if mail.attempts < mails.MAX_ATTEMPTS else "given up"

    def has_resend_permission(self, request: HttpRequest) -> bool:
        """The support desk."""
        return _helps(request)

    @admin.action(description="Try again now", permissions=["resend"])
    def try_again(self, request: HttpRequest, queryset: QuerySet[Mail]) -> None:
        count = mails.try_again(mails=list(queryset.values_list("pk", flat=True)))
        messages.success(request, f"{count} mails are due now.")


@admin.register(Erasure)
class ErasureAdmin(ReadOnlyAdmin):
    list_display = ["customer", "requested", "erased", "completed", "attempts", "next_attempt"]
    search_fields = ["=customer"]
    show_full_result_count = False


@admin.register(PrivacyEvent)
class PrivacyEventAdmin(ReadOnlyAdmin):
    list_display = ["created", "event", "customer"]
    search_fields = ["=customer"]
    list_filter = ["event"]
    show_full_result_count = False


def _gives_rights(request: HttpRequest) -> bool:
    return bool(request.user.has_perm("customers.give_rights"))


def _helps(request: HttpRequest) -> bool:
    return bool(request.user.has_perm("customers.help_customer"))


def _end_sessions(customer: Customer) -> None:
    sessions.end_all(customer=customer)
