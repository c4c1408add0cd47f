#!/bin/sh
# Starts the command that follows (`docker-entrypoint.sh postgres …`), with TLS where DATABASE_TLS is `on`.
#
# The certificate comes from `python -m local.secrets`. PostgreSQL takes a private key only from a file that is its own
# user's and nobody else's, and files of a volume are not: so it is copied, to memory (/tmp is a tmpfs).
set -eu
if [ "${DATABASE_TLS:-off}" = on ]; then
    key="${TMPDIR:-/tmp}/database_tls.key"
    install -m 0600 "$SECRETS/database_tls.key" "$key"
    set -- "$@" -c ssl=on -c "ssl_cert_file=$SECRETS/database_tls.crt" -c "ssl_key_file=$key"
fi
exec "$@"
