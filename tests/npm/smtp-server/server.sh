#!/bin/sh
# Runs the SMTP server: server.sh FOLDER OPTIONS. It is installed in the folder first, as the lock file says, unless it is
# there.
set -eu
source=$(dirname "$0")
mkdir -p "$1"
cd "$source" && source=$PWD && cd - >/dev/null
if ! cmp -s "$source/package-lock.json" "$1/package-lock.json" || [ ! -f "$1/node_modules/.package-lock.json" ]; then
  cp "$source/package.json" "$source/package-lock.json" "$1"
  (cd "$1" && npm ci --ignore-scripts --no-audit --no-fund >&2)
fi
cp "$source/server.mjs" "$1"
exec node "$1/server.mjs" "$2"
