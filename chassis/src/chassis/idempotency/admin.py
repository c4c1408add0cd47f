"""The accounts of a service that sends its staff to the provider: copies of people from there, and local accounts.

Here because the chassis's one app is where Django looks. The provider has accounts of its own kind.
"""

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm


class AccountForm(UserChangeForm):
    """An account's fields; its name is kept in lower case, as the local sign-in looks for it."""

    def clean_username(self) -> str:
        """The name in the form that accounts are known by."""
        return str(self.cleaned_data["username"]).lower()


class NewAccountForm(UserCreationForm):
    """A new local account."""

    def clean_username(self) -> str | None:
        """The name in the form that accounts are known by; none where there is one already."""
        name: str | None = super().clean_username()
        return name and name.lower()


class AccountAdmin(UserAdmin, ModelAdmin):
    form = AccountForm
    add_form = NewAccountForm
    change_password_form = AdminPasswordChangeForm
    add_fieldsets = [(None, {"fields": ["username", "password1", "password2"]})]
    list_before_template = change_form_before_template = "chassis/accounts.html"


class RoleAdmin(GroupAdmin, ModelAdmin):
    list_before_template = change_form_before_template = "chassis/roles.html"


if get_user_model() is User:
    admin.site.unregister([User, Group])
    admin.site.register(User, AccountAdmin)
    admin.site.register(Group, RoleAdmin)
