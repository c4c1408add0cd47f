"""The goods that `make up` loads."""

import time
from pathlib import Path

import pytest
from django.core.management import call_command

from products.models import Product

CATALOGUE = Path(__file__).parents[2] / "data" / "catalogue.csv"


@pytest.mark.django_db(transaction=True)
def test_five_thousand_goods_in_under_ten_seconds(stock, capsys):
    begin = time.monotonic()
    call_command("import_products", str(CATALOGUE))
    seconds = time.monotonic() - begin
    print(seconds)
    assert Product.objects.count() == 5000
    assert seconds < 10
    assert len(stock.on_hand) > 4000
    begin = time.monotonic()
    call_command("import_products", str(CATALOGUE))
    print(time.monotonic() - begin)
    print(capsys.readouterr())
