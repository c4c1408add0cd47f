-- The test payment provider is one process that makes its own table: its role may do that in its own database.
GRANT CREATE ON SCHEMA public TO :"database";
ALTER DEFAULT PRIVILEGES FOR ROLE :"database" IN SCHEMA public GRANT SELECT ON TABLES TO auditor;
