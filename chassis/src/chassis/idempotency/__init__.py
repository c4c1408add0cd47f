"""Idempotency keys: a request that was answered is answered the same again, and never done twice."""
