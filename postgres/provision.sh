#!/bin/sh
# Creates the databases named in DATABASES (`stock`, `orders testpay`), each with its roles; may be repeated.
#
# Local mode runs it on every `up`; in Docker it lies in /docker-entrypoint-initdb.d and runs once. It connects as psql's own
# variables say (PGHOST, PGPORT, PGUSER, PGPASSWORD; Docker: POSTGRES_USER, by socket). Passwords come from the files
# that `python -m local.secrets` makes in the folder SECRETS, and are in no process list.
set -eu

: "${DATABASES:?names the databases to create}" "${SECRETS:?names the folder of the secrets}"
export PGUSER="${PGUSER:-${POSTGRES_USER:-postgres}}"
sql="$(dirname "$0")/sql"
AUDITOR_PASSWORD=$(cat "$SECRETS/auditor_password")
MONITOR_PASSWORD=$(cat "$SECRETS/monitor_password")
export AUDITOR_PASSWORD MONITOR_PASSWORD

for database in $DATABASES; do
    OWNER_PASSWORD=$(cat "$SECRETS/$database/owner_password")
    APP_PASSWORD=$(cat "$SECRETS/$database/password")
    export OWNER_PASSWORD APP_PASSWORD
    psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --dbname=postgres --set=database="$database" \
        --file="$sql/database.sql"
    if [ -f "$sql/$database.sql" ]; then
        psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --dbname="$database" --set=database="$database" \
            --file="$sql/$database.sql"
    fi
done
