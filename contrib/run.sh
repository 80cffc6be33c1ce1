#!/bin/sh
# run.sh - set Postseal up in this checkout and run it in the foreground.
#
# GIVEN  Debian 12 or later, or Ubuntu 24.04 or later; root or sudo while packages are missing.
# GIVES  a virtual environment in .venv, keys and a generated configuration below --state,
#        and a daemon that ends with Ctrl-C.
# SEE ALSO  postseal(8), README.md

set -eu
umask 022
ROOT=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$ROOT/contrib/lib.sh"

RSA_SELECTOR=rsa1
ED25519_SELECTOR=ed1
try_help='sh contrib/run.sh --help lists the options'

usage() {
	cat <<-'END'
	usage: sh contrib/run.sh [options]
	  --domain D     sign for this domain (default: that of the last start, or this host's)
	  --socket S     listen here: inet:PORT@HOST, inet6:PORT@HOST, unix:/PATH, or Postfix's
	                 inet:HOST:PORT (default: as at the last start, or inet:8891@127.0.0.1)
	  --state DIR    keep keys and everything else here (default: state/ in the checkout)
	  --config FILE  use this configuration instead of making one; goes with no other option
	  --help         print this
	END
}

read_options() {
	domain='' socket='' state=$ROOT/state config='' given=''
	while [ $# -gt 0 ]; do
		case $1 in
		--help | -h) usage && exit 0 ;;
		--*=*) option=${1%%=*} value=${1#*=} && shift ;;
		*)
			[ $# -ge 2 ] || die "$1: unknown option, or its value is missing" "$try_help" 64
			option=$1 value=$2 && shift 2
			;;
		esac
		case $option in
		--domain) domain=$value ;;
		--socket) socket=$value ;;
		--state) state=$value ;;
		--config) config=$value ;;
		*) die "unknown option $option" "$try_help" 64 ;;
		esac
		[ "$option" = --config ] || given="$given $option"
	done
	[ -z "$config" ] || [ -z "$given" ] || die "--config and$given exclude each other" \
		"what the options say stands in the configuration: change it there" 64
}

# Whether the last start left everything in place: the quick way for every later one.
project_is_there() {
	[ -x "$VENV/bin/postseal" ] && stamped run &&
		"$VENV/bin/python" -c 'import Milter, dkim, postseal' 2>/dev/null
}

need_project() {
	! project_is_there || return 0
	# shellcheck disable=SC2046  # one word per package
	need_packages $(run_packages | missing_packages)
	need_python
	need_venv
	say "installing Postseal and its Python requirements into .venv"
	pip_install -e "$ROOT" || die "pip could not install the requirements" \
		"the lines above say why; is the package index within reach?"
	stamp run
}

# last KEY: what the last start wrote for it, where there was one.
last() { sed -n "s/^$1 = \"\(.*\)\"\$/\1/p" "$state/postseal.toml" 2>/dev/null | head -n 1; }

# What no option says.  DNS and Postfix know what there was: it stays.
need_defaults() {
	if [ -z "$domain" ]; then
		domain=$(last domain)
		[ -z "$domain" ] || say "signing for $domain as at the last start; --domain D changes that"
	fi
	[ -n "$domain" ] || domain=$(host_domain)
	[ -n "$socket" ] || socket=$(last socket)
	[ -n "$socket" ] || socket=inet:8891@127.0.0.1
}

# The domain this host belongs to: what follows the first dot of its full name.
host_domain() {
	full=$(hostname -f 2>/dev/null || hostname 2>/dev/null || uname -n)
	case $full in
	*.*.*) printf '%s\n' "${full#*.}" ;;
	*.*) printf '%s\n' "$full" ;;
	*) mailname_domain "$(hostname)" ;;
	esac
}

# A host without a full name: what Debian's mail setup calls it, else what Postfix would.
mailname_domain() {
	if [ -r /etc/mailname ] && grep -q '[^.]\.[^.]' /etc/mailname; then
		head -n 1 /etc/mailname
		return
	fi
	say "notice: this host has no domain name, so $1.localdomain is used; for real mail: --domain D"
	printf '%s.localdomain\n' "$1"
}

# The domain as DNS has it: lower case, no final dot, A-labels.  Nothing is made for another.
need_domain() {
	domain=$("$VENV/bin/python" - "$domain" <<-'END'
		import sys
		from postseal_keys import names
		from postseal_keys.console import Problem, complain
		try:
		    print(names.domain(sys.argv[1]))
		except Problem as problem:
		    complain("run.sh", problem)
		    sys.exit(64)
	END
	) || exit 64
}

# The socket, checked before anything is made; postfix_socket is what main.cf calls it.
need_socket() {
	postfix_socket=$("$VENV/bin/python" - "$socket" <<-'END'
		import sys
		from postseal.conf.kinds import socket
		from postseal.conf.sockets import postfix_form
		from postseal_keys.console import Problem, complain
		try:
		    print(postfix_form(socket(sys.argv[1])))
		except ValueError as error:
		    hint = "inet:8891@127.0.0.1 is usual; run.sh --help has the other forms"
		    complain("run.sh", Problem(f"--socket: {error}", hint=hint))
		    sys.exit(64)
	END
	) || exit 64
}

# The state directory, absolute.
need_state() {
	mkdir -p "$state" 2>/dev/null || :
	if [ ! -d "$state" ] || [ ! -w "$state" ] || [ ! -x "$state" ]; then
		die "cannot use the state directory $state" \
			"name one that you may make and write: --state DIR" 73
	fi
	state=$(CDPATH='' cd -- "$state" && pwd -P)
}

# make_key SELECTOR OPTION...: a key pair for the domain, unless it is there.
make_key() {
	selector=$1 && shift
	[ -s "$keys/$selector.private" ] && return 0
	say "making a key: $selector._domainkey.$domain"
	"$VENV/bin/postseal-genkey" "$@" -d "$domain" -s "$selector" -D "$keys" >&2 ||
		die "could not make a key in $keys" "the lines above say why" 73
}

need_keys() {
	keys=$state/keys/$domain
	(umask 077 && mkdir -p "$keys") || die "could not make $keys" \
		"name a directory you may write with --state" 73
	make_key "$RSA_SELECTOR" -b 2048
	make_key "$ED25519_SELECTOR" --type ed25519
}

# A TOML basic string of $1.
quoted() { printf '"%s"' "$(printf '%s' "$1" | sed 's/[\\"]/\\&/g')"; }

# Root is given up after the keys are read, for a user that owns nothing.
daemon_user() {
	am_root || return 0
	user=nobody
	! id postseal >/dev/null 2>&1 || user=postseal
	printf 'user = %s\n' "$(quoted "$user")"
}

# Results are written under the name that Postfix goes by, where that is a full one: forged
# ones under this name are removed.
results_name() {
	name=$(postconf -h myhostname 2>/dev/null) || return 0
	case $name in
	*.localdomain | *[!A-Za-z0-9._-]*) ;;
	*?.?*) printf 'authserv_id = %s\n' "$(quoted "$name")" ;;
	esac
}

# A unix socket has to let Postfix in.
socket_group() {
	case $postfix_socket in
	unix:*)
		am_root && getent group postfix >/dev/null && printf 'socket_group = "postfix"\n'
		;;
	esac
	return 0
}

key_table() {
	printf '\n[[sign.key]]\nselector = %s\nfile = %s\n' \
		"$(quoted "$1")" "$(quoted "$keys/$1.private")"
}

write_config() {
	config=$state/postseal.toml
	{
		printf '# Made by contrib/run.sh at every start.  To change more than its options can,\n'
		printf '# copy this file and start with --config COPY.  See postseal.toml(5).\n'
		printf 'socket = %s\n' "$(quoted "$socket")"
		results_name
		daemon_user
		socket_group
		printf '\n[sign]\ndomain = %s\nsub_domains = true\n' "$(quoted "$domain")"
		key_table "$RSA_SELECTOR"
		key_table "$ED25519_SELECTOR"
	} >"$config.new" && mv "$config.new" "$config"
}

print_records() {
	say ""
	say "Publish these records in the zone of $domain:"
	say ""
	cat "$keys/$RSA_SELECTOR.txt" "$keys/$ED25519_SELECTOR.txt" >&2
	say ""
	say "That is for a zone file.  For a web panel, or your DNS provider's own form, of either key:"
	say ""
	say "  $VENV/bin/postseal-genkey --from-key $keys/$RSA_SELECTOR.private \\"
	say "    -d $domain -s $RSA_SELECTOR --format plain    (--format list: other forms)"
}

print_postfix() {
	say ""
	say "Tell Postfix (add to smtpd_milters if it names other milters already):"
	say ""
	cat >&2 <<-END
	  postconf -e 'smtpd_milters = $postfix_socket'
	  postconf -e 'non_smtpd_milters = \$smtpd_milters'
	  postconf -e 'internal_mail_filter_classes = bounce'
	  postconf -e 'milter_default_action = tempfail'

	if users hand in their mail at the submission port without being on your network, also

	  postconf -P 'submission/inet/milter_macro_daemon_name=ORIGINATING'

	and at last

	  postfix reload

	END
	case $postfix_socket in unix:/*)
		say "Debian's smtpd runs chrooted in /var/spool/postfix and cannot see this socket: name one"
		say "below, such as --socket unix:/var/spool/postfix/postseal/postseal.sock"
		say ""
		;;
	esac
}

main() {
	read_options "$@"
	need_project
	if [ -z "$config" ]; then
		need_defaults
		need_domain
		need_socket
		need_state
		need_keys
		write_config
		print_records
		print_postfix
	fi
	say "starting; Ctrl-C ends it"
	exec "$VENV/bin/postseal" run --config "$config"
}

main "$@"
