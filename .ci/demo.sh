#!/usr/bin/env bash
# The main job from end to end, on the shipped models and the embedded Postgres: `make demo`.
#
# The model is edited in a throw-away copy of the tree, so the checkout is left as it was.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
model=models/src/user.rs

# Set but empty counts as not set, and a .env file cannot fill it in: the demo never touches a database of yours.
export DATABASE_URL=

fail() { printf 'demo: %s\n' "$*" >&2; exit 1; }
title() { printf '\n== %s\n' "$*"; }

trueup() {
  local word shown=
  for word; do
    case $word in *' '*) shown+=" \"$word\"" ;; *) shown+=" $word" ;; esac
  done
  printf '\n$ cargo run -p cli --%s\n' "$shown"
  cargo run -q -p cli -- "$@"
}

# edit FILE PATTERN REPLACEMENT: changes the one line that matches, and fails where it is not exactly one.
edit() {
  awk -v pattern="$2" -v replacement="$3" \
    '$0 ~ pattern { sub(pattern, replacement); hits++ } { print } END { exit hits != 1 }' "$1" >"$1.edited" ||
    fail "$1: not exactly one line matches $2"
  mv "$1.edited" "$1"
}

# One hash over all that git sees of the checkout; constant where the tree is not in git.
fingerprint() {
  git rev-parse --git-dir >/dev/null 2>&1 || return 0
  { git status --porcelain && git diff HEAD; } | git hash-object --stdin
}

before=$(fingerprint)
cargo build -p cli

title 'The shipped migrations, on the embedded database'
trueup upgrade
trueup check

target=$(cd "${CARGO_TARGET_DIR:-target}" && pwd)
copy=$(mktemp -d "${TMPDIR:-/tmp}/trueup-demo.XXXXXX")
# The last build puts the checkout's own binary back to where the copy's was linked.
trap 'cd "$root"; rm -rf "$copy"; CARGO_TARGET_DIR=$target cargo build -q -p cli' EXIT
tar --exclude=./target --exclude=./.git --exclude=./.trueup -cf - . | tar -xf - -C "$copy"
cd "$copy"

# The copy shares the target folder, so only this workspace's crates compile again. Cargo tells crates apart by name,
# version and place within the workspace: with the same version, the checkout would afterwards run the copy's models.
export CARGO_TARGET_DIR=$target
edit Cargo.toml '^version = "[^"]*' '&-demo'

title 'In a throw-away copy, struct User gets a field'
edit "$model" '^    pub email: String,$' '&\n    /// Where to call when a device is late.\n    pub phone_number: Option<String>,'
diff -U2 "$root/$model" "$model" | tail -n +3 || true
trueup autogen "add phone_number"

for file in migrations/*_add_phone_number/{up,down}.sql; do
  title "$file"
  cat "$file"
done

title 'There and back'
trueup upgrade
trueup check
trueup downgrade

cd "$root"
[ "$(fingerprint)" = "$before" ] || fail 'the checkout is not as it was'
