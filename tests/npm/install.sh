#!/bin/sh
# Installs a counterpart in a folder, as its lock file says, unless it is there: install.sh NAME FOLDER.
set -eu
source=$(dirname "$0")/$1
mkdir -p "$2"
if ! cmp -s "$source/package-lock.json" "$2/package-lock.json" || [ ! -f "$2/node_modules/.package-lock.json" ]; then
  cp "$source/package.json" "$source/package-lock.json" "$2"
  (cd "$2" && npm ci --ignore-scripts --no-audit --no-fund >&2)
fi
cp "$source"/*.mjs "$2"
