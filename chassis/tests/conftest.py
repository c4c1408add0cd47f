import os
import shutil

import pytest


@pytest.fixture(scope="session")
def promtool():
    """Prometheus' own checker; without it the test is skipped, except in CI."""
    if (program := shutil.which("promtool")) is None:
        assert "CI" not in os.environ, "promtool is missing: apt-get install prometheus"
        pytest.skip("promtool is not installed: apt-get install prometheus")
    return program
