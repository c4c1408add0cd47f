"""Django's settings as far as the services share them. A service's config/settings.py says ``adopt(globals(), …)``."""

from pathlib import Path
from typing import Any
from uuid import UUID

from chassis import env, logs, traces

PROVIDER_PATH = "/admin/customers/"
"""Where staff sign in, for all admins."""
# A prepared statement (chassis.prepared) is planned once: by default PostgreSQL compares, and may plan each time anew.
_PLAN_ONCE = "-c plan_cache_mode=force_generic_plan"
_API_LIMITS = "-c statement_timeout=5000 -c lock_timeout=2000 -c idle_in_transaction_session_timeout=10000"


def adopt(
    settings: dict[str, Any],
    *,
    service: str,
    apps: list[str],
    prefix: str | None = None,
    provider: bool = False,
    personal: bool = False,
) -> None:
    """Puts the shared settings into a settings module's globals.

    ``service`` is the service's name, ``apps`` its Django apps, ``prefix`` its word in paths (``/api/v1/<prefix>``)
    where that is not the service's name; ``provider`` says that staff sign in here, for all the others too;
    ``personal`` that what it answers is somebody's own, and no cache may keep it unless the answer says so.
    """
    base = Path(settings["__file__"]).resolve().parent.parent
    settings.update(
        SERVICE=service,
        PERSONAL=personal,
        STAFF_ROLES=f"{service}.roles",
        API_PREFIX=f"/api/v1/{prefix or service}",
        BASE_DIR=base,
        ROOT_URLCONF="config.urls",
        WSGI_APPLICATION="config.wsgi.application",
        INSTALLED_APPS=[*_APPS, *traces.apps(), *apps],
        MIDDLEWARE=_MIDDLEWARE,
        TEMPLATES=_TEMPLATES,
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
        TIME_ZONE="UTC",
        APPEND_SLASH=False,
        # Our paths have no trailing slash: a prefix without one, then routes that begin with one.
        SILENCED_SYSTEM_CHECKS=["urls.W002"],
        PASSWORD_HASHERS=["chassis.hashers.Argon2id"],
        REST_FRAMEWORK=_REST_FRAMEWORK,
        DRF_STANDARDIZED_ERRORS={
            "EXCEPTION_HANDLER_CLASS": "chassis.problems.ProblemHandler",
            "ENABLE_IN_DEBUG_FOR_UNHANDLED_EXCEPTIONS": True,
        },
        SPECTACULAR_SETTINGS=_openapi(service),
        **_from_environment(service),
        **_admin(service),
    )
    if not provider:
        settings.update(_sign_in(service))


def _from_environment(service: str) -> dict[str, Any]:
    # DEBUG: read by nobody, and refused where somebody may think that it is.
    env.refuse_in_production("DEBUG", "pages of errors would show what is inside")
    # DATABASE_URL: postgres://role:password@host:port/name of the application's role.
    database = env.database("DATABASE_URL")
    database |= {
        # Connections persist, one a thread, and are checked once a request before use (chassis.database).
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        # The URL may ask for more: ?sslmode=verify-full&sslrootcert=… for TLS.
        "OPTIONS": database.get("OPTIONS", {})
        | {"connect_timeout": 2, "options": f"{_API_LIMITS} {_PLAN_ONCE}", "application_name": service},
    }
    return {
        # SECRET_KEY: Django's key for sessions of the admin and signed links.
        "SECRET_KEY": env.secret("SECRET_KEY"),
        # DEBUG is not a setting: errors are problem documents everywhere, and stack traces are in the log.
        "DEBUG": False,
        "DATABASES": {"default": database},
        # ALLOWED_HOSTS: the names this shop is reached by.
        "ALLOWED_HOSTS": env.words("ALLOWED_HOSTS", ["localhost", "127.0.0.1"]),
        # PUBLIC_URL: the shop's address as people see it, for links in mails.
        "PUBLIC_URL": env.text("PUBLIC_URL", "http://localhost:8080").rstrip("/"),
        # CURRENCY: the shop's one currency, ISO 4217.
        "CURRENCY": env.currency("CURRENCY", "USD"),
        # INSTANCE: this process's name in logs and metrics.
        "LOGGING": logs.configure(service=service, instance=env.text("INSTANCE", service), level=env.log_level()),
        # EMAIL_URL: smtp+tls://user:password@host:587, smtp+ssl://…:465, smtp://… without TLS (to this machine only),
        # filemail:////folder (four slashes: an absolute path), or the console. EMAIL_FROM: the sender.
        **env.email("EMAIL_URL", "consolemail://"),
        "DEFAULT_FROM_EMAIL": env.text("EMAIL_FROM", "Comptoir <shop@localhost>"),
        "EMAIL_TIMEOUT": 10,
        # SECURE_COOKIES: on when people reach the admin over TLS, as in production.
        "SESSION_COOKIE_SECURE": (secure := env.flag("SECURE_COOKIES", env.production())),
        "CSRF_COOKIE_SECURE": secure,
    }


def _admin(service: str) -> dict[str, Any]:
    """The admin lives at /admin/<service>/, its cookies and static files with it: five admins share one host."""
    path = f"/admin/{service}/"
    return {
        "ADMIN_PATH": path,
        "STATIC_URL": f"{path}static/",
        "STATIC_ROOT": None,
        # Served from the packages themselves: nothing to collect, nothing to forget.
        "WHITENOISE_USE_FINDERS": True,
        "WHITENOISE_AUTOREFRESH": False,
        "SESSION_COOKIE_NAME": f"{service}_session",
        "SESSION_COOKIE_PATH": path,
        "CSRF_COOKIE_NAME": f"{service}_csrf",
        "CSRF_COOKIE_PATH": path,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https"),
        # A sign-in of staff lasts a working day at most.
        "SESSION_COOKIE_AGE": 12 * 3600,
        "LOGIN_URL": f"{path}login/",
        "LOGIN_REDIRECT_URL": path,
        "UNFOLD": {
            "SITE_TITLE": f"Comptoir {service}",
            "SITE_HEADER": f"Comptoir · {service}",
            "SITE_URL": "/",
            "SHOW_VIEW_ON_SITE": False,
            "ACCOUNT": {"navigation": [{"title": "Second factor", "link": f"{PROVIDER_PATH}second-factor/"}]},
            "SITE_DROPDOWN": [
                {"icon": icon, "title": title, "link": f"/admin/{title}/"} for title, icon in _ADMINS.items()
            ],
        },
    }


def _sign_in(service: str) -> dict[str, Any]:
    """The staff's one sign-in (chassis.sign_in), by OpenID Connect at the customers service; mozilla-django-oidc's
    settings. What browsers are sent to are paths: all admins share one host, by whatever name people reach it.
    """
    inside = f"{env.text('CUSTOMERS_URL', '').partition(',')[0]}/internal/oidc"
    return {
        "SIGN_IN_URLS": "chassis.sign_in.urls",
        "MIDDLEWARE": [*_MIDDLEWARE, "chassis.sign_in.sessions.StaffSessions"],
        "AUTHENTICATION_BACKENDS": ["chassis.sign_in.backends.Local", "chassis.sign_in.backends.Provider"],
        "OIDC_RP_CLIENT_ID": service,
        # OIDC_CLIENT_SECRET: what this service proves itself with to the provider.
        "OIDC_RP_CLIENT_SECRET": env.secret("OIDC_CLIENT_SECRET"),
        "OIDC_RP_SCOPES": "openid",
        "OIDC_RP_SIGN_ALGO": "RS256",
        "OIDC_USE_PKCE": True,
        "OIDC_TIMEOUT": 5,
        "OIDC_STORE_ACCESS_TOKEN": True,
        "OIDC_STORE_ID_TOKEN": True,
        "OIDC_OP_AUTHORIZATION_ENDPOINT": f"{PROVIDER_PATH}oidc/authorize",
        "OIDC_OP_TOKEN_ENDPOINT": f"{inside}/token",
        "OIDC_OP_USER_ENDPOINT": f"{inside}/userinfo",
        "OIDC_OP_JWKS_ENDPOINT": env.text("JWKS_URL", ""),
    }


def _openapi(service: str) -> dict[str, Any]:
    return {
        "TITLE": f"Comptoir: {service}",
        "VERSION": "1.0.0",
        "OAS_VERSION": "3.1.1",
        "SERVE_INCLUDE_SCHEMA": False,
        "PATH_CONVERTER_OVERRIDES": {"id": UUID},
        "SCHEMA_PATH_PREFIX": "/api/v1",
        "COMPONENT_SPLIT_REQUEST": True,
        "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
        "SERVERS": [{"url": "/", "description": "this shop"}],
        "POSTPROCESSING_HOOKS": [
            "drf_spectacular.hooks.postprocess_schema_enums",
            "chassis.openapi.add_problems",
        ],
    }


_ADMINS = {
    "products": "sell",
    "stock": "inventory_2",
    "customers": "group",
    "cart": "shopping_cart",
    "orders": "receipt_long",
}

_APPS = [
    "django_prometheus",
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_standardized_errors",
    "chassis.idempotency",
]

_MIDDLEWARE = [
    "chassis.request_id.RequestMiddleware",
    "chassis.request_metrics.MetricsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # Below the admin's path only; see the module.
    *(
        f"chassis.admin_middleware.{name}"
        for name in ("Security", "Session", "Csrf", "Authentication", "Messages", "Frames")
    ),
]

_TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

_REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["chassis.auth.TokenAuthentication"],
    # A view that forgets to say who may use it is for the shop's owner alone.
    "DEFAULT_PERMISSION_CLASSES": ["chassis.auth.Owner"],
    "DEFAULT_PARSER_CLASSES": ["chassis.json.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["chassis.json.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "chassis.json.AlwaysJSON",
    "DEFAULT_SCHEMA_CLASS": "chassis.openapi.PathSchema",
    "EXCEPTION_HANDLER": "drf_standardized_errors.handler.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,
}
