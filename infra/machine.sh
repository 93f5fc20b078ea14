#!/usr/bin/env bash
# Makes this machine ready: installs what is missing to build, test and run Coulisse, and nothing else.
#
#   infra/machine.sh          what building and running need
#   infra/machine.sh --lint   rustfmt and clippy as well
#   infra/machine.sh --test   node and npm as well, for the counterparts of the tests, and a browser for the console's
#
# Says nothing and changes nothing when all is there. On Debian and Ubuntu it installs by apt, on macOS by
# brew; elsewhere it says exactly what to install. No service is started or enabled: the servers that the
# demo and the tests use are their own. (Written for bash 3.2, which is what macOS has.)
set -euo pipefail
cd "$(dirname "$0")/.."
PATH="$PATH:$HOME/.cargo/bin"

MIN_POSTGRES=15

say() { printf 'machine: %s\n' "$*" >&2; }
die() { say "$@"; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

# --- what is there -----------------------------------------------------------------------------------

# The same places as infra/cluster/src/binaries.rs.
has_postgres() {
    local folders dir major
    folders=$(printf '%s\n' "$PATH" | tr ':' '\n')
    for dir in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/libexec/postgresql* \
        /opt/homebrew/opt/postgresql*/bin /usr/local/opt/postgresql*/bin \
        /home/linuxbrew/.linuxbrew/opt/postgresql*/bin; do
        folders="$folders"$'\n'"$dir"
    done
    if has pg_config; then folders="$folders"$'\n'"$(pg_config --bindir)"; fi
    while IFS= read -r dir; do
        [ -x "$dir/postgres" ] && [ -x "$dir/initdb" ] || continue
        major=$("$dir/postgres" --version | sed -E 's/^[^0-9]*([0-9]+).*/\1/')
        if [ "${major:-0}" -ge "$MIN_POSTGRES" ]; then return 0; fi
    done <<<"$folders"
    return 1
}

has_redis() {
    has redis-server || has valkey-server || [ -x /opt/homebrew/bin/redis-server ]
}

has_compiler() {
    if [ "$(uname -s)" = Darwin ]; then xcode-select -p >/dev/null 2>&1; else has cc; fi
}

# The same places as web/e2e/support/browser.mjs.
has_browser() {
    has chromium || has chromium-browser || has google-chrome || [ -x "${COULISSE_CHROMIUM:-}" ] ||
        [ -x "/Applications/Chromium.app/Contents/MacOS/Chromium" ] ||
        [ -x "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" ]
}

# Prints each missing thing on a line.
missing() {
    has_postgres || echo postgresql
    has_redis || echo redis
    has_compiler || echo compiler
    has make || echo make
    # For the console's Node, where this machine has none that is new enough.
    has curl || has wget || echo curl
    [ -z "$test" ] || { has node && has npm; } || echo node
    [ -z "$test" ] || has_browser || echo browser
}

# --- Rust --------------------------------------------------------------------------------------------

check_rust() {
    local wanted found
    if ! has cargo; then
        say "Rust is missing. Install it, then run this again:"
        die "  curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y"
    fi
    wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
    found=$(rustc --version | sed -E 's/^rustc ([0-9]+\.[0-9]+).*/\1/')
    if [ "$(printf '%s\n%s\n' "$wanted" "$found" | sort -t. -k1,1n -k2,2n | head -n 1)" != "$wanted" ]; then
        die "Rust $found is installed, $wanted or newer is needed: rustup update stable"
    fi
}

check_lint_tools() {
    if cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1; then return 0; fi
    has rustup || die "rustfmt or clippy is missing: install your distribution's packages of that name"
    say "installing rustfmt and clippy"
    rustup component add rustfmt clippy
}

# --- installing --------------------------------------------------------------------------------------

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif has sudo; then
        sudo "$@"
    else
        die "no sudo here. Ask an administrator to run, as root: $PWD/infra/machine.sh"
    fi
}

# Runs as root on Debian and Ubuntu; its arguments are the names that `missing` printed.
#
# Installing PostgreSQL there creates and starts a cluster on port 5432, and installing Redis starts a
# service on 6379. Neither is wanted, so both are held back for as long as apt runs, and the machine's own
# settings are put back afterwards.
apt_script() {
    cat <<'ROOT'
set -euo pipefail
say() { printf 'machine: %s\n' "$*" >&2; }
export DEBIAN_FRONTEND=noninteractive
conf=/etc/postgresql-common/createcluster.conf
policy=/usr/sbin/policy-rc.d
saved=$(mktemp) conf_changed= policy_made=
restore() {
    if [ -n "$conf_changed" ]; then cat "$saved" >"$conf"; fi
    if [ -n "$policy_made" ]; then rm -f "$policy"; fi
    rm -f "$saved"
}
trap restore EXIT

apt() { apt-get -q -o DPkg::Lock::Timeout=300 "$@"; }
install() { apt install -y --no-install-recommends "$@"; }

# One such run at a time, or one would save what another has changed.
if command -v flock >/dev/null; then
    exec 9>/tmp/.coulisse-machine.lock
    flock 9
fi

if [ ! -e "$policy" ]; then
    policy_made=yes
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi

apt update || say "some package lists could not be fetched; trying with what there is"
packages=
for thing in "$@"; do
    case $thing in
    redis) packages="$packages redis-server" ;;
    compiler) packages="$packages gcc libc6-dev" ;;
    make) packages="$packages make" ;;
    curl) packages="$packages curl ca-certificates" ;;
    node) packages="$packages nodejs npm" ;;
    # Without a font its pages are empty boxes.
    browser) packages="$packages chromium fonts-liberation" ;;
    linker) if apt-cache show mold >/dev/null 2>&1; then packages="$packages mold"; fi ;;
    postgresql)
        install postgresql-common ca-certificates
        major=$(apt-cache policy postgresql | sed -n 's/^ *Candidate: \([0-9]*\).*/\1/p')
        if [ "${major:-0}" -lt "$MIN_POSTGRES" ]; then
            say "this release has PostgreSQL ${major:-none}; adding the PostgreSQL project's own source"
            /usr/share/postgresql-common/pgdg/apt.postgresql.org.sh -y
            major=17
        fi
        packages="$packages postgresql-$major"
        if [ -e "$conf" ]; then
            cat "$conf" >"$saved"
            conf_changed=yes
            sed -i -E '/^#? *create_main_cluster *=/d' "$conf"
            printf 'create_main_cluster = false\n' >>"$conf"
        fi
        ;;
    esac
done
# shellcheck disable=SC2086 # a list of words
install $packages
case " $packages " in
*" redis-server "*)
    if [ -d /run/systemd/system ]; then systemctl disable redis-server.service >/dev/null 2>&1 || true; fi
    ;;
esac
ROOT
}

install_by_apt() {
    say "installing by apt: $*"
    # Elsewhere than on x86_64 the toolchain brings no fast linker.
    if [ "$(uname -m)" != x86_64 ]; then set -- "$@" linker; fi
    as_root env MIN_POSTGRES="$MIN_POSTGRES" bash -c "$(apt_script)" machine "$@"
}

install_by_brew() {
    local thing packages=
    for thing in "$@"; do
        case $thing in
        postgresql) packages="$packages postgresql@17" ;;
        redis) packages="$packages redis" ;;
        curl) packages="$packages curl" ;;
        node) packages="$packages node" ;;
        browser) die "the tests need a browser: brew install --cask chromium" ;;
        compiler | make) die "the command line tools are missing: xcode-select --install" ;;
        esac
    done
    say "installing by brew:$packages"
    # shellcheck disable=SC2086 # a list of words
    brew install $packages
}

# Elsewhere: the command for what is missing, in the words of the machine's own package manager.
explain() {
    local thing words= names
    if has dnf; then
        names='postgresql=postgresql-server redis=redis compiler=gcc make=make node=nodejs curl=curl browser=chromium' words="dnf install"
    elif has apk; then
        names='postgresql=postgresql17 redis=redis compiler=build-base make=make node=nodejs curl=curl browser=chromium' words="apk add"
    elif has pacman; then
        names='postgresql=postgresql redis=redis compiler=gcc make=make node=nodejs curl=curl browser=chromium' words="pacman -S"
    elif has zypper; then
        names='postgresql=postgresql-server redis=redis compiler=gcc make=make node=nodejs curl=curl browser=chromium' words="zypper install"
    else
        say "missing here, and no package manager known to this script:"
        for thing in "$@"; do
            case $thing in
            postgresql) say "  PostgreSQL $MIN_POSTGRES or newer with its server programs (initdb, postgres), in PATH" ;;
            redis) say "  Redis (redis-server), in PATH" ;;
            compiler) say "  a C compiler (cc)" ;;
            make) say "  make" ;;
            curl) say "  curl or wget" ;;
            node) say "  Node.js 20.19, 22.12 or newer, with npm" ;;
            browser) say "  Chromium, in PATH or named by COULISSE_CHROMIUM" ;;
            esac
        done
        die "install these, then run this again"
    fi
    for thing in "$@"; do
        words="$words $(printf '%s\n' $names | sed -n "s/^$thing=//p")"
    done
    say "install what is missing, then run this again (PostgreSQL must be $MIN_POSTGRES or newer):"
    die "  $words"
}

# --- the linker --------------------------------------------------------------------------------------

# Rust's own toolchain links with its own LLD on x86_64 Linux, and Apple's linker is fast. Elsewhere mold
# or lld is named in an untracked .cargo/config.toml, written once and before the first build. It is a
# file, not a variable of the environment, so that make, CI and a bare cargo agree: with different flags
# they would rebuild everything each time they take turns.
choose_linker() {
    local host linker dir
    [ "$(uname -s)" = Linux ] || return 0
    if [ -e .cargo/config.toml ] || [ -e .cargo/config ]; then return 0; fi
    host=$(rustc -vV | sed -n 's/^host: //p')
    [ "$host" != x86_64-unknown-linux-gnu ] || return 0
    dir=$(mktemp -d)
    echo 'int main(void) { return 0; }' >"$dir/try.c"
    for linker in mold lld; do
        if cc "-fuse-ld=$linker" -o "$dir/try" "$dir/try.c" 2>/dev/null; then
            mkdir -p .cargo
            printf '# Written by infra/machine.sh, which found this linker here.\n' >.cargo/config.toml
            printf '[target.%s]\nrustflags = ["-C", "link-arg=-fuse-ld=%s"]\n' "$host" "$linker" >>.cargo/config.toml
            break
        fi
    done
    rm -rf "$dir"
}

# --- in order ----------------------------------------------------------------------------------------

lint= test=
case ${1-} in
'') ;;
--lint) lint=yes ;;
--test) test=yes ;;
*) sed -n '2,10s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac

wanted=$(missing)
if [ -n "$wanted" ]; then
    # shellcheck disable=SC2086 # a list of words
    if [ "$(uname -s)" = Darwin ]; then
        has brew || die "Homebrew is missing: https://brew.sh says how to install it"
        install_by_brew $wanted
    elif has apt-get; then
        install_by_apt $wanted
    else
        explain $wanted
    fi
    wanted=$(missing)
    [ -z "$wanted" ] || die "still missing after installing: $(echo $wanted)"
fi
check_rust
[ -z "$lint" ] || check_lint_tools
choose_linker
