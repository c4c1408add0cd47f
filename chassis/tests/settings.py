from chassis.settings import adopt

adopt(globals(), service="stock", apps=[])
ROOT_URLCONF = "tests.urls"
STAFF_ROLES = "tests.roles"
