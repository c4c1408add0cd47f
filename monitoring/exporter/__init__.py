"""What nobody else tells Prometheus: how the databases are, and until when the gateway's certificate holds."""
