"""The table of contents: everything below /api/v1/customers."""

from django.urls import path

from customers import address_views, views

urlpatterns = [
    path("", views.SignUpView.as_view()),
    path("/token", views.TokenView.as_view()),
    path("/token/refresh", views.RefreshView.as_view()),
    path("/token/revoke", views.RevokeView.as_view()),
    path("/me", views.MeView.as_view()),
    path("/me/export", views.ExportView.as_view()),
    path("/me/verify-email", views.MyVerificationView.as_view()),
    path("/me/addresses", address_views.AddressesView.as_view()),
    path("/me/addresses/<id:id>", address_views.AddressView.as_view()),
    path("/verify-email", views.VerifyEmailView.as_view()),
    path("/password-reset", views.PasswordResetView.as_view()),
    path("/password-reset/confirm", views.PasswordResetConfirmView.as_view()),
    path("/.well-known/jwks.json", views.KeySetView.as_view()),
]
