from uuid import uuid4

import pytest

from customers.models import Address
from tests.conftest import CUSTOMERS, bearer

pytestmark = pytest.mark.django_db
MINE = f"{CUSTOMERS}/me/addresses"
HOME = {
    "name": "Ann",
    "line1": "Bärengraben 1",
    "line2": "",
    "city": "Bern",
    "postal_code": "3011",
    "country": "CH",
}


@pytest.fixture
def ann(customer):
    return customer()


def defaults(customer):
    return list(Address.objects.filter(customer=customer, default=True).values_list("name", flat=True))


def test_an_address_is_kept_as_it_was_given(api, ann):
    made = api.post(MINE, HOME, bearer(ann))
    assert made.status_code == 201
    id = made.json()["id"]
    assert made.json() == HOME | {"id": id, "default": True}
    assert api.get(f"{MINE}/{id}", bearer(ann)).json() == made.json()
    changed = api.patch(f"{MINE}/{id}", {"city": "Thun", "postal_code": ""}, bearer(ann))
    assert changed.json() == made.json() | {"city": "Thun", "postal_code": ""}
    assert api.delete(f"{MINE}/{id}", bearer(ann)).status_code == 204
    assert api.get(f"{MINE}/{id}", bearer(ann)).status_code == 404


def test_one_address_is_the_default(api, ann):
    def add(name, **fields):
        return api.post(MINE, HOME | {"name": name} | fields, bearer(ann)).json()["id"]

    first = add("one", default=False)
    assert defaults(ann) == ["one"]
    second, third = add("two"), add("three", default=True)
    assert defaults(ann) == ["three"]
    api.patch(f"{MINE}/{second}", {"default": True}, bearer(ann))
    assert defaults(ann) == ["two"]
    assert api.patch(f"{MINE}/{second}", {"default": False}, bearer(ann)).json()["default"] is True
    api.delete(f"{MINE}/{second}", bearer(ann))
    assert defaults(ann) == ["three"]
    api.delete(f"{MINE}/{first}", bearer(ann))
    api.delete(f"{MINE}/{third}", bearer(ann))
    assert not Address.objects.exists()


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_costs_two_queries_and_has_pages(api, ann, rows, django_assert_num_queries):
    for n in range(rows):
        api.post(MINE, HOME | {"name": f"n{n}"}, bearer(ann))
    headers = bearer(ann)
    with django_assert_num_queries(2):
        whole = api.get(MINE, headers).json()
    assert [row["name"] for row in whole["results"]] == [f"n{n}" for n in range(rows)]
    assert (whole["next"], whole["previous"]) == (None, None)
    seen, url = [], f"{MINE}?limit=1"
    while url:
        page = api.get(url.removeprefix("http://testserver"), headers).json()
        seen += [row["name"] for row in page["results"]]
        url = page["next"]
    assert seen == [f"n{n}" for n in range(rows)]


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "cursor=x", "cursor=WzEsMl0", "cursor=%00"])
def test_a_page_that_cannot_be_is_400(api, ann, query):
    api.post(MINE, HOME, bearer(ann))
    assert api.get(f"{MINE}?{query}", bearer(ann)).status_code == 400


def test_someone_elses_address_is_404_and_stays(api, ann, customer):
    id = api.post(MINE, HOME, bearer(ann)).json()["id"]
    bob = bearer(customer("bob@example.org"))
    answers = [
        api.get(f"{MINE}/{id}", bob),
        api.patch(f"{MINE}/{id}", {"city": "Thun"}, bob),
        api.delete(f"{MINE}/{id}", bob),
        api.get(f"{MINE}/{uuid4()}", bob),
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(404, "address_not_found")] * 4
    assert Address.objects.get().city == "Bern"
    assert api.get(MINE, bob).json()["results"] == []


def test_only_customers_have_addresses(api, as_service):
    for headers, status in (({}, 401), (as_service("orders"), 403)):
        assert api.get(MINE, headers).status_code == status
        assert api.post(MINE, HOME, headers).status_code == status
    assert not Address.objects.exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"country": "XX"}, "country"),
        ({"country": "ch"}, "country"),
        ({"country": "CHE"}, "country"),
        ({"name": ""}, "name"),
        ({"line1": "x" * 201}, "line1"),
        ({"city": "Bern\n"[:-1] + "\nThun"}, "city"),
        ({"postal_code": 3011}, "postal_code"),
        ({"default": "true"}, "default"),
        ({"customer": "me"}, "customer"),
    ],
)
def test_bad_input_is_named(api, ann, change, field):
    answer = api.post(MINE, HOME | change, bearer(ann))
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert not Address.objects.exists()


def test_fifty_are_enough(api, ann):
    Address.objects.bulk_create(Address(customer=ann, **HOME) for _ in range(50))
    answer = api.post(MINE, HOME, bearer(ann))
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_addresses")
    assert Address.objects.count() == 50
