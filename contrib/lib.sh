# shellcheck shell=sh
# lib.sh - the parts that run.sh and test.sh share.  Sourced, never run.
#
# GIVEN  ROOT, the checkout; PYTHON, if the caller has chosen one.
# GIVES  say, die, as_root, need_packages, need_python, need_venv, stamped, stamp.
# DOES NOT  touch anything outside the checkout, but for Debian packages.

VENV=$ROOT/.venv
LEAST_PYTHON=3.11

# Packages without which nothing can be built or started: one a line, then the reason.
run_packages() {
	cat <<-'END'
	gcc              pymilter comes as C source, and so does a part of ours
	python3-dev      Python.h and the C library's headers, for the same
	libmilter-dev    libmilter/mfapi.h, for the same; brings the shared library
	python3-venv     Debian's Python installs nothing without a virtual environment
	ca-certificates  pip fetches over TLS
	END
}

say() { printf '%s\n' "$*" >&2; }

# die WHAT [HINT [STATUS]]: says both and ends, by default with EX_UNAVAILABLE.
die() {
	say "error: $1"
	[ -z "${2-}" ] || say "hint: $2"
	exit "${3:-69}"
}

am_root() { [ "$(id -u)" -eq 0 ]; }

# Whether as_root can work.  sudo may ask for its password only where somebody can answer.
can_be_root() {
	am_root && return 0
	command -v sudo >/dev/null 2>&1 || return 1
	if [ -t 0 ]; then sudo -v; else sudo -n true 2>/dev/null; fi
}

as_root() {
	if am_root; then
		"$@"
	elif [ -t 0 ]; then
		sudo "$@"
	else
		sudo -n "$@"
	fi
}

installed() {
	[ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Reads lines whose first word is a package; prints those that are not installed.
missing_packages() {
	while read -r package _; do
		installed "$package" || printf '%s ' "$package"
	done
}

# Reads package lines; keeps those that apt can install.
available() {
	while read -r package why; do
		! apt_plan "$package" >/dev/null 2>&1 || printf '%s %s\n' "$package" "$why"
	done
}

apt() {
	as_root env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 apt-get -q "$@" </dev/null
}

# What apt would do for these packages: its Inst and Remv lines.  Changes nothing.
apt_plan() {
	LC_ALL=C.UTF-8 apt-get -q -s install --no-install-recommends "$@" </dev/null
}

# Installs packages, refreshing the lists only when they do not do, and never removing any.
apt_install() {
	plan=$(apt_plan "$@" 2>/dev/null) || {
		apt update >&2 || die "apt-get update failed" "the lines above say why"
		plan=$(apt_plan "$@") || die "apt-get cannot install: $*" "the lines above say why"
	}
	removed=$(printf '%s\n' "$plan" | sed -n 's/^Remv \([^ ]*\).*/\1/p' | tr '\n' ' ')
	[ -z "$removed" ] || die "installing $* would remove: $removed" \
		"nothing was changed; use another machine, a container or a virtual machine"
	apt -y --no-remove -o Dpkg::Options::=--force-confold install --no-install-recommends "$@" >&2 ||
		{ apt update >&2 && # a list can be older than the mirror
			apt -y --no-remove -o Dpkg::Options::=--force-confold \
				install --no-install-recommends "$@" >&2; } ||
		die "apt-get could not install: $*" "the lines above say why"
}

# need_packages MISSING...: installs them, or says plainly why not.
need_packages() {
	[ $# -gt 0 ] || return 0
	command -v apt-get >/dev/null 2>&1 || die "these Debian packages are missing: $*" \
		"there is no apt-get here; postseal is set up on Debian 12, Debian 13 and Ubuntu 24.04"
	can_be_root || die "these Debian packages are missing, and there is neither root nor sudo: $*" \
		"as root: apt-get install --no-install-recommends $*" 77
	say "installing Debian packages: $*"
	apt_install "$@"
}

python_is_new_enough() {
	"$1" - "$LEAST_PYTHON" 2>/dev/null <<-'END'
	import sys
	least = tuple(int(part) for part in sys.argv[1].split("."))
	sys.exit(sys.version_info < least)
	END
}

# Sets PYTHON: the caller's, or Debian's own, for which python3-dev has the headers.
need_python() {
	PYTHON=${PYTHON:-/usr/bin/python3}
	command -v "$PYTHON" >/dev/null 2>&1 || die "there is no $PYTHON" \
		"install python3, or set PYTHON to a Python $LEAST_PYTHON or later"
	python_is_new_enough "$PYTHON" || die "$PYTHON is older than Python $LEAST_PYTHON" \
		"Debian 12 and Ubuntu 24.04 are the oldest that do; or set PYTHON"
}

# A virtual environment that works.  One that was left half-made, or whose Python is gone
# since an upgrade, is made anew: a directory alone proves nothing.
need_venv() {
	if [ -x "$VENV/bin/pip" ] && "$VENV/bin/python" -m pip --version >/dev/null 2>&1; then
		return 0
	fi
	say "making the virtual environment .venv"
	"$PYTHON" -m venv --clear "$VENV" || die "could not make $VENV" \
		"look at the lines above; is the disk full, or the checkout not yours?" 73
}

pip_install() {
	"$VENV/bin/python" -m pip install --quiet --no-input --disable-pip-version-check \
		--use-pep517 "$@" >&2
}

# What an installation depends on, as one line: our packaging files and the Python used.
packaging_state() {
	"$VENV/bin/python" -c 'import sys; print(sys.version_info[:3], sys.argv[1])' \
		"$(cat "$ROOT/setup.cfg" "$ROOT/setup.py" "$ROOT/pyproject.toml" \
			"$ROOT"/milter/postseal/core/*.[ch] "$ROOT"/milter/postseal/core/dkim/*.c | cksum) $ROOT"
}

# stamped NAME: whether stamp NAME was left by the same state of the packaging.
stamped() {
	[ -f "$VENV/stamp.$1" ] && [ "$(cat "$VENV/stamp.$1")" = "$(packaging_state)" ]
}

stamp() { packaging_state >"$VENV/stamp.$1"; }
