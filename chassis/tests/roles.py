PERMISSIONS = {"warehouse": ["idempotency.view_*", "auth.view_user"]}
