"""What comes before the admin's own pages: the provider's two addresses for browsers, the second factor's page."""

from django.contrib import admin
from django.urls import path

from customers import oidc, second_factor_page

urlpatterns = [
    path("oidc/authorize", oidc.authorize),
    path("oidc/logout", oidc.logout),
    path("second-factor/", admin.site.admin_view(second_factor_page.page), name="second_factor"),
]
