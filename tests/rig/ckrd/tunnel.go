package main

import (
	"bytes"
	"crypto/ed25519"
	"net/netip"
	"sync"
	"sync/atomic"

	iwt "github.com/Arceliar/ironwood/types"
	"github.com/yggdrasil-network/yggdrasil-go/src/address"
	"github.com/yggdrasil-network/yggdrasil-go/src/core"
)

// Carries packets between the device and the network: what Yggdrasil's TUN adapter reads from and writes to.
//
// On the way out the destination decides which node gets a packet, and its source is not looked at. On the way in the
// source must belong to the node that sent it, and the destination is not looked at. The rest is dropped in silence.
type tunnel struct {
	*core.Core
	routes    routeTable
	yggdrasil bool
	mtu       atomic.Uint64

	mutex sync.Mutex
	// The keys of nodes by the first 8 bytes of their addresses, which are those of their subnet's but for one bit.
	keys map[[8]byte]ed25519.PublicKey
	// The last packet for a node whose key is being looked for.
	waiting map[[8]byte][]byte
}

func newTunnel(network *core.Core, routes routeTable, yggdrasil bool) *tunnel {
	t := &tunnel{Core: network, routes: routes, yggdrasil: yggdrasil}
	t.keys = map[[8]byte]ed25519.PublicKey{}
	t.waiting = map[[8]byte][]byte{}
	t.mtu.Store(1280)
	network.SetPathNotify(t.learn)
	return t
}

// One packet from the device to the network. Packets that nobody gets are no error.
func (t *tunnel) Write(packet []byte) (int, error) {
	_, destination, ok := addresses(packet)
	switch {
	case !ok:
	case t.yggdrasil && yggdrasil.Contains(destination):
		t.sendToNode(destination, packet)
	default:
		if key := t.routes.find(destination); key != nil {
			_, err := t.WriteTo(packet, iwt.Addr(key))
			return len(packet), err
		}
	}
	return len(packet), nil
}

// The next packet from the network for the device.
func (t *tunnel) Read(into []byte) (int, error) {
	for {
		n, from, err := t.ReadFrom(into)
		if err != nil {
			return n, err
		}
		source, _, ok := addresses(into[:n])
		if !ok || uint64(n) > t.mtu.Load() {
			continue
		}
		sender := ed25519.PublicKey(from.(iwt.Addr))
		t.learn(sender)
		if yggdrasil.Contains(source) {
			if t.yggdrasil && owns(sender, source) {
				return n, nil
			}
		} else if bytes.Equal(t.routes.find(source), sender) {
			return n, nil
		}
	}
}

func (t *tunnel) sendToNode(to netip.Addr, packet []byte) {
	id := idOf(to.As16())
	t.mutex.Lock()
	key := t.keys[id]
	if key == nil {
		t.waiting[id] = bytes.Clone(packet)
	}
	t.mutex.Unlock()
	if key != nil {
		_, _ = t.WriteTo(packet, iwt.Addr(key))
		return
	}
	wanted := address.Address(to.As16())
	t.SendLookup(wanted.GetKey())
}

// Remembers the key of a node, and sends what waited for it.
func (t *tunnel) learn(key ed25519.PublicKey) {
	id := idOf(*address.AddrForKey(key))
	t.mutex.Lock()
	t.keys[id] = bytes.Clone(key)
	packet := t.waiting[id]
	delete(t.waiting, id)
	t.mutex.Unlock()
	if packet != nil {
		_, _ = t.WriteTo(packet, iwt.Addr(key))
	}
}

// Whether an address is the node's own, or out of its subnet.
func owns(key ed25519.PublicKey, candidate netip.Addr) bool {
	bits := candidate.As16()
	return bits == *address.AddrForKey(key) || address.Subnet(bits[:8]) == *address.SubnetForKey(key)
}

func idOf(bits [16]byte) [8]byte {
	bits[0] &^= 1
	return [8]byte(bits[:8])
}

// Source and destination of an IP packet.
func addresses(packet []byte) (source, destination netip.Addr, ok bool) {
	switch {
	case len(packet) >= 20 && packet[0]>>4 == 4:
		return netip.AddrFrom4([4]byte(packet[12:])), netip.AddrFrom4([4]byte(packet[16:])), true
	case len(packet) >= 40 && packet[0]>>4 == 6:
		return netip.AddrFrom16([16]byte(packet[8:])), netip.AddrFrom16([16]byte(packet[24:])), true
	}
	return source, destination, false
}

// Address, Subnet, MaxMTU, SetMTU and Close are what the TUN adapter asks for.

func (t *tunnel) Address() address.Address { return *address.AddrForKey(t.PublicKey()) }
func (t *tunnel) Subnet() address.Subnet   { return *address.SubnetForKey(t.PublicKey()) }
func (t *tunnel) MaxMTU() uint64           { return t.Core.MTU() }
func (t *tunnel) SetMTU(mtu uint64)        { t.mtu.Store(max(1280, min(mtu, t.MaxMTU()))) }
func (t *tunnel) Close() error             { t.Stop(); return nil }
