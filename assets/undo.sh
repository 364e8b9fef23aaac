#!/bin/sh
# {{header}}
#
# Undoes everything that crxn did to this machine, without crxn: run it as root. It can be run again; what is gone already is
# passed over. What others put there stays, and so do installed packages. Holds keys: it is for root's eyes only.
# shellcheck disable=SC2317,SC2329
# (Not every machine needs every function.)
set -u
PATH=/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL
umask 022

if [ "$(id -u)" != 0 ]; then
	echo "Run it as root." >&2
	exit 77
fi
exec 9>>{{lock}}
if ! flock -n 9; then
	echo "crxn is at work. Try again when it is done." >&2
	exit 75
fi

failed=0
rm -f -- {{state}}/reserve
try() {
	"$@" && return 0
	echo "FAILED: $*" >&2
	failed=1
}

# keep FILE SUM..., keep_key FILE KEY...: what somebody has made of a file of crxn's, or the key of another node, stays beside it
keep() {
	file=$1
	shift
	[ -f "$file" ] || return 0
	sum=$(sha256sum <"$file")
	for known; do [ "$known" != "${sum%% *}" ] || return 0; done
	beside "$file"
}
keep_key() {
	file=$1
	shift
	[ -f "$file" ] || return 0
	# Keys are on no command line: anybody may read those.
	for key in $(grep -Eoi '[0-9a-f]{128}' -- "$file" | tr A-F a-f); do
		for known; do [ "$key" != "$known" ] || continue 2; done
		beside "$file"
		return 0
	done
	for known; do ! printf '%s\n' "$known" | grep -Fqi -f - -- "$file" || return 0; done
	beside "$file"
}
# What could not be copied stays where it is.
lost=
beside() {
	name=$1.edited-$(date -u -r "$1" +%Y%m%dT%H%M%S)
	as=$name
	number=1
	while [ -e "$as" ]; do
		! cmp -s -- "$1" "$as" || return 0
		number=$((number + 1))
		as=$name-$number
	done
	if cp -p -- "$1" "$as.crxn-new" && mv -T -- "$as.crxn-new" "$as"; then return 0; fi
	rm -f -- "$as.crxn-new"
	echo "FAILED: keep $1" >&2
	failed=1
	lost=$1
}

# remove FILE, folder FOLDER (if it is empty), tree FOLDER, restore FILE MODE UID GID [SECONDS] <base64
remove() { [ "$1" = "$lost" ] || try rm -f -- "$1.crxn-new" "$1"; }
folder() { rmdir -- "$1" 2>/dev/null || :; }
tree() { try rm -rf -- "$1"; }
restore() {
	[ "$1" != "$lost" ] || return 0
	mkdir -p -- "${1%/*}"
	# A key is for nobody else to read, not for a moment either.
	if (umask 077 && base64 -d >"$1.crxn-new") && chown "$3:$4" "$1.crxn-new" && chmod "$2" "$1.crxn-new" &&
		{ [ -z "${5-}" ] || touch -d "@$5" "$1.crxn-new"; }; then
		# Not into a folder that somebody has made of it.
		try mv -fT -- "$1.crxn-new" "$1"
	else
		rm -f -- "$1.crxn-new"
		echo "FAILED: restore $1" >&2
		failed=1
	fi
}

# move_back FROM TO: a folder that systemd has moved for a user of the unit's own, leaving a link
move_back() {
	if [ -d "$1" ] && { [ -L "$2" ] || [ ! -e "$2" ]; }; then
		try rm -f -- "$2"
		try mv -- "$1" "$2"
		try chown -R 0:0 -- "$2"
	fi
}

# address FAMILY ADDRESS DEVICE, link DEVICE (of a kind that crxn makes), route FAMILY NETWORK METRIC
address() {
	if ip -o "$1" address show dev "$3" 2>/dev/null | grep -qF " $2 "; then try ip address del "$2" dev "$3"; fi
}
link() {
	if ip -d link show dev "$1" 2>/dev/null | grep -Eq '^ +(tun|vxlan|ip6gre) '; then try ip link del dev "$1"; fi
}
route() {
	if [ -n "$(ip "$1" route show exact "$2" metric "$3" proto 64 2>/dev/null)" ]; then
		try ip "$1" route flush exact "$2" metric "$3" proto 64
	fi
}

# chain FAMILY TABLE FROM CHAIN; base and table FAMILY TABLE [FROM]: what iptables-nft made for it, if nothing is left in it
iptables_of() { if [ "$1" = ip6 ]; then echo ip6tables; else echo iptables; fi; }
# Nothing of a table that iptables cannot read: somebody has put rules of nftables there.
saved() {
	text=$("$(iptables_of "$1")-save" -t "$2" 2>/dev/null) || return 1
	! printf '%s\n' "$text" | grep -q '^# Table .* is incompatible' || return 1
	printf '%s\n' "$text"
}
no_answer() {
	echo "FAILED: $1 gives no answer: what it would show may still be there" >&2
	failed=1
}
chain() {
	program=$(iptables_of "$1")
	if ! saved "$1" "$2" | grep -q "^:$4 "; then
		if ! nft list chain "$1" "$2" "$4" >/dev/null 2>&1; then
			# Of iptables-legacy's rules nft knows nothing.
			"$program-save" -t "$2" >/dev/null 2>&1 || {
				nft list tables >/dev/null 2>&1 && ! grep -qsx "$2" "/proc/net/${1}_tables_names"
			} || no_answer "$program-save"
			return 0
		fi
		if ! command -v "$program" >/dev/null; then
			nft -a list chain "$1" "$2" "$3" | sed -n "s/.*jump $4 .*# handle \([0-9]*\)\$/\1/p" | while read -r handle; do
				nft delete rule "$1" "$2" "$3" handle "$handle"
			done
			try nft flush chain "$1" "$2" "$4"
			try nft delete chain "$1" "$2" "$4"
			return 0
		fi
	fi
	while "$program" -w -t "$2" -D "$3" -m comment --comment crxn:jump -j "$4" 2>/dev/null; do :; done
	try "$program" -w -t "$2" -F "$4"
	try "$program" -w -t "$2" -X "$4"
}
# by_nft FAMILY TABLE [FROM]: on a machine without iptables, whether nft shows it, with nothing in it
by_nft() {
	! command -v "$(iptables_of "$1")" >/dev/null || return 1
	kind=table
	[ $# = 2 ] || kind=chain
	text=$(nft list "$kind" "$@" 2>/dev/null) || return 1
	! printf '%s\n' "$text" | grep -Evq '^#|^table |^[[:space:]]*(chain .*|type .* policy accept;|})?$'
}
base() {
	if by_nft "$@"; then try nft delete chain "$@"; fi
	saved "$1" "$2" >/dev/null || return 0
	if saved "$1" "$2" | grep -Eq "^(-A $3 |:$3 DROP)"; then return 0; fi
	nft delete chain "$1" "$2" "$3" 2>/dev/null || :
}
table() {
	if by_nft "$@"; then try nft delete table "$@"; fi
	saved "$1" "$2" >/dev/null || return 0
	if saved "$1" "$2" | grep -Eq '^(-A |:[^ ]+ (DROP|-))'; then return 0; fi
	nft delete table "$1" "$2" 2>/dev/null || :
}

# own_table FAMILY TABLE: crxn's as a whole
own_table() {
	nft list tables >/dev/null 2>&1 || no_answer nft
	if nft -t list table "$1" "$2" >/dev/null 2>&1; then try nft delete table "$1" "$2"; fi
}

# stop UNIT, disable UNIT: also one whose file somebody has removed
stop() {
	if [ "$(systemctl show -P LoadState "$1")" != not-found ] || systemctl --quiet is-active "$1"; then
		try systemctl stop "$1"
	fi
	systemctl reset-failed "$1" 2>/dev/null || :
}
disable() {
	if systemctl --quiet is-enabled "$1" 2>/dev/null; then
		try systemctl --quiet disable "$1"
	elif [ "$(systemctl show -P LoadState "$1")" = not-found ]; then
		systemctl --quiet disable "$1" 2>/dev/null || :
	fi
}

# again WORDS... UNIT: systemctl, of a unit that ran before crxn, unless its package has gone since
again() {
	for unit; do :; done
	[ "$(systemctl show -P LoadState "$unit")" = not-found ] || try systemctl "$@"
}

# unless_same UNIT MILLISECONDS COMMAND...: unless the unit's process is the one that ran before crxn, since that time
unless_same() {
	since=$(systemctl show --timestamp=us+utc -P ExecMainStartTimestamp "$1")
	if systemctl --quiet is-active "$1" && [ "$(date -d "$since" +%s%3N)" = "$2" ]; then return 0; fi
	shift 2
	"$@"
}

{{lines}}

if [ "$failed" = 0 ]; then
	systemctl --quiet disable --now crxn-confirm.timer 2>/dev/null
	rm -f /etc/systemd/system/crxn-confirm.service /etc/systemd/system/crxn-confirm.timer
	systemctl daemon-reload
{{journal}}
	rm -f -- {{state}}/confirm.json {{state}}/reserve {{state}}/undo.sh
	folder {{state}}
	echo "Everything is undone: the machine is as it was."
else
	echo "Not everything could be undone, see above." >&2
fi
exit "$failed"
