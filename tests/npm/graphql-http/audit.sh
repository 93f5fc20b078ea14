#!/bin/sh
# Runs the audits against the server at a URL: audit.sh FOLDER URL. They are installed in the folder first, as the lock
# file says, unless they are there.
set -eu
source=$(dirname "$0")
mkdir -p "$1"
cd "$source" && source=$PWD && cd - >/dev/null
if ! cmp -s "$source/package-lock.json" "$1/package-lock.json" || [ ! -f "$1/node_modules/.package-lock.json" ]; then
  cp "$source/package.json" "$source/package-lock.json" "$1"
  (cd "$1" && npm ci --ignore-scripts --no-audit --no-fund >&2)
fi
cp "$source/audit.mjs" "$1"
exec node "$1/audit.mjs" "$2"
