#!/usr/bin/env bash
# Makes this machine able to build, test and demo the tree: `make setup`.
#
# It looks for the things themselves, not for packages, and installs what is missing:
#   libpq      Diesel links it.
#   libclang   pg_query reads C headers while it builds; the compiler's own headers belong to it.
#   Postgres   the server and its client programs, for scratch databases and for pg_dump.
#   rustfmt and clippy, where rustup can add them.
# Where nothing is missing it asks no network and is done in a fraction of a second.
set -euo pipefail

say() { printf 'setup: %s\n' "$*"; }
fail() { say "$@" >&2; exit 1; }

# Is called with unquoted patterns: one that matches nothing stays as it is, and no such file exists.
any_exists() {
  local path
  for path; do [ -e "$path" ] && return; done
  return 1
}

has_libpq() {
  local dir
  dir=${PQ_LIB_DIR:-$(pg_config --libdir 2>/dev/null)} || dir=/usr/lib
  any_exists "$dir"/libpq.{so,dylib} /usr/lib{,64,/*-linux-gnu}/libpq.so
}

has_libclang() {
  # On macOS it comes with the C compiler.
  [ -n "${LIBCLANG_PATH:-}" ] || [ "$system" = macos ] && return
  any_exists /usr/lib{,64}/{,*-linux-gnu/,llvm*/lib{,64}/}libclang{,-[0-9]*}.so* &&
    any_exists /usr/lib{,64}/{,llvm*/lib{,64}/}clang/*/include/stddef.h
}

has_postgres() {
  local dir
  for dir in "${TRUEUP_PG_BIN:-}" "$(pg_config --bindir 2>/dev/null)" "$(dirname "$(command -v initdb)")" \
    /usr/lib/postgresql/*/bin {/opt/homebrew,/usr/local}/opt/postgresql*/bin \
    /Applications/Postgres.app/Contents/Versions/*/bin; do
    [ -x "$dir/initdb" ] && [ -x "$dir/postgres" ] && [ -x "$dir/pg_dump" ] && return
  done
  return 1
}

# Sets `missing` to the packages of this system that would bring what is not there.
look() {
  missing=()
  has_libpq || missing+=("${packages[0]}")
  has_libclang || missing+=("${packages[1]}")
  has_postgres || missing+=("${packages[2]}")
}

# Runs a command as root, by sudo only where we are not root already.
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# Runs a command that is to be heard of only if it fails.
quietly() {
  "$@" >>"$log" 2>&1 || { tail -n 20 "$log" >&2; fail "this failed: ${*/#as_root/sudo}"; }
}

install_by_apt() {
  [ "$(id -u)" = 0 ] || command -v sudo >/dev/null || fail "neither root nor sudo; as root: apt-get install $*"
  # Debian's server package makes a cluster on port 5432 and starts it, unless it is told not to. Nobody asked for one here.
  local package drop_in=/etc/postgresql-common/createcluster.d/trueup.conf
  # shellcheck disable=SC2064 # `drop_in` is local: it must be expanded now.
  trap "as_root rm -f '$drop_in'; rm -f '$log'" EXIT
  as_root mkdir -p "${drop_in%/*}"
  echo 'create_main_cluster = false' | as_root tee "$drop_in" >/dev/null
  for package; do say "installing $package"; done
  # An index that cannot be fetched, of some other repository perhaps, matters only if a package is then not found.
  as_root apt-get update -qq >>"$log" 2>&1 || true
  quietly as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -qq -y --no-install-recommends -o DPkg::Lock::Timeout=120 "$@"
}

install_by_brew() {
  command -v brew >/dev/null || fail "no Homebrew (https://brew.sh) to install: $*"
  say "installing $*"
  quietly brew install "$@"
  # A formula with a version in its name is not put on PATH, where pg_config is looked for, until it is linked.
  quietly brew link --overwrite --force "$@"
}

add_component() {
  local name=$1
  shift
  "$@" --version >/dev/null 2>&1 && return
  command -v rustup >/dev/null || { say "no $name, which 'make lint' needs, and no rustup to add it"; return; }
  say "adding $name"
  quietly rustup component add "$name"
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT

command -v cargo >/dev/null || fail 'no cargo: install Rust from https://rustup.rs, then open a new shell'
command -v cc >/dev/null || fail 'no C compiler (cc)'

if [ "$(uname -s)" = Darwin ]; then
  # One formula brings the server, the programs and libpq; libclang is never missing.
  system=macos packages=(postgresql@17 '' postgresql@17)
elif command -v apt-get >/dev/null; then
  system=debian packages=(libpq-dev libclang-dev postgresql)
elif command -v dnf >/dev/null; then
  system=fedora packages=(libpq-devel clang-devel 'postgresql-server postgresql-contrib')
elif command -v pacman >/dev/null; then
  system=arch packages=(postgresql-libs clang postgresql)
else
  system=other packages=('libpq with its headers' "libclang with clang's headers" 'the Postgres server, client programs and contrib (14 or newer)')
fi

look
if [ ${#missing[@]} -gt 0 ]; then
  case $system in
    debian) install_by_apt "${missing[@]}" ;;
    macos) install_by_brew "${missing[0]}" ;;
    fedora) fail "something is missing; run: sudo dnf install ${missing[*]}" ;;
    arch) fail "something is missing; run: sudo pacman -S --needed ${missing[*]}" ;;
    *) fail "please install $(printf '%s; ' "${missing[@]}")then run this again" ;;
  esac
  look
  [ ${#missing[@]} = 0 ] || fail "installed, but still not found: ${missing[*]}"
fi

add_component rustfmt cargo fmt
add_component clippy cargo clippy
say ready
