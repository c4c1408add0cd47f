#!/bin/sh
# Gives every variable of variables.env that is not set its default, then lets the public image's own entrypoint render
# the templates. As in render.py, a value that could add a directive stops the start, and nothing else is substituted.
set -eu
names=''
while IFS='=' read -r name value; do
    case $name in '' | '#'*) continue ;; esac
    value=$(printenv "$name" || printf %s "$value")
    case $value in
    *[\"\'\$\\]* | *'
'*)
        echo "gateway: $name: quotes, \$, backslashes and line breaks are not allowed" >&2
        exit 1
        ;;
    esac
    export "$name=$value"
    names="$names|$name"
done </etc/nginx/variables.env
export NGINX_ENVSUBST_FILTER="^(${names#|})\$"
exec /docker-entrypoint.sh "$@"
