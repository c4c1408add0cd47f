"""Settings of the customers service: what every service shares, and how people sign in."""

from chassis import env
from chassis.settings import adopt

adopt(globals(), service="customers", apps=["customers"])

AUTH_USER_MODEL = "customers.Customer"
AUTHENTICATION_BACKENDS = ["customers.backends.ThrottledBackend"]
PASSWORD_HASHERS = ["customers.hashers.Argon2id"]
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
