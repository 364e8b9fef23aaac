"""One ICMPv6 echo request from each of many source addresses: sources.py DEVICE TARGET COUNT NETWORK/64..."""

import ipaddress
import socket
import struct
import sys
import time

from scapy.all import Ether, ICMPv6EchoRequest, IPv6, conf, get_if_hwaddr, getmacbyip6

PER_SECOND = 8000

device, target, count, *networks = sys.argv[1:]
conf.iface = device
gateway = conf.route6.route(target, dev=device)[2]
mac = getmacbyip6(gateway)
out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
out.bind((device, 0))
begun = time.monotonic()
sent = 0
for network in networks:
    base = ipaddress.ip_network(network).network_address
    packet = bytearray(bytes(Ether(src=get_if_hwaddr(device), dst=mac) / IPv6(src=str(base), dst=target) / ICMPv6EchoRequest(id=7, seq=1)))
    for n in range(1, int(count) + 1):
        # A number and its complement: the checksum stays what it is.
        packet[30:38] = struct.pack("!II", n, n ^ 0xFFFFFFFF)
        out.send(packet)
        sent += 1
        if sent % 100 == 0:
            ahead = sent / PER_SECOND - (time.monotonic() - begun)
            if ahead > 0:
                time.sleep(ahead)
print(f"{sent} packets in {time.monotonic() - begun:.1f} s")
