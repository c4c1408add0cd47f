from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from customers.models import Customer

pytestmark = pytest.mark.django_db


def test_a_lost_account_comes_back_closed_and_known_ones_stay(monkeypatch):
    known, lost = Customer.objects.create_user("ada@example.com", "a long enough password", name="Ada"), uuid4()
    for expected in (f"{lost} is a closed account now: who it was is lost\n", ""):
        monkeypatch.setattr("sys.stdin", StringIO(f"{known.pk}\n{lost}\n{lost}\n"))
        said = StringIO()
        call_command("reconcile", stdout=said)
        assert said.getvalue() == expected
    account = Customer.objects.get(pk=lost)
    assert (account.name, account.is_active, account.has_usable_password()) == ("", False, False)
    assert account.closed is not None
    known.refresh_from_db()
    assert (known.email, known.name, known.is_active) == ("ada@example.com", "Ada", True)


def test_what_is_no_id_is_refused_and_nothing_is_made(monkeypatch):
    monkeypatch.setattr("sys.stdin", StringIO(f"{uuid4()}\nnot an id\n"))
    with pytest.raises(CommandError, match="not an account's id"):
        call_command("reconcile")
    assert not Customer.objects.exists()
