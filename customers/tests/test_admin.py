"""The support desk, used with Django's own client."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission

from customers.domain import mails, sessions
from customers.models import Address, Customer, Mail, Session
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db
ADMIN = "/admin/customers"
WHY = {"reason": "a call"}


@pytest.fixture
def boss(customer, client):
    boss = customer("boss@example.org", name="Boss", is_staff=True, is_superuser=True)
    client.force_login(boss)
    return boss


@pytest.fixture
def helper(customer, client):
    """Somebody who may change accounts and is no owner."""
    helper = customer("helper@example.org", name="Helper", is_staff=True)
    rights = Permission.objects.filter(content_type__app_label="customers").exclude(codename="give_rights")
    helper.user_permissions.set(rights)
    client.force_login(helper)
    return helper


@pytest.mark.parametrize("model", ["customer", "session", "address", "mail"])
def test_every_list_and_page_opens_and_shows_no_secret(boss, client, customer, model):
    ann = customer()
    tokens = sessions.start(customer=ann, password=ann.password)
    Address.objects.create(customer=ann, name="Ann", line1="Here 1", city="Bern", country="CH")
    mails.write(Mail.Kind.PASSWORD_RESET, recipient=ann.email)
    mails.deliver()
    row = {"customer": ann, "session": Session, "address": Address, "mail": Mail}[model]
    pk = row.pk if model == "customer" else row.objects.get().pk
    for path in (f"/customers/{model}/", f"/customers/{model}/?q=ann", f"/customers/{model}/{pk}/change/"):
        page = client.get(ADMIN + path)
        assert page.status_code == 200, path
        assert b"ann@example.org" in page.content
        for secret in (tokens.refresh, sessions.digest(tokens.refresh), ann.password.rpartition("$")[2]):
            assert secret.encode() not in page.content


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_of_customers_costs_the_same_for_any_number(boss, client, customer, rows, django_assert_num_queries):
    for n in range(rows):
        customer(f"ann{n}@example.org", is_staff=True)
    with django_assert_num_queries(6):
        assert client.get(f"{ADMIN}/customers/customer/").status_code == 200


def test_an_account_is_found_by_name_and_address(boss, client, customer):
    customer("ann@example.org", name="Ann Alpha")
    customer("bob@example.org", name="Bob Beta")
    for words in ("alpha", "ann@"):
        page = client.get(f"{ADMIN}/customers/customer/?q={words}").content
        assert b"ann@example.org" in page
        assert b"bob@example.org" not in page


def test_sessions_end_from_the_desk(boss, client, customer):
    ann = customer()
    for _ in range(2):
        sessions.start(customer=ann, password=ann.password)
    chosen = Session.objects.first()
    client.post(f"{ADMIN}/customers/session/", {"action": "revoke", "_selected_action": [str(chosen.pk)]})
    assert Session.objects.filter(reason="admin").get() == chosen
    url = f"{ADMIN}/customers/customer/{ann.pk}/end-sessions/"
    assert client.get(url).status_code == 200
    assert Session.objects.filter(ended=None).count() == 1
    assert client.post(url, WHY).status_code == 302
    assert not Session.objects.filter(ended=None).exists()


def test_an_account_is_closed_from_the_desk_and_its_log_names_nobody(boss, client, customer):
    ann = customer()
    client.post(f"{ADMIN}/customers/customer/{ann.pk}/end-sessions/", WHY)
    assert LogEntry.objects.filter(object_repr="ann@example.org").exists()
    assert client.post(f"{ADMIN}/customers/customer/{ann.pk}/close/", WHY).status_code == 302
    ann.refresh_from_db()
    assert ann.closed is not None
    assert not LogEntry.objects.filter(object_repr__contains="ann@").exists()


def test_a_staff_account_is_not_closed_and_the_page_says_why(boss, client):
    page = client.post(f"{ADMIN}/customers/customer/{boss.pk}/close/", WHY)
    assert b"after their rights are taken away" in page.content
    boss.refresh_from_db()
    assert boss.closed is None


def test_a_new_colleague_gets_an_account_with_a_password(boss, client):
    form = {"email": "New@example.org", "name": "New", "password1": PASSWORD, "password2": PASSWORD}
    answer = client.post(f"{ADMIN}/customers/customer/add/", form | {"usable_password": "true"})
    assert answer.status_code == 302, answer.content.decode()[:5000]
    new = Customer.objects.get(email="new@example.org")
    assert new.check_password(PASSWORD)
    assert not new.is_staff


def test_a_new_password_from_the_desk_ends_the_sessions(boss, client, customer):
    ann = customer()
    sessions.start(customer=ann, password=ann.password)
    new = {"password1": "another horse, a staple", "password2": "another horse, a staple", "usable_password": "true"}
    assert client.post(f"{ADMIN}/customers/customer/{ann.pk}/password/", new).status_code == 302
    ann.refresh_from_db()
    assert ann.check_password("another horse, a staple")
    assert Session.objects.get().reason == "password"


def test_the_support_desk_gives_nobody_rights_and_leaves_colleagues_alone(helper, client, customer):
    ann, other = customer(), customer("boss@example.org", is_staff=True, is_superuser=True)
    form = {"name": "Ann B.", "email": "evil@example.org", "is_superuser": "on", "is_staff": "on", "is_active": "on"}
    inlines = {
        f"{name}-{field}": "0" for name in ("addresses", "sessions") for field in ("TOTAL_FORMS", "INITIAL_FORMS")
    }
    assert client.post(f"{ADMIN}/customers/customer/{ann.pk}/change/", form | inlines).status_code == 302
    ann.refresh_from_db()
    assert (ann.name, ann.email, ann.is_staff, ann.is_superuser) == ("Ann B.", "ann@example.org", False, False)
    new = {"password1": "another horse, a staple", "password2": "another horse, a staple", "usable_password": "true"}
    for path in ("password/", "end-sessions/", "close/"):
        client.post(f"{ADMIN}/customers/customer/{other.pk}/{path}", new | WHY)
    other.refresh_from_db()
    assert other.check_password(PASSWORD)
    assert (other.closed, other.is_active) == (None, True)


def test_nobody_deletes_an_account(boss, client, customer):
    ann = customer()
    assert client.post(f"{ADMIN}/customers/customer/{ann.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Customer.objects.filter(pk=ann.pk).exists()


def test_signing_in_to_the_admin_counts_failures_like_the_api(client, customer):
    customer("boss@example.org", is_staff=True, is_superuser=True)
    url = f"{ADMIN}/login/"
    for _ in range(10):
        client.post(url, {"username": "Boss@example.org", "password": "wrong"})
    assert client.post(url, {"username": "boss@example.org", "password": PASSWORD}).status_code == 200
    assert "_auth_user_id" not in client.session


def test_staff_sign_in_to_the_admin(client, customer):
    customer("boss@example.org", is_staff=True, is_superuser=True)
    answer = client.post(f"{ADMIN}/login/", {"username": " Boss@example.org", "password": PASSWORD})
    assert answer.status_code == 302
    assert "_auth_user_id" in client.session
