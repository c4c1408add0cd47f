"""The short fault run: every kill point once and a few other faults, on a shop of its own, from a fixed seed."""

from loadtest.faults.__main__ import run
from loadtest.faults.catalogue import FAULTS

SEED = 20261122


def test_an_order_stays_true_whatever_dies(capsys):
    with capsys.disabled():
        outcomes = run([fault for fault in FAULTS if fault.short], seed=SEED, buyers=16, every=6)
    assert {f"{o.fault.name}, {o.fault.moment}": o.wrong for o in outcomes if o.wrong} == {}
