#!/bin/sh
# Runs the client, which reads what it needs as JSON: run.sh FOLDER < JSON. It is installed in the folder first, as the lock
# file says, unless it is there.
set -eu
source=$(dirname "$0")
mkdir -p "$1"
if ! cmp -s "$source/package-lock.json" "$1/package-lock.json" || [ ! -f "$1/node_modules/.package-lock.json" ]; then
  cp "$source/package.json" "$source/package-lock.json" "$1"
  (cd "$1" && npm ci --ignore-scripts --no-audit --no-fund >&2)
fi
cp "$source/client.mjs" "$1"
exec node "$1/client.mjs"
