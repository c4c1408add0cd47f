from concurrent.futures import ThreadPoolExecutor  # noqa: F401

import pytest

pytestmark = pytest.mark.django_db
PRODUCTS = "/api/v1/products"
