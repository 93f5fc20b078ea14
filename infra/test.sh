#!/usr/bin/env bash
# Runs every test of the workspace beside a PostgreSQL and a Redis of its own. Arguments go to `cargo test`:
#
#   infra/test.sh                       everything
#   infra/test.sh -- year_closing       the tests of that name
set -euo pipefail
cd "$(dirname "$0")/.."
PATH="$PATH:$HOME/.cargo/bin"

infra/machine.sh --test
# The server has the console in it, which some tests drive in a browser.
infra/web.sh
# Everything at once and by one command: built piece by piece, shared dependencies would be built again
# for each set of features. It also builds the programs that the tests start.
cargo build --workspace --all-targets
exec "${CARGO_TARGET_DIR:-target}/debug/with-services" -- cargo test --workspace --no-fail-fast "$@"
