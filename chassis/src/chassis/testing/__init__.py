"""What the tests of every service need: a PostgreSQL of their own, tokens, and a client that speaks JSON."""
