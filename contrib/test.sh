#!/bin/sh
# test.sh - install what the tests need, run all of them, and say in one line how it went.
#
# GIVEN  Debian 12 or later, or Ubuntu 24.04 or later; root, or sudo.
# GIVES  exit status 0 when every part passed, 1 when one did not, another when it could
#        not begin.
# DOES NOT  start or enable a service, replace a mail server, or ask a question.

set -eu
umask 022
ROOT=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$ROOT/contrib/lib.sh"
# shellcheck source-path=SCRIPTDIR source=quiet.sh
. "$ROOT/contrib/quiet.sh"

DOWNLOADS=$ROOT/downloads
MAILAUTH=4.13.3 # a third verifier of our signatures; wants Node.js 20
OPENDKIM='opendkim_2.11*.orig.tar.[gx]z' # holds OpenDKIM's test scripts
E2E_SECONDS=1200 # a hang must end; the whole usually takes a third of this

# For the unit tests: one package a line, then the reason.
unit_packages() {
	cat <<-'END'
	mandoc        lints the manual pages
	shellcheck    lints these scripts
	openssl       makes keys, and reads ours, independently of our code
	libldap-dev   python-ldap comes as C source
	libsasl2-dev  its headers, for the same
	END
}

# Servers for the tests; what they install as services is switched off.
server_packages() {
	cat <<-'END'
	postfix            the mail server, of which we run a private instance
	nsd                the name server that holds the test zones, likewise
	opendkim           accepts our signatures
	unbound            a validating resolver, for postseal-testkey
	bind9              takes dynamic updates made by postseal-genzone
	dkimpy-milter      brings the configuration file that postseal migrate reads
	pdns-server        loads its own format of postseal-genzone
	postgresql         keeps tables that we must read
	mariadb-server     likewise
	postgresql-common  holds PostgreSQL's service
	slapd              likewise
	redis-server       likewise
	END
}

# Not in every release: left out where apt has none.
maybe_packages() {
	cat <<-'END'
	valkey-server      keeps tables likewise
	END
}

# Programs for the same tests.
tool_packages() {
	cat <<-'END'
	ldnsutils             ldns-signzone signs zones, for postseal-testkey
	opendkim-tools        makes and checks keys that we must understand, and the other way round
	libmail-dkim-perl     accepts our signatures: a second, unrelated implementation
	libcryptx-perl        Ed25519 for it, where it can
	miltertest            speaks the milter protocol without a mail server
	bind9-utils           named-checkzone reads our zone lines
	bind9-dnsutils        nsupdate reads our updates, dig asks
	knot-dnssecutils      kzonecheck reads our zone lines
	pdns-backend-sqlite3  a place for PowerDNS to load into
	dnsmasq-base          loads its own format of postseal-genzone
	tinydns               likewise
	nodejs                evaluates the JavaScript of another format
	iproute2              brings up the loopback of a network namespace
	procps                ps, for a look at the daemon's processes
	END
}

# Source archives whose test suites we run: the name pip knows, then the reason.
source_archives() {
	cat <<-'END'
	pyspf==2.0.14  holds the RFC 7208 test suite
	END
}

usage() {
	cat <<-'END'
	usage: sh contrib/test.sh [options]
	  --quick       checks and unit tests only: under a minute, no mail server needed
	  --no-install  install nothing; what is missing makes the tests fail
	  --help        print this
	END
}

read_options() {
	quick=false install=true
	for option; do
		case $option in
		--quick) quick=true ;;
		--no-install) install=false ;;
		--help | -h) usage && exit 0 ;;
		*) die "unknown option $option" "sh contrib/test.sh --help lists the options" 64 ;;
		esac
	done
}

wanted_packages() {
	run_packages
	unit_packages
	$quick || { server_packages && tool_packages && maybe_packages | available; }
}

need_archives() {
	while read -r archive _; do
		[ ! -s "$DOWNLOADS/$(printf '%s' "$archive" | sed 's/==/-/').tar.gz" ] || continue
		say "fetching the source of $archive into downloads/"
		"$VENV/bin/python" -m pip download --quiet --disable-pip-version-check --no-deps \
			--no-binary "${archive%%=*}" --dest "$DOWNLOADS" "$archive" >&2 ||
			die "could not fetch $archive" "the lines above say why"
	done
}

# mailauth comes from npm, which is several hundred packages in Debian: it is used where it is.
need_mailauth() {
	[ ! -d "$DOWNLOADS/node_modules/mailauth" ] || return 0
	if ! command -v npm >/dev/null || ! node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)'
	then
		say "note: tests with mailauth are skipped: they want npm and Node.js 20 or later"
		return 0
	fi
	say "fetching mailauth $MAILAUTH into downloads/"
	npm install --prefix "$DOWNLOADS" --no-save --ignore-scripts --omit=dev --no-audit --no-fund \
		--loglevel=error "mailauth@$MAILAUTH" >&2 ||
		say "note: tests with mailauth are skipped: the lines above say why"
}

# Where apt has the distribution's packages from, as lines for the sources beside them.
source_lines() {
	# shellcheck disable=SC2016  # expanded by apt
	apt-get indextargets --format '$(ORIGIN) deb-src $(REPO_URI) $(RELEASE) $(COMPONENT)' \
		'Created-By: Packages' 2>/dev/null | sed -nE 's/^(Debian|Ubuntu) //p' | sort -u
}

# Fetches a source package into the current directory, by an apt that looks at nothing else
# and leaves the machine's sources and lists as they are.
fetch_source() {
	mkdir -p lists/partial cache/archives/partial
	source_lines >sources
	[ -s sources ] || echo 'deb-src http://deb.debian.org/debian bookworm main' >sources
	apt_here() {
		LC_ALL=C.UTF-8 apt-get -qq -o Dir::Etc::SourceList="$PWD/sources" \
			-o Dir::Etc::SourceParts=/dev/null -o Dir::State="$PWD" \
			-o Dir::State::Lists="$PWD/lists" -o Dir::Cache="$PWD/cache" \
			-o APT::Sandbox::User= "$@" </dev/null
	}
	apt_here update && apt_here source --download-only "$1"
}

# OpenDKIM's own test scripts are in its source package.  Without them their tests are
# skipped: a loss, but no reason not to run the others.
need_opendkim_source() {
	mkdir -p "$DOWNLOADS"
	[ -z "$(find "$DOWNLOADS" -name "$OPENDKIM" -size +0)" ] || return 0
	say "fetching the source of opendkim into downloads/"
	place=$(mktemp -d)
	(cd "$place" && fetch_source opendkim) >"$place/log" 2>&1 || :
	if [ -z "$(find "$place" -name "$OPENDKIM" -exec cp {} "$DOWNLOADS/" \; -print)" ]; then
		tail -n 3 "$place/log" >&2
		say "note: tests with OpenDKIM's scripts are skipped: the lines above say why; they need"
		say "      $OPENDKIM, of Debian's source package, in downloads/"
	fi
	rm -rf "$place"
}

install_all() {
	# shellcheck disable=SC2046  # one word per package
	need_packages_quietly $(wanted_packages | missing_packages)
	need_python
	need_venv
	if ! stamped test; then
		say "installing Postseal, its requirements and the test tools into .venv"
		pip_install -e "${ROOT}[test]" || die "pip could not install the requirements" \
			"the lines above say why; is the package index within reach?"
		stamp test
		stamp run
	fi
	$quick || installed valkey-server ||
		say "note: tests with Valkey's own server are skipped: apt has none here (Debian 13 does)"
	source_archives | need_archives
	$quick || { need_mailauth && need_opendkim_source; }
}

# part NAME COMMAND...: runs one part, remembers how it went and how long it took.
part() {
	name=$1 && shift
	say ""
	say "== $name"
	began=$(date +%s)
	if "$@"; then how=ok; else how=FAILED failed="$failed $name"; fi
	report="$report$(printf '%-12s %-6s %4d s' "$name" "$how" $(($(date +%s) - began)))
"
}

python() { "$VENV/bin/python" "$@"; }

# Many tests wait more than they work, hence more processes than processors.
# Property tests try a fifth of their examples where time counts.
unit_tests() {
	profile=patient
	! $quick || profile=quick
	python -m pytest -q -n $(($(nproc) + 2)) --dist worksteal --hypothesis-profile="$profile" \
		-m 'not e2e and not slow' tests
}

# pytest answers 5 when no test is marked slow.
slow_tests() {
	python -m pytest -q -n $(($(nproc) + 2)) --dist worksteal -m 'slow and not e2e' tests || [ $? -eq 5 ]
}

# Whether root may make namespaces here; some containers forbid it.
can_unshare() { as_root unshare --net --pid --fork --kill-child --mount-proc true 2>/dev/null; }

# The tests with real programs.  In namespaces of their own, where that is allowed: no port
# can clash, no packet can leave, and every process ends with the last test.
e2e_tests() {
	set -- "$VENV/bin/python" -m pytest -q -p no:cacheprovider -m e2e tests
	if can_unshare; then
		# shellcheck disable=SC2016  # expanded by the inner shell
		set -- unshare --net --pid --fork --kill-child --mount-proc \
			sh -c 'ip link set lo up && "$@"' sh "$@"
	fi
	as_root env PYTHONDONTWRITEBYTECODE=1 POSTSEAL_E2E=required \
		TMPDIR="$TMPDIR" timeout --foreground -k 30 "$E2E_SECONDS" "$@"
}

# What the tests write goes with them.  Servers write there as users of their own.
own_scratch() {
	TMPDIR=$(mktemp -d "${TMPDIR:-/tmp}/postseal-XXXXXX")
	export TMPDIR
	chmod 1777 "$TMPDIR"
	trap 'as_root rm -rf "$TMPDIR"' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
}

run_all() {
	failed='' report=''
	part ruff python -m ruff check --quiet .
	part format python -m ruff format --quiet --check .
	part mypy python -m mypy
	part unit unit_tests
	$quick || part slow slow_tests
	$quick || part e2e e2e_tests
}

main() {
	read_options "$@"
	cd "$ROOT"
	if $install; then install_all; fi
	[ -x "$VENV/bin/python" ] || die "there is no .venv" "run without --no-install once"
	own_scratch
	unset PYTHONDONTWRITEBYTECODE # pytest keeps the tests it has compiled: half of every start
	run_all
	say ""
	printf '%s' "$report"
	[ -z "$failed" ] || { echo "postseal: FAILED:$failed" && exit 1; }
	echo "postseal: all tests passed"
}

main "$@"
