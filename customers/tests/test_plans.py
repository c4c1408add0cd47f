"""Signing up, signing in and all that follows can be answered by an index."""

import pytest
from chassis.testing.plans import without_scans

from tests.conftest import CUSTOMERS, PASSWORD

pytestmark = pytest.mark.django_db


def test_an_account(api):
    account = {"email": "ann@example.org", "password": PASSWORD}
    with without_scans(small=("customers_signingkey",)):
        assert api.post(CUSTOMERS, account | {"name": "Ann"}).status_code == 201
        tokens = api.post(f"{CUSTOMERS}/token", account).json()
        fresh = api.post(f"{CUSTOMERS}/token/refresh", {"refresh": tokens["refresh"]}).json()
        me = {"Authorization": f"Bearer {fresh['access']}"}
        assert api.get(f"{CUSTOMERS}/me", headers=me).status_code == 200
        assert api.get(f"{CUSTOMERS}/me/addresses", headers=me).status_code == 200
        assert api.post(f"{CUSTOMERS}/token", account | {"password": "wrong, wrong"}).status_code == 401
        assert api.post(f"{CUSTOMERS}/token/revoke", {"refresh": fresh["refresh"]}).status_code in (200, 204)
