"""What only other services call; the gateway never routes /internal/. The callers show their client secret or a token
that the provider gave them, as OpenID Connect has it.
"""

from django.urls import path

from customers import oidc

urlpatterns = [path("oidc/token", oidc.token), path("oidc/userinfo", oidc.user_info)]
