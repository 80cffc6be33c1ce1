#!/bin/sh
# fuzz.sh - fuzz every reader of strangers' octets, and a whole milter session.
#
# GIVEN  a .venv that contrib/test.sh has made.
# GIVES  one line for each target; exit status 1 when something was found, which is then in
#        tests/fuzz/findings/.
# DOES NOT  open a socket, or write outside tests/fuzz/findings/ and a temporary directory.

set -eu
umask 022
ROOT=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$ROOT/contrib/lib.sh"

SECONDS_IN_ALL=${1:-600}

case $SECONDS_IN_ALL in
'' | *[!0-9]*) die "usage: sh contrib/fuzz.sh [SECONDS]" "SECONDS is 600 unless given" 64 ;;
esac
[ -x "$VENV/bin/python" ] || die "there is no .venv" "run sh contrib/test.sh once"
# Not a requirement of anything else, and not there for every Python: without it the seeds
# are mutated without a guide.
"$VENV/bin/python" -c 'import atheris' 2>/dev/null ||
	"$VENV/bin/python" -m pip install --quiet --disable-pip-version-check atheris ||
	say "atheris cannot be installed here: going on without"

# As many seconds of work as there are processors, so that the whole takes SECONDS.
exec "$VENV/bin/python" "$ROOT/tests/fuzz/run.py" --seconds $((SECONDS_IN_ALL * $(nproc)))
