"""The pages of the sign-in. The provider's client is imported only when somebody comes by: few instances need it."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse


def begin(request: HttpRequest) -> HttpResponseBase:
    """Sends people to the provider, where nothing is asked of those who are signed in."""
    from chassis.sign_in import client

    if request.method == "GET" and admin.site.has_permission(request):
        return HttpResponseRedirect(reverse("admin:index"))
    return client.Begin.as_view()(request)


def come_back(request: HttpRequest) -> HttpResponseBase:
    """Where the provider sends them back to, with a code."""
    from chassis.sign_in import client

    return client.ComeBack.as_view()(request)


def sign_out(request: HttpRequest) -> HttpResponseBase:
    """Ends the session here and sends people to the provider, which ends all others."""
    from chassis.sign_in import client

    return client.SignOut.as_view()(request)


def local(request: HttpRequest) -> HttpResponseBase:
    """The sign-in with the local account, for when the provider is down."""
    return admin.site.login(request, {"title": "Local sign-in"})


def failed(request: HttpRequest) -> HttpResponse:
    """What is shown when a sign-in came to nothing; a page of its own, or people would be sent round in circles."""
    return TemplateResponse(request, "chassis/sign_in_failed.html", admin.site.each_context(request), status=403)
