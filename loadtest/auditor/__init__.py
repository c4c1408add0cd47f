"""The auditor: proves from the databases alone that the shop kept every promise (docs/architecture.md).

python -m auditor                 or `make audit` at the root
auditor.audit(urls, settle_seconds=0)  for tests: the offenders, as a list
"""

from loadtest.auditor.audit import Report, audit, examine
from loadtest.auditor.findings import Finding
from loadtest.auditor.urls import DATABASES, of_secrets

__all__ = ["DATABASES", "Finding", "Report", "audit", "examine", "of_secrets"]
