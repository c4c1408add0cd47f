"""Secrets that have to be read again are kept encrypted: who has the database alone has nothing of them."""

import base64

from cryptography.fernet import Fernet
from django.utils.crypto import salted_hmac


def cipher(purpose: str) -> Fernet:
    """AES and HMAC (Fernet) with a key made of SECRET_KEY, another one for each purpose."""
    return Fernet(base64.urlsafe_b64encode(salted_hmac(f"customers.{purpose}", b"", algorithm="sha256").digest()))
