"""Each constraint of the database, tried."""

import pytest
from chassis.staff import ROLES, ensure_owner
from django.contrib.auth.models import Group
from django.db import DatabaseError, transaction

from customers.models import Address, Customer, Mail, MailedToken, RefreshToken, Session
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db
LATER = "2100-01-01T00:00Z"


def refused(constraint: str):
    return pytest.raises(DatabaseError, match=constraint)


@pytest.fixture
def ann(customer):
    return customer()


@pytest.fixture
def session(ann):
    return Session.objects.create(customer=ann)


def test_an_address_names_one_account(ann):
    with refused("customer_email_once"), transaction.atomic():
        Customer.objects.create(email=ann.email)
    assert Customer.objects.count() == 1


def test_an_address_is_in_lower_case(ann):
    with refused("customer_email_in_lower_case"), transaction.atomic():
        Customer.objects.create(email="Ann@example.org")


@pytest.mark.parametrize("left", [{"is_active": True}, {"is_staff": True}, {"is_superuser": True}, {"name": "Ann"}])
def test_a_closed_account_is_nobody(ann, left):
    closed = {"closed": LATER, "is_active": False, "name": ""} | left
    with refused("customer_closed_is_nobody"), transaction.atomic():
        Customer.objects.filter(pk=ann.pk).update(**closed)
    ann.refresh_from_db()
    assert ann.closed is None


@pytest.mark.parametrize("change", [{"ended": LATER}, {"reason": "reuse"}, {"ended": LATER, "reason": "mood"}])
def test_a_session_ends_for_a_reason(session, change):
    with refused("session_ended_for_a_reason"), transaction.atomic():
        Session.objects.filter(pk=session.pk).update(**change)


def test_a_family_has_one_unused_token(session):
    RefreshToken.objects.create(digest="a", session=session, expires=LATER)
    with refused("refresh_token_one_unused"), transaction.atomic():
        RefreshToken.objects.create(digest="b", session=session, expires=LATER)
    RefreshToken.objects.update(used=LATER)
    RefreshToken.objects.create(digest="b", session=session, expires=LATER)


def test_a_token_is_unique_and_expires_after_it_was_made(session):
    with refused("refresh_token_expires_later"), transaction.atomic():
        RefreshToken.objects.create(digest="a", session=session, expires="2020-01-01T00:00Z")
    RefreshToken.objects.create(digest="a", session=session, expires=LATER, used=LATER)
    with refused("customers_refreshtoken_pkey"), transaction.atomic():
        RefreshToken.objects.create(digest="a", session=session, expires=LATER)


def test_a_mailed_token_has_a_purpose_and_a_time(ann):
    fields = {"digest": "a", "customer": ann, "email": ann.email}
    with refused("mailed_token_purpose_known"), transaction.atomic():
        MailedToken.objects.create(**fields, purpose="love", expires=LATER)
    with refused("mailed_token_expires_later"), transaction.atomic():
        MailedToken.objects.create(**fields, purpose="verify_email", expires="2020-01-01T00:00Z")


def test_a_mail_is_of_a_kind_and_sent_by_an_attempt(ann):
    with refused("mail_kind_known"), transaction.atomic():
        Mail.objects.create(kind="spam", recipient=ann.email)
    mail = Mail.objects.create(kind="welcome", recipient=ann.email)
    with refused("mail_sent_by_an_attempt"), transaction.atomic():
        Mail.objects.filter(pk=mail.pk).update(sent=LATER)


def test_a_customer_has_one_default_address_and_countries_are_codes(ann):
    place = {"customer": ann, "name": "A", "line1": "B", "city": "C"}
    Address.objects.create(**place, country="DE", default=True)
    with refused("address_one_default"), transaction.atomic():
        Address.objects.create(**place, country="DE", default=True)
    with refused("address_country_two_letters"), transaction.atomic():
        Address.objects.create(**place, country="de")
    assert Address.objects.count() == 1


def test_the_roles_are_there():
    assert set(Group.objects.values_list("name", flat=True)) == set(ROLES)


def test_the_staff_account_is_made_once_and_gets_its_password_anew():
    ensure_owner(email="Boss@Example.org", password=PASSWORD)
    ensure_owner(email="boss@example.org", password=PASSWORD)
    boss = Customer.objects.get()
    assert (boss.email, boss.is_staff, boss.roles) == ("boss@example.org", True, ["owner"])
    Session.objects.create(customer=boss)
    ensure_owner(email="boss@example.org", password=PASSWORD)
    assert Session.objects.get().ended is None
    ensure_owner(email="boss@example.org", password="another horse")
    boss.refresh_from_db()
    assert boss.check_password("another horse")
    assert Session.objects.get().reason == "password"
