"""Grafana's dashboards, panels as data: ``python -m dashboards`` writes ../grafana/dashboards, and a test compares."""
