"""Who may see and do what in the admin."""

import pytest

from customers.domain import mails, sessions
from customers.models import Customer, Mail, Session
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db
ADMIN = "/admin/customers/customers"
WHY = {"reason": "a call"}


def seen(desk):
    models = ("customer", "address", "session", "mail")
    return {name for name in models if desk.get(f"{ADMIN}/{name}/").status_code == 200}


def test_who_sees_what(at_desk):
    assert seen(at_desk("owner")) == {"customer", "address", "session", "mail"}
    assert seen(at_desk("support")) == {"customer", "address", "session", "mail"}
    assert seen(at_desk("orders")) == {"customer", "address"}
    assert seen(at_desk("catalogue")) == seen(at_desk("warehouse")) == seen(at_desk()) == set()


@pytest.mark.parametrize("role", ["owner", "support"])
def test_who_helps_customers_ends_sessions_and_sends_mails_again(at_desk, customer, role):
    desk, ann = at_desk(role), customer()
    for _ in range(3):
        sessions.start(customer=ann, password=ann.password)
    mails.write(Mail.Kind.WELCOME, recipient=ann.email, customer=ann)
    Mail.objects.update(attempts=12)
    desk.post(f"{ADMIN}/mail/", {"action": "try_again", "_selected_action": [Mail.objects.get().pk]})
    assert Mail.objects.get().attempts == 0
    chosen = Session.objects.first().pk
    desk.post(f"{ADMIN}/session/", {"action": "revoke", "_selected_action": [str(chosen)]})
    assert Session.objects.filter(ended=None).count() == 2
    assert desk.post(f"{ADMIN}/customer/{ann.pk}/end-sessions/", WHY).status_code == 302
    assert not Session.objects.filter(ended=None).exists()


def test_the_support_desk_ends_no_session_of_a_colleague(at_desk, customer):
    desk, boss = at_desk("support"), customer("boss@example.org", is_staff=True)
    sessions.start(customer=boss, password=boss.password)
    assert desk.post(f"{ADMIN}/customer/{boss.pk}/end-sessions/", WHY).status_code == 403
    desk.post(f"{ADMIN}/customer/", {"action": "end_sessions", "_selected_action": [str(boss.pk)]})
    desk.post(f"{ADMIN}/session/", {"action": "revoke", "_selected_action": [str(Session.objects.get().pk)]})
    assert Session.objects.filter(ended=None).count() == 1


@pytest.mark.parametrize("role", ["support", "orders", "catalogue", "warehouse"])
def test_only_an_owner_changes_accounts(at_desk, customer, role):
    desk, ann = at_desk(role), customer()
    before = Customer.objects.filter(pk=ann.pk).values().get()
    word = {"password1": "another horse, a staple", "password2": "another horse, a staple", "usable_password": "true"}
    for path, form in (("change", {"name": "X"}), ("password", word), ("close", WHY)):
        assert desk.post(f"{ADMIN}/customer/{ann.pk}/{path}/", form).status_code == 403, path
    new = {"email": "new@example.org", "name": "New", "password1": PASSWORD, "password2": PASSWORD}
    assert desk.post(f"{ADMIN}/customer/add/", new | {"usable_password": "true"}).status_code == 403
    assert Customer.objects.filter(pk=ann.pk).values().get() == before
    assert not Customer.objects.filter(email="new@example.org").exists()


def test_an_owner_by_group_gives_rights(at_desk, customer):
    desk, ann = at_desk("owner"), customer(email_verified=True)
    form = {"email": ann.email, "name": "Ann", "is_active": "on", "is_staff": "on"}
    inlines = {
        f"{name}-{field}": "0" for name in ("addresses", "sessions") for field in ("TOTAL_FORMS", "INITIAL_FORMS")
    }
    assert desk.post(f"{ADMIN}/customer/{ann.pk}/change/", form | inlines).status_code == 302
    ann.refresh_from_db()
    assert ann.is_staff
