#!/bin/sh
# bench.sh - install what the benchmark needs, and measure Postseal beside its peers.
#
# GIVEN  Debian 12 or later, or Ubuntu 24.04 or later; root or sudo, and namespaces.
# USAGE  sh contrib/bench.sh [options], or sh contrib/bench.sh growth [options]; --help lists them.
#        sh contrib/bench.sh tables [--domains N]: tables of 10,000 domains, of every kind.
# GIVES  a table on standard output; results.json, results.md and chart.svg in state/bench.
#        Exit status 0 when every message was treated right, whatever it cost.
# DOES NOT  start or enable a service; all runs in namespaces that end with it.
# SEE ALSO  tests/bench/README.md

set -eu
umask 022
ROOT=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$ROOT/contrib/lib.sh"
# shellcheck source-path=SCRIPTDIR source=quiet.sh
. "$ROOT/contrib/quiet.sh"

# What is measured, and the name server: one package a line, then the reason.
server_packages() {
	cat <<-'END'
	opendkim       signs and verifies
	opendmarc      DMARC, with and without SPF
	pyspf-milter   SPF
	dkimpy-milter  signs and verifies, in Python
	unbound        answers for the zone of the corpus
	END
}

# Larger, and not in every release: left out where apt has none.
maybe_packages() {
	cat <<-'END'
	rspamd         all of it, cut down to these checks
	END
}

tool_packages() {
	cat <<-'END'
	libssl-dev  the floor makes a signature
	iproute2    brings up the loopback of a network namespace
	util-linux  unshare, taskset
	END
}

install_all() {
	# shellcheck disable=SC2046  # one word per package
	need_packages_quietly $({ run_packages && server_packages && tool_packages &&
		maybe_packages | available; } | missing_packages)
	need_python
	need_venv
	stamped test || stamped run || {
		say "installing Postseal and its requirements into .venv"
		pip_install -e "$ROOT" || die "pip could not install the requirements" \
			"the lines above say why; is the package index within reach?"
		stamp run
	}
}

# What tables of many domains cost: each kind whose server is here.
tables() {
	# shellcheck disable=SC2046  # one word per package
	need_packages_quietly $(run_packages | missing_packages)
	need_python
	need_venv
	stamped test || {
		say "installing Postseal, its requirements and the test tools into .venv"
		pip_install -e "${ROOT}[test]" || die "pip could not install the requirements" \
			"the lines above say why; is the package index within reach?"
		stamp test
		stamp run
	}
	say "databases and directories that are not installed are left out; sh contrib/test.sh brings them"
	say "== the daemon, with one worker" &&
		"$VENV/bin/python" "$ROOT/tests/bench/bench_workers.py" "$@" &&
		say "== reading and asking alone" &&
		"$VENV/bin/python" "$ROOT/tests/bench/bench_tables.py" --elsewhere "$@"
}

if [ "${1-}" = tables ]; then
	shift
	tables "$@"
	exit
fi
module=bench.run
if [ "${1-}" = growth ]; then module=bench.growth && shift; fi
install_all
as_root unshare --net --mount --pid --fork --kill-child --mount-proc true 2>/dev/null ||
	die "namespaces cannot be made here" "the benchmark needs root with the right to unshare" 77
resolv=$(mktemp)
trap 'rm -f "$resolv"' EXIT
printf 'nameserver 127.0.0.77\n' >"$resolv"
cd "$ROOT"
# shellcheck disable=SC2016  # expanded by the inner shell
as_root unshare --net --mount --pid --fork --kill-child --mount-proc sh -c '
	ip link set lo up
	mount --bind "$1" /etc/resolv.conf
	shift
	exec "$@"' sh "$resolv" env PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$ROOT/tests" \
	"$VENV/bin/python" -m "$module" "$@"
