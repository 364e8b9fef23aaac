"""Waits for a UDP packet from or to port 4000, then sends ICMP errors about it: DEVICE KIND COUNT."""
import sys

from scapy.all import (IP, ICMP, IPv6, ICMPv6DestUnreach, ICMPv6PacketTooBig, L3RawSocket, L3RawSocket6, Raw, conf, sniff)

device, kind, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
conf.verb = 0
print("waiting", flush=True)
found = sniff(iface=device, filter="inbound and udp and port 4000", count=1, timeout=15)
if not found:
    sys.exit("no packet to complain about came")
packet = found[0]
if IPv6 in packet:
    about = packet[IPv6]
    error = {"unreachable": ICMPv6DestUnreach(code=4), "toobig": ICMPv6PacketTooBig(mtu=1400)}[kind]
    answer, socket = IPv6(src=about.dst, dst=about.src) / error / Raw(bytes(about)), L3RawSocket6()
else:
    about = packet[IP]
    error = {"unreachable": ICMP(type=3, code=3), "toobig": ICMP(type=3, code=4, nexthopmtu=1400)}[kind]
    answer, socket = IP(src=about.dst, dst=about.src) / error / Raw(bytes(about)), L3RawSocket()
for _ in range(count):
    socket.send(answer)
