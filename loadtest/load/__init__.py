"""`make load`: people on a shop, then the auditor, then a verdict."""
