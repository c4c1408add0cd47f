"""The addresses of the sign-in, before the admin's own pages of the same name."""

from django.urls import path

from chassis.sign_in import views

urlpatterns = [
    path("login/", views.begin, name="sign_in"),
    path("login/local/", views.local, name="sign_in_locally"),
    path("login/failed/", views.failed, name="sign_in_failed"),
    path("logout/", views.sign_out, name="sign_out"),
    path("oidc/callback", views.come_back, name="oidc_authentication_callback"),
]
