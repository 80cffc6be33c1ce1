# shellcheck shell=sh
# quiet.sh - install server packages without any server being started, enabled or replaced.
# Sourced by test.sh after lib.sh.
#
# GIVEN  server_packages, a function that lists packages with services, one a line.
# GIVES  need_packages_quietly PACKAGE...
# DOES NOT  touch a package that is there already, nor a policy-rc.d that is.

POLICY=/usr/sbin/policy-rc.d
POLICY_MARK='made by postseal for the time of one installation'

# Mail servers that Postfix would push aside: every other provider of the same service.
other_mail_servers() {
	dpkg-query -W -f='${db:Status-Status} ${Package} ${Provides}\n' |
		sed -n 's/^installed \([^ ]*\) .*mail-transport-agent.*/\1/p' | grep -vx postfix || true
}

# A mail server that dpkg knows nothing of would be overwritten.
unpackaged_mail_server() {
	[ -e /usr/sbin/sendmail ] || return 0
	dpkg-query -S /usr/sbin/sendmail >/dev/null 2>&1 || echo /usr/sbin/sendmail
}

refuse_to_replace_mail_server() {
	case " $* " in *" postfix "*) ;; *) return 0 ;; esac
	there=$(other_mail_servers && unpackaged_mail_server)
	[ -z "$there" ] || die "a mail server other than Postfix is installed: $there" \
		"the tests need Postfix, which would replace it; nothing was changed. Use another
      machine or a container, or run the unit tests alone: sh contrib/test.sh --quick"
}

policy_is_ours() { grep -qs "$POLICY_MARK" "$POLICY"; }

forbid_services() {
	if [ -e "$POLICY" ] && ! policy_is_ours; then
		answer=0
		as_root "$POLICY" postfix start >/dev/null 2>&1 || answer=$?
		[ "$answer" -eq 101 ] || die "$POLICY lets services start (it answered $answer)" \
			"it is not ours to change; install these yourself: $*"
		return 0
	fi
	trap allow_services EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	# shellcheck disable=SC2016  # expanded by the inner shell
	printf '#!/bin/sh\n# %s\nexit 101\n' "$POLICY_MARK" |
		as_root sh -c 'cat >"$1" && chmod 755 "$1"' sh "$POLICY"
}

allow_services() {
	! policy_is_ours || as_root rm -f "$POLICY"
	trap - EXIT INT TERM HUP
}

# The services that a package would have started, now and at every boot.
units_of() {
	dpkg-query -L "$1" | sed -n 's|^.*/lib/systemd/system/\([^@/]*\.[a-z]*\)$|\1|p'
}

scripts_of() { dpkg-query -L "$1" | sed -n 's|^/etc/init\.d/\([^/]*\)$|\1|p'; }

# Reads package names; switches their services off, so that none listens after a reboot.
# deb-systemd-helper works without systemd running, but wants to be asked by a package.
disable_services() {
	while read -r package; do
		for unit in $(units_of "$package"); do
			as_root env DPKG_MAINTSCRIPT_PACKAGE="$package" \
				deb-systemd-helper disable "$unit" >/dev/null || die "could not disable $unit"
		done
		for script in $(scripts_of "$package"); do
			as_root update-rc.d "$script" disable >/dev/null || die "could not disable $script"
		done
		printf '%s ' "$package"
	done
}

need_packages_quietly() {
	allow_services # a run that was killed could not do it
	[ $# -gt 0 ] || return 0
	command -v dpkg-query >/dev/null 2>&1 || need_packages "$@"
	refuse_to_replace_mail_server "$@"
	can_be_root || need_packages "$@"
	new=$(printf '%s\n' "$@" | grep -xF "$(server_packages | sed 's/ .*//')" || true)
	forbid_services "$@"
	need_packages "$@"
	[ -z "$new" ] || off=$(printf '%s\n' "$new" | disable_services)
	allow_services
	[ -z "$new" ] || say "switched off, since only the tests need them: $off"
}
