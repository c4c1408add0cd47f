"""Who may see what in the admin; nobody does anything there."""

import pytest

pytestmark = pytest.mark.django_db
LIST = "/admin/cart/cart/cart/"


@pytest.mark.parametrize(
    ("role", "status"), [("owner", 200), ("orders", 200), ("support", 200), ("catalogue", 403), ("warehouse", 403)]
)
def test_who_sees_carts(at_desk, filled, role, status):
    cart = filled(A=1)
    desk = at_desk(role)
    assert desk.get(LIST).status_code == status
    assert desk.get(f"{LIST}{cart}/change/").status_code == status
