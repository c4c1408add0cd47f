"""The cross-cutting concerns that the services share: one concern a module, nothing that knows a service."""

__version__ = "1.0.0"
