package main

import (
	"fmt"

	"github.com/gologme/log"
	"github.com/vishvananda/netlink"
)

// Puts the addresses and the routes of a config on the device. What the kernel refuses is a warning; what is no CIDR
// ends the daemon, even where tunnel routing is not enabled.
func install(device string, asked tunnelRouting, logger *log.Logger) {
	if !asked.install {
		return
	}
	link, err := netlink.LinkByName(device)
	if err != nil {
		panic(fmt.Errorf("failed to find link by name: %w", err))
	}
	for _, cidr := range asked.addresses {
		if err := netlink.AddrAdd(link, parse(cidr)); err != nil {
			logger.Warnln("Failed to add address", cidr, "to interface:", err)
		}
	}
	for _, entry := range asked.remote {
		route := netlink.Route{
			Dst:       parse(entry.cidr).IPNet,
			LinkIndex: link.Attrs().Index,
			Scope:     netlink.SCOPE_LINK,
		}
		if err := netlink.RouteAdd(&route); err != nil {
			logger.Warnln("Failed to add route", entry.cidr, "to routing table:", err)
		}
	}
}

func parse(cidr string) *netlink.Addr {
	parsed, err := netlink.ParseAddr(cidr)
	if err != nil {
		panic(fmt.Errorf("couldn't parse CIDR %q: %w", cidr, err))
	}
	return parsed
}
