package main

import (
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"sort"
	"strings"

	"github.com/gologme/log"
)

// Which subnets are behind which node; the longest prefix first.
type routeTable []route

type route struct {
	prefix netip.Prefix
	key    ed25519.PublicKey
}

var yggdrasil = netip.MustParsePrefix("200::/7")

// Makes the table of a config and logs it in the words of the generation. A bad entry is left out with a warning, or
// ends the daemon when the generation is strict.
func newRouteTable(asked tunnelRouting, logger *log.Logger) (table routeTable) {
	if !asked.enabled {
		if asked.strict {
			logger.Println("Tunnel routing is disabled")
		}
		return nil
	}
	for _, entry := range asked.remote {
		err := table.add(entry)
		switch {
		case err == nil && asked.strict:
			logger.Infoln("Added routed", entry.family(), "subnet", entry.cidr)
			logger.Println("Remote subnet:", entry.cidr)
		case err != nil && asked.strict:
			panic(fmt.Errorf("Error adding routed %s subnet: %w", entry.family(), err))
		case err != nil:
			logger.Warnf("Error adding routed subnet %q: %s", entry.cidr, err)
		}
	}
	sort.SliceStable(table, func(i, j int) bool { return table[i].prefix.Bits() > table[j].prefix.Bits() })
	if !asked.strict {
		table.print("IPv6", netip.Addr.Is6, logger)
		table.print("IPv4", netip.Addr.Is4, logger)
	}
	return table
}

func (entry subnet) family() string {
	if strings.Contains(entry.cidr, ":") {
		return "IPv6"
	}
	return "IPv4"
}

func (table *routeTable) add(entry subnet) error {
	prefix, err := netip.ParsePrefix(entry.cidr)
	if err != nil {
		return err
	}
	key, err := hex.DecodeString(entry.key)
	if err != nil {
		return err
	}
	if len(key) != ed25519.PublicKeySize {
		return fmt.Errorf("incorrect key length for %q", entry.key)
	}
	if yggdrasil.Contains(prefix.Addr()) {
		return errors.New("can't specify Yggdrasil destination as routed subnet")
	}
	for _, known := range *table {
		if known.prefix == prefix {
			return fmt.Errorf("remote subnet already exists for %s", entry.cidr)
		}
	}
	*table = append(*table, route{prefix, key})
	return nil
}

func (table routeTable) print(family string, belongs func(netip.Addr) bool, logger *log.Logger) {
	var lines []string
	for _, known := range table {
		if belongs(known.prefix.Addr()) {
			lines = append(lines, fmt.Sprintf(" - %s via %x", known.prefix, []byte(known.key)))
		}
	}
	if len(lines) == 0 {
		logger.Println("No active", family, "routes")
		return
	}
	logger.Printf("Active %s routes:", family)
	for _, line := range lines {
		logger.Println(line)
	}
}

// The node behind which an address is; nil when there is none.
func (table routeTable) find(address netip.Addr) ed25519.PublicKey {
	for _, known := range table {
		if known.prefix.Contains(address) {
			return known.key
		}
	}
	return nil
}
