import pytest
from django.core import mail as post

from customers.domain import mails, sessions
from customers.models import Address, Customer, Mail, MailedToken, Session
from tests.conftest import CUSTOMERS, PASSWORD, bearer, token_of_mail

pytestmark = pytest.mark.django_db
NEW = {"email": "ann@example.org", "password": PASSWORD, "name": "Ann"}


def deliver():
    """Sends all that is due and returns it."""
    post.outbox.clear()
    while mails.deliver():
        pass
    return list(post.outbox)


def test_signing_up_makes_an_account_that_may_sign_in_unverified(api):
    answer = api.post(CUSTOMERS, NEW | {"email": " Ann@Example.ORG"})
    assert (answer.status_code, answer.json()) == (201, {"email": "ann@example.org", "name": "Ann"})
    ann = Customer.objects.get()
    assert (ann.email, ann.email_verified, ann.is_staff, ann.is_active) == ("ann@example.org", False, False, True)
    assert ann.password.startswith("argon2$argon2id$")
    signed_in = api.post(f"{CUSTOMERS}/token", {"email": "ann@example.org", "password": PASSWORD})
    assert signed_in.status_code == 200


def test_a_known_address_gets_the_same_answer_and_its_owner_a_mail(api, customer, hashes):
    ann = customer()
    hashes.clear()
    answers = []
    for email in ("ann@example.org", "bob@example.org"):
        before = len(hashes)
        answer = api.post(CUSTOMERS, NEW | {"email": email, "name": "Mallory"})
        answers.append(
            (answer.status_code, {**answer.json(), "email": ""}, sorted(answer.headers), len(hashes) - before)
        )
    assert answers[0] == answers[1]
    assert answers[0][3] == 1
    ann.refresh_from_db()
    assert (ann.name, ann.check_password(PASSWORD)) == ("Ann", True)
    assert {(mail.to[0], mail.subject) for mail in deliver()} == {
        ("ann@example.org", "You have an account already"),
        ("bob@example.org", "Please confirm your e-mail address"),
    }


def test_known_and_unknown_addresses_cost_the_same_queries(api, customer, django_assert_num_queries):
    customer()
    for email in ("ann@example.org", "bob@example.org"):
        with django_assert_num_queries(6):
            assert api.post(CUSTOMERS, NEW | {"email": email}).status_code == 201
    for email in ("ann@example.org", "nobody@example.org"):
        with django_assert_num_queries(2):
            assert api.post(f"{CUSTOMERS}/password-reset", {"email": email}).status_code == 202


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"email": "nobody"}, "email", "invalid"),
        ({"email": "a@b\u0000.org"}, "", ""),
        ({"email": "x" * 250 + "@example.org"}, "email", "max_length"),
        ({"password": "short"}, "password", "password_too_short"),
        ({"password": "password123"}, "password", "password_too_common"),
        ({"password": "83920473829"}, "password", "password_entirely_numeric"),
        ({"password": "ann@example.org"}, "password", "password_too_similar"),
        ({"password": None}, "password", "null"),
        ({"name": ""}, "name", "blank"),
        ({"name": "Ann\nBcc: all"}, "name", "control"),
        ({"name": "x" * 201}, "name", "max_length"),
        ({"is_staff": True}, "is_staff", "unknown"),
    ],
)
def test_bad_input_is_named_and_makes_nothing(api, change, field, code):
    answer = api.post(CUSTOMERS, NEW | change)
    assert answer.status_code == 400
    if field:
        assert (answer.json()["errors"][0]["field"], answer.json()["errors"][0]["code"]) == (field, code)
    assert not Customer.objects.exists()
    assert not Mail.objects.exists()


def test_a_domain_in_letters_of_the_world_is_one_address(api):
    for email in ("ann@BÜCHER.example", "ann@xn--bcher-kva.example"):
        assert api.post(CUSTOMERS, NEW | {"email": email}).status_code == 201
    assert Customer.objects.get().email == "ann@xn--bcher-kva.example"


def test_my_account(api, customer):
    ann = customer()
    me = api.get(f"{CUSTOMERS}/me", bearer(ann)).json()
    created = me.pop("created")
    assert created.endswith("Z")
    assert me == {
        "id": str(ann.pk),
        "email": "ann@example.org",
        "email_verified": False,
        "pending_email": None,
        "name": "Ann",
    }


@pytest.mark.parametrize("method", ["get", "patch", "delete"])
def test_me_is_for_customers_who_exist(api, as_service, customer, method):
    call = getattr(api, method)
    args = [{}] if method == "patch" else []
    ghost = bearer(Customer(email="ghost@example.org"))
    assert [call(f"{CUSTOMERS}/me", *args, headers=h).status_code for h in ({}, as_service("orders"), ghost)] == [
        401,
        403,
        401,
    ]


def test_the_name_changes_without_a_password(api, customer):
    ann = customer()
    assert api.patch(f"{CUSTOMERS}/me", {"name": "Ann B."}, bearer(ann)).json()["name"] == "Ann B."
    ann.refresh_from_db()
    assert ann.name == "Ann B."


def test_a_new_password_needs_the_old_one_and_ends_all_sessions(api, customer):
    ann = customer()
    token = sessions.start(customer=ann, password=ann.password).refresh
    wish = {"password": "another horse, a staple"}
    for proof, field in (({}, "current_password"), ({"current_password": "wrong"}, "current_password")):
        answer = api.patch(f"{CUSTOMERS}/me", wish | proof, bearer(ann))
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)
    ann.refresh_from_db()
    assert ann.check_password(PASSWORD)
    assert Session.objects.get().ended is None
    assert api.patch(f"{CUSTOMERS}/me", wish | {"current_password": PASSWORD}, bearer(ann)).status_code == 200
    ann.refresh_from_db()
    assert ann.check_password(wish["password"])
    assert Session.objects.get().reason == "password"
    assert api.post(f"{CUSTOMERS}/token/refresh", {"refresh": token}).status_code == 401
    assert [mail.subject for mail in deliver()] == ["Your password was changed"]


def test_a_weak_new_password_changes_nothing(api, customer):
    ann = customer()
    body = {"name": "B", "password": "short", "current_password": PASSWORD}
    assert api.patch(f"{CUSTOMERS}/me", body, bearer(ann)).status_code == 400
    ann.refresh_from_db()
    assert (ann.name, ann.check_password(PASSWORD)) == ("Ann", True)


def test_guessing_the_current_password_is_throttled(api, customer):
    ann = customer()
    body = {"email": "x@example.org", "current_password": "wrong"}
    statuses = [api.patch(f"{CUSTOMERS}/me", body, bearer(ann)).status_code for _ in range(11)]
    assert statuses == [400] * 10 + [429]


def test_a_new_address_counts_once_its_mail_was_read(api, customer):
    ann = customer(email_verified=True)
    body = {"email": "new@example.org", "current_password": PASSWORD}
    me = api.patch(f"{CUSTOMERS}/me", body, bearer(ann)).json()
    assert (me["email"], me["pending_email"]) == ("ann@example.org", "new@example.org")
    (mail,) = deliver()
    assert mail.to == ["new@example.org"]
    for _ in range(2):  # mail programs look at links before people do
        answer = api.get(f"{CUSTOMERS}/verify-email?token={token_of_mail(mail)}")
        assert (answer.status_code, answer.json()) == (200, {"email": "new@example.org", "email_verified": True})
    ann.refresh_from_db()
    assert (ann.email, ann.pending_email, ann.email_verified) == ("new@example.org", "", True)
    (told,) = deliver()
    assert (told.to, told.subject) == (["ann@example.org"], "Your e-mail address was changed")


def test_an_address_that_is_another_customers_stays_theirs(api, customer):
    ann, _ = customer(), customer("bob@example.org")
    body = {"email": "bob@example.org", "current_password": PASSWORD}
    me = api.patch(f"{CUSTOMERS}/me", body, bearer(ann)).json()
    assert (me["email"], me["pending_email"]) == ("ann@example.org", "bob@example.org")
    assert [mail.subject for mail in deliver()] == ["You have an account already"]
    assert not MailedToken.objects.exists()


def test_an_address_that_was_taken_meanwhile_is_409(api, customer):
    ann = customer()
    body = {"email": "new@example.org", "current_password": PASSWORD}
    api.patch(f"{CUSTOMERS}/me", body, bearer(ann))
    token = token_of_mail(deliver()[0])
    customer("new@example.org")
    answer = api.post(f"{CUSTOMERS}/verify-email", {"token": token})
    assert (answer.status_code, answer.json()["code"]) == (409, "address_taken")
    ann.refresh_from_db()
    assert ann.email == "ann@example.org"


def test_an_address_is_verified_by_its_link(api):
    api.post(CUSTOMERS, NEW)
    (mail,) = deliver()
    assert "http://localhost:8080/api/v1/customers/verify-email?token=" in mail.body
    assert "Ann" not in mail.body
    assert api.post(f"{CUSTOMERS}/verify-email", {"token": token_of_mail(mail)}).status_code == 200
    ann = Customer.objects.get()
    assert ann.email_verified
    assert api.post(f"{CUSTOMERS}/me/verify-email", headers=bearer(ann)).status_code == 202
    assert deliver() == []


def test_the_link_comes_again_on_demand(api, customer):
    ann = customer()
    assert api.post(f"{CUSTOMERS}/me/verify-email", headers=bearer(ann)).status_code == 202
    assert [mail.to for mail in deliver()] == [["ann@example.org"]]


@pytest.mark.parametrize("token", ["unknown", "x" * 43])
def test_a_token_that_no_mail_held_does_nothing(api, customer, token):
    ann = customer()
    for path, body in (("verify-email", {}), ("password-reset/confirm", {"password": "another horse"})):
        answer = api.post(f"{CUSTOMERS}/{path}", {"token": token} | body)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "token")
    ann.refresh_from_db()
    assert (ann.email_verified, ann.check_password(PASSWORD)) == (False, True)


def test_a_forgotten_password_is_replaced_once_by_mail(api, customer):
    ann = customer()
    sessions.start(customer=ann, password=ann.password)
    known, unknown = (
        api.post(f"{CUSTOMERS}/password-reset", {"email": email}) for email in ("Ann@example.org", "bob@example.org")
    )
    assert (known.status_code, unknown.status_code) == (202, 202)
    assert known.content == unknown.content
    (mail,) = deliver()
    assert mail.to == ["ann@example.org"]
    body = {"token": token_of_mail(mail), "password": "another horse, a staple"}
    weak = api.post(f"{CUSTOMERS}/password-reset/confirm", body | {"password": "short"})
    assert (weak.status_code, weak.json()["errors"][0]["field"]) == (400, "password")
    assert api.post(f"{CUSTOMERS}/password-reset/confirm", body).status_code == 204
    assert api.post(f"{CUSTOMERS}/password-reset/confirm", body).status_code == 400
    ann.refresh_from_db()
    assert (ann.check_password(body["password"]), ann.email_verified) == (True, True)
    assert Session.objects.get().reason == "password"
    assert [mail.subject for mail in deliver()] == ["Your password was changed"]


def test_a_reset_token_is_good_for_an_hour_and_for_nothing_else(api, customer):
    ann = customer()
    api.post(f"{CUSTOMERS}/password-reset", {"email": ann.email})
    token = token_of_mail(deliver()[0])
    row = MailedToken.objects.get()
    assert round((row.expires - row.created).total_seconds() / 60) == 60
    assert token not in str(MailedToken.objects.values().get()) + str(list(Mail.objects.values()))
    assert api.post(f"{CUSTOMERS}/verify-email", {"token": token}).status_code == 400
    MailedToken.objects.update(created="2020-01-01T00:00Z", expires="2020-01-01T01:00Z")
    body = {"token": token, "password": "another horse, a staple"}
    assert api.post(f"{CUSTOMERS}/password-reset/confirm", body).status_code == 400
    ann.refresh_from_db()
    assert ann.check_password(PASSWORD)


def test_closing_leaves_a_row_without_a_person(api, customer):
    ann = customer()
    Address.objects.create(customer=ann, name="Ann", line1="Here 1", city="Bern", country="CH")
    refresh = sessions.start(customer=ann, password=ann.password).refresh
    assert api.delete(f"{CUSTOMERS}/me", bearer(ann)).status_code == 204
    row = Customer.objects.get()
    assert (row.pk, row.email, row.name, row.is_active) == (ann.pk, f"{ann.pk}@closed.invalid", "", False)
    assert row.closed is not None
    assert not row.has_usable_password()
    assert not Address.objects.exists()
    assert api.post(f"{CUSTOMERS}/token/refresh", {"refresh": refresh}).status_code == 401
    again = api.get(f"{CUSTOMERS}/me", bearer(ann))
    assert (again.status_code, again.json()["code"]) == (401, "invalid_token")
    for email in ("ann@example.org", row.email):
        assert api.post(f"{CUSTOMERS}/token", {"email": email, "password": PASSWORD}).status_code == 401
    assert [(mail.to, mail.subject) for mail in deliver()] == [(["ann@example.org"], "Your account is closed")]
    assert api.post(CUSTOMERS, NEW).status_code == 201
    assert Customer.objects.filter(email="ann@example.org").exclude(pk=ann.pk).exists()


def test_staff_do_not_close_themselves_away(api, customer):
    boss = customer(is_staff=True, is_superuser=True)
    answer = api.delete(f"{CUSTOMERS}/me", bearer(boss))
    assert (answer.status_code, answer.json()["code"]) == (409, "staff_account")
    boss.refresh_from_db()
    assert (boss.email, boss.is_active) == ("ann@example.org", True)
