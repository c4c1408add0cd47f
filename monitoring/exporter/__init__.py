"""What nobody else tells Prometheus: how the databases are, which instances would serve, when certificates end."""
