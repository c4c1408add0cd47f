-- One database and its three roles: the owner migrates, the application reads and writes, the auditor reads. And one for
-- all: the monitor, who sees statistics and no rows.
-- Every statement may be repeated. Parameters: :database; passwords from the environment.
SET client_min_messages = warning;
\getenv owner_password OWNER_PASSWORD
\getenv app_password APP_PASSWORD
\getenv auditor_password AUDITOR_PASSWORD
\getenv monitor_password MONITOR_PASSWORD
\set owner :database _owner
\set app :database

SELECT format('CREATE ROLE %I', role) FROM unnest(ARRAY[:'owner', :'app', 'auditor', 'monitor']) AS role
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) \gexec
ALTER ROLE :"owner" LOGIN PASSWORD :'owner_password';
ALTER ROLE :"app" LOGIN PASSWORD :'app_password';
ALTER ROLE auditor LOGIN PASSWORD :'auditor_password';
ALTER ROLE auditor SET default_transaction_read_only = on;
-- Whoever comes as the application, a person or an intruder too, cannot hold others up. Services set the same.
ALTER ROLE :"app" SET statement_timeout = '5s';
ALTER ROLE :"app" SET lock_timeout = '2s';
ALTER ROLE :"app" SET idle_in_transaction_session_timeout = '10s';
ALTER ROLE monitor LOGIN PASSWORD :'monitor_password';
GRANT pg_monitor TO monitor;

-- The builtin locale sorts the same on every system and in every release, so no index breaks with an upgrade.
SELECT format('CREATE DATABASE %I OWNER %I TEMPLATE template0 ENCODING ''UTF8'' LOCALE ''C'''
              ' LOCALE_PROVIDER builtin BUILTIN_LOCALE ''C.UTF-8''', :'database', :'owner')
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database') \gexec

-- A role reaches its own database and no other.
REVOKE ALL ON DATABASE postgres, template1, :"database" FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE :"database" TO :"app";
GRANT CONNECT ON DATABASE :"database" TO auditor;
GRANT CONNECT ON DATABASE postgres TO monitor;

\connect :database
SET client_min_messages = warning;
ALTER SCHEMA public OWNER TO :"owner";
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO :"app", auditor;

-- What the owner creates, the application may use and the auditor may read.
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO :"app";
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO :"app";
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" IN SCHEMA public GRANT SELECT ON TABLES TO auditor;
