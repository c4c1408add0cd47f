"""How passwords are hashed."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2id(Argon2PasswordHasher):
    """argon2id at 19 MiB, two passes, one lane: a setting that the OWASP Password Storage Cheat Sheet recommends.

    Django's own, 100 MiB on eight lanes, would let eight sign-ins at once ask for 800 MiB and every core.
    """

    time_cost = 2
    memory_cost = 19_456
    parallelism = 1
