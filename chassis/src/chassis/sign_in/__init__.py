"""The staff's one sign-in: each admin but the provider's sends people to the customers service (OpenID Connect).

``client`` is mozilla-django-oidc as we use it, imported when the first person signs in; ``sessions`` ends a sign-in
that ended at the provider; ``backends`` has the local account too, which is there for when the provider is down.
"""
