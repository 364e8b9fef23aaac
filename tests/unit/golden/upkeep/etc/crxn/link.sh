# Made by crxn from /etc/crxn/crxn.yaml: `crxn up` writes it anew, `crxn down` removes it.
#
# Run by crxn-link.service. Somebody else makes wg0 (wg-quick, openvpn, ifupdown, ...), and may take it down, or away, and
# bring it back. The kernel forgets what was on it. So whenever it comes up, this puts address and routes on it.
# Nothing is polled: `ip monitor` sleeps until the kernel tells of a change.

link=wg0
served=

# A route that does the job already is left as it is: wg-quick makes the same ones, unless told `Table = off`.
put() {
	failed=
	/usr/sbin/ip address replace 10.5.0.1/32 dev wg0 || failed=yes
	[ -n "$(/usr/sbin/ip -4 route show exact 10.0.0.0/8 dev wg0 metric 0)" ] ||
		/usr/sbin/ip -4 route replace 10.0.0.0/8 dev wg0 proto 64 || failed=yes
	[ -z "$failed" ]
}

# Whether the link with this index is the one that is up now.
is_up() {
	case $(/usr/sbin/ip -o link show dev "$link" up 2>/dev/null) in
	"$1 "*) ;;
	*) false ;;
	esac
}

# How the link is by now, in the monitor's words: it may have come up before the monitor was listening.
look() {
	for pause in 1 9; do
		/usr/bin/sleep "$pause"
		/usr/sbin/ip -o link show dev "$link" 2>/dev/null
	done
}

# Lines are "7: wg0: <POINTOPOINT,NOARP,UP,LOWER_UP> mtu 1420 ..." or "Deleted 7: wg0@if6: <...> ...".
{
	(look &)
	exec /usr/sbin/ip -o monitor link 2>&1
} | while read -r index name flags rest; do
	case $index in
	# "netlink receive error": events were lost. systemd starts this anew, and it looks.
	netlink) echo "$index $name $flags $rest"; kill $$ ;;
	Deleted) name=$flags flags= ;;
	esac
	case $name in
	"$link:" | "$link@"*) ;;
	*) continue ;;
	esac
	case ,${flags#<} in
	*,UP,* | *,UP\>) ;;
	*)
		[ -z "$served" ] || echo "$link is down or gone, and with it what was on it"
		served=
		continue
		;;
	esac
	[ "$index" != "$served" ] || continue
	# Whoever brings the link up is let finish: wg-quick gives up when an address or route that it adds is there already.
	# Meanwhile the link may have gone again, or be another of that name; the next lines tell.
	is_up "$index" && /usr/bin/sleep 2 && is_up "$index" || continue
	if put; then echo "$link is up, with its address and routes"; else echo "$link is up, but not all could be put on it"; fi
	served=$index
done
exit 1
