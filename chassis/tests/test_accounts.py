"""The accounts and roles in the admin of a service that sends its staff to the provider."""

import pytest
from django.contrib.auth import get_user_model

pytestmark = pytest.mark.django_db
ADMIN = "/admin/stock/"
USERS, GROUPS = f"{ADMIN}auth/user/", f"{ADMIN}auth/group/"
PASSWORD = "a long and lonely word"


@pytest.fixture
def desk(client):
    client.force_login(get_user_model().objects.create_superuser("owner"))
    return client


def classes(page, field):
    return page.context["adminform"].form.fields[field].widget.attrs.get("class", "")


def test_a_local_account_is_made_and_signs_in(desk, client):
    page = desk.get(f"{USERS}add/")
    assert [field for _, options in page.context["adminform"].fieldsets for field in options["fields"]] == [
        "username", "password1", "password2",
    ]  # fmt: skip
    assert "border" in classes(page, "password1")
    new = {"username": "Ada", "password1": PASSWORD, "password2": PASSWORD}
    assert desk.post(f"{USERS}add/", new).status_code == 302
    made = get_user_model().objects.get(username="ada")
    assert desk.post(
        f"{USERS}{made.pk}/change/",
        {
            "username": "Ada",
            "is_active": "on",
            "is_staff": "on",
            "date_joined_0": "2026-01-01",
            "date_joined_1": "00:00",
        },
    )
    client.logout()
    answer = client.post(f"{ADMIN}login/local/", {"username": "Ada", "password": PASSWORD, "next": ADMIN})
    assert answer["Location"] == ADMIN


def test_a_name_is_taken_whatever_its_case(desk):
    answer = desk.post(f"{USERS}add/", {"username": "OWNER", "password1": PASSWORD, "password2": PASSWORD})
    assert "already exists" in answer.context["adminform"].form.errors["username"][0]
    assert get_user_model().objects.count() == 1


def test_a_password_is_set_anew(desk):
    made = get_user_model().objects.create_user("ada")
    assert desk.get(f"{USERS}{made.pk}/password/").status_code == 200
    desk.post(f"{USERS}{made.pk}/password/", {"password1": PASSWORD, "password2": PASSWORD})
    made.refresh_from_db()
    assert made.check_password(PASSWORD)


def test_pages_say_where_colleagues_are_made(desk):
    user = get_user_model().objects.get()
    for path in (USERS, f"{USERS}add/", f"{USERS}{user.pk}/change/"):
        page = desk.get(path).content.decode()
        assert "Colleagues are made in" in page, path
        assert f"<code>{ADMIN}login/local/</code>" in page, path
    for path in (GROUPS, f"{GROUPS}add/"):
        assert "Who has which role" in desk.get(path).content.decode(), path
