"""Settings of the customers service: what every service shares, and how people sign in."""

from chassis import env
from chassis.settings import adopt

adopt(
    globals(),
    service="customers",
    apps=["allauth.account", "allauth.idp.oidc", "customers"],
    provider=True,
    personal=True,
)

AUTH_USER_MODEL = "customers.Customer"
AUTHENTICATION_BACKENDS = ["customers.backends.AccountBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ["email", "name"]},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 8}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

# VERIFY_EMAIL_URL: where the link in the mail leads; ?token=… is added. The API's own address does the work as well.
VERIFY_EMAIL_URL = env.text("VERIFY_EMAIL_URL", "") or f"{globals()['PUBLIC_URL']}/api/v1/customers/verify-email"
# PASSWORD_RESET_URL: the store front's page for a new password; ?token=… is added. Empty: the mail holds a code.
PASSWORD_RESET_URL = env.text("PASSWORD_RESET_URL", "")

# The staff's OpenID Connect provider (customers/oidc.py). Of django-allauth nothing else is used.
SIGN_IN_URLS = "customers.sign_in_urls"
PREPARE = ["customers.domain.staff_sign_in.register_clients"]
MIDDLEWARE = [*globals()["MIDDLEWARE"], "allauth.account.middleware.AccountMiddleware"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
LOGOUT_REDIRECT_URL = ACCOUNT_LOGOUT_REDIRECT_URL = globals()["LOGIN_URL"]
IDP_OIDC_ADAPTER = "customers.oidc.Adapter"
IDP_OIDC_ACCESS_TOKEN_EXPIRES_IN = globals()["SESSION_COOKIE_AGE"]
IDP_OIDC_REFRESH_TOKEN_EXPIRES_IN = globals()["SESSION_COOKIE_AGE"]  # given out, but no client may use them
IDP_OIDC_RP_INITIATED_LOGOUT_ASKS_FOR_OP_LOGOUT = False
# Authorization codes live here for a minute: in the database, where every process of this service finds them.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "customers_cache"}}
