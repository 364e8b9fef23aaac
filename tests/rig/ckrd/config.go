package main

import (
	"encoding/json"
	"io"

	"github.com/hjson/hjson-go/v4"
	"github.com/yggdrasil-network/yggdrasil-go/src/config"
)

// Which generation of the config this binary speaks; set with -ldflags "-X main.schema=v1".
var schema = "v2"

// What a TunnelRouting section asks for, whatever its schema.
type tunnelRouting struct {
	enabled   bool
	install   bool     // add routes (and addresses) to the kernel
	yggdrasil bool     // carry 200::/7 as well
	addresses []string // CIDRs for the device
	remote    []subnet // in the order of the file's keys
	strict    bool     // a bad entry ends the daemon
}

// One remote subnet as it stands in the config.
type subnet struct{ cidr, key string }

// A TunnelRouting section of one generation.
type section interface {
	// What it means.
	routing() tunnelRouting
}

// To v0.5.5: the subnet is the key of the map.
type sectionV1 struct {
	Enable            bool              `comment:"Whether other networks are tunnelled."`
	IPv6RemoteSubnets map[string]string `comment:"IPv6 subnets behind other nodes: { \"subnet\": \"public key\" }"`
	IPv4RemoteSubnets map[string]string `comment:"IPv4 subnets behind other nodes: { \"subnet\": \"public key\" }"`
}

// v0.5.9 and v0.5.12: the public key is the key of the map.
type sectionV2 struct {
	Enable           bool                `comment:"Whether other networks are tunnelled."`
	InstallRoutes    bool                `comment:"Add the subnets to the kernel's routes."`
	YggdrasilRouting bool                `comment:"Carry Yggdrasil's own addresses."`
	RemoteSubnets    map[string][]string `comment:"Subnets behind other nodes: { \"public key\": [ \"subnet\" ] }"`
}

// Newer: always on, and it can set addresses.
type sectionV3 struct {
	InstallRoutes    bool                `comment:"Add the addresses and the subnets to the device and the kernel's routes."`
	YggdrasilRouting bool                `comment:"Carry Yggdrasil's own addresses."`
	Addresses        []string            `comment:"Addresses of the device."`
	RemoteSubnets    map[string][]string `comment:"Subnets behind other nodes: { \"public key\": [ \"subnet\" ] }"`
}

func (s *sectionV1) routing() tunnelRouting {
	found := tunnelRouting{enabled: s.Enable, yggdrasil: true, strict: true}
	for _, part := range []map[string]string{s.IPv6RemoteSubnets, s.IPv4RemoteSubnets} {
		for cidr, key := range part {
			found.remote = append(found.remote, subnet{cidr, key})
		}
	}
	return found
}

func (s *sectionV2) routing() tunnelRouting {
	return tunnelRouting{
		enabled:   s.Enable,
		install:   s.InstallRoutes,
		yggdrasil: s.YggdrasilRouting,
		remote:    byKey(s.RemoteSubnets),
	}
}

func (s *sectionV3) routing() tunnelRouting {
	return tunnelRouting{
		enabled:   true,
		install:   s.InstallRoutes,
		yggdrasil: s.YggdrasilRouting,
		addresses: s.Addresses,
		remote:    byKey(s.RemoteSubnets),
	}
}

func byKey(remote map[string][]string) (found []subnet) {
	for key, cidrs := range remote {
		for _, cidr := range cidrs {
			found = append(found, subnet{cidr, key})
		}
	}
	return found
}

// A whole config file: Yggdrasil's own, and the section.
type document struct {
	*config.NodeConfig
	TunnelRouting section
}

// A new config, as -genconf prints it. Other than in a file without the key, YggdrasilRouting is off.
func newDocument() document {
	var fresh section
	switch schema {
	case "v1":
		fresh = &sectionV1{}
	case "v2":
		fresh = &sectionV2{InstallRoutes: true}
	case "v3":
		fresh = &sectionV3{InstallRoutes: true}
	default:
		panic("no such schema: " + schema)
	}
	return document{NodeConfig: config.GenerateConfig(), TunnelRouting: fresh}
}

// Reads a config file on top of the defaults. Keys that this generation does not know are dropped in silence.
func readDocument(from io.Reader) (document, error) {
	text, err := io.ReadAll(from)
	if err != nil {
		return document{}, err
	}
	doc := newDocument()
	switch s := doc.TunnelRouting.(type) {
	case *sectionV1:
		err = decode(text, s)
	case *sectionV2:
		s.YggdrasilRouting = true
		err = decode(text, s)
	case *sectionV3:
		s.YggdrasilRouting = true
		err = decode(text, s)
	}
	if err != nil {
		return document{}, err
	}
	return doc, doc.NodeConfig.UnmarshalHJSON(text)
}

// The types matter: without them hjson takes a key that consists of digits for a number.
func decode[S any](text []byte, into *S) error {
	return hjson.Unmarshal(text, &struct{ TunnelRouting *S }{into})
}

// The text of a config.
func (doc document) print(asJSON bool) string {
	text, err := hjson.Marshal(doc)
	if asJSON {
		text, err = json.MarshalIndent(doc, "", "  ")
	}
	if err != nil {
		panic(err)
	}
	return string(text)
}
