# What a machine is, as text: sections between lines "=== NAME". Reads only. Normalised by snapshot.ts.
section() { printf '\n=== %s\n' "$1"; }
have() { command -v "$1" >/dev/null 2>&1; }

# An address under duplicate detection has not got its routes yet.
for _ in $(seq 50); do
  if [ -z "$(ip -6 addr show tentative)" ]; then break; fi
  sleep 0.1
done

section links;    ip -j -d link show
section addresses; ip -j addr show
section routes4;  ip -j -d -4 route show table all
section routes6;  ip -j -d -6 route show table all
section rules4;   ip -j -4 rule show
section rules6;   ip -j -6 rule show
section nexthops; ip -j nexthop show
section neighbours; ip neigh show nud permanent; ip neigh show proxy; ip -6 neigh show proxy

# The -save programs list what is there; they do not make the kernel create tables, as `iptables -L` does.
for program in iptables-nft-save ip6tables-nft-save iptables-legacy-save ip6tables-legacy-save; do
  section "$program"
  if have "$program"; then "$program" 2>/dev/null; fi
done
section nftables
if have nft; then nft -j list ruleset; fi

section sysctls
sysctl -a --pattern '^net[./](ipv4|ipv6|core)[./]' 2>/dev/null

section unit-files
systemctl list-unit-files --no-legend --plain --no-pager --full
section units
systemctl list-units --all --no-legend --plain --no-pager --full

section files
for directory in /etc /var/lib/tayga /var/lib/yggdrasil /usr/local /run/systemd/system /run/tayga; do
  if [ -e "$directory" ]; then find "$directory" -xdev -printf '%y %m %U:%G %p -> %l\n'; fi
done
section sums
for directory in /etc /var/lib/tayga /var/lib/yggdrasil /usr/local /run/systemd/system /run/tayga; do
  if [ -e "$directory" ]; then find "$directory" -xdev -type f -exec sha256sum {} +; fi
done

section users
cut -d: -f1,3,4,6,7 /etc/passwd
cut -d: -f1,3,4 /etc/group
section packages
dpkg-query -W -f '${db:Status-Abbrev} ${Package} ${Version}\n'
section owned
grep -HE '^(/etc/|.*/systemd/system/)' /var/lib/dpkg/info/*.list
