"""PostgreSQL for Django: ENGINE is ``chassis.database``."""
