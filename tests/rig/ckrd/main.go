// Command ckrd is a daemon for tests: the core of Yggdrasil 0.5 with crypto-key routing on top, with the command line
// and the config of yggdrasilckr. It stands in for yggdrasilckr where that cannot be fetched, and speaks, by the value of
// schema, the config of one of its three generations.
package main

import (
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"syscall"

	"github.com/gologme/log"
	"github.com/yggdrasil-network/yggdrasil-go/src/admin"
	"github.com/yggdrasil-network/yggdrasil-go/src/config"
	"github.com/yggdrasil-network/yggdrasil-go/src/core"
	"github.com/yggdrasil-network/yggdrasil-go/src/multicast"
	"github.com/yggdrasil-network/yggdrasil-go/src/tun"
	"github.com/yggdrasil-network/yggdrasil-go/src/version"
)

func main() {
	genconf := flag.Bool("genconf", false, "print a new config")
	useconf := flag.Bool("useconf", false, "read the config from stdin")
	useconffile := flag.String("useconffile", "", "read the config from this file")
	normaliseconf := flag.Bool("normaliseconf", false, "print the config with all its keys")
	asJSON := flag.Bool("json", false, "print a config as JSON instead of HJSON")
	autoconf := flag.Bool("autoconf", false, "run with a new config")
	showVersion := flag.Bool("version", false, "print the version of this build")
	logto := flag.String("logto", "stdout", "file to log to, or \"stdout\"")
	showAddress := flag.Bool("address", false, "print the IPv6 address of the config")
	showSubnet := flag.Bool("subnet", false, "print the IPv6 subnet of the config")
	loglevel := flag.String("loglevel", "info", "error, warn, info, debug or trace")
	flag.Parse()

	doc := newDocument()
	switch {
	case *showVersion:
		fmt.Println("Build name:", version.BuildName())
		fmt.Println("Build version:", version.BuildVersion())
		return
	case *useconf:
		doc = must(readDocument(os.Stdin))
	case *useconffile != "":
		doc = must(readDocument(must(os.Open(*useconffile))))
	case *genconf:
		fmt.Println(doc.print(*asJSON))
		return
	case !*autoconf:
		fmt.Println("Usage:")
		flag.PrintDefaults()
		return
	}
	switch {
	case *showAddress:
		fmt.Println(must(core.New(doc.Certificate, nil)).Address())
	case *showSubnet:
		subnet := must(core.New(doc.Certificate, nil)).Subnet()
		fmt.Println(subnet.String())
	case *normaliseconf:
		fmt.Println(doc.print(*asJSON))
	default:
		run(doc, newLogger(*logto, *loglevel))
	}
}

// Runs the node until a signal ends it.
func run(doc document, logger *log.Logger) {
	asked := doc.TunnelRouting.routing()
	network := must(core.New(doc.Certificate, logger, networkOptions(doc.NodeConfig)...))
	socket := must(admin.New(network, logger, admin.ListenAddress(doc.AdminListen)))
	if socket != nil {
		socket.SetupAdminHandlers()
	}
	var interfaces []multicast.SetupOption
	for _, one := range doc.MulticastInterfaces {
		interfaces = append(interfaces, multicast.MulticastInterface{
			Regex:    regexp.MustCompile(one.Regex),
			Beacon:   one.Beacon,
			Listen:   one.Listen,
			Port:     one.Port,
			Priority: uint8(one.Priority),
			Password: one.Password,
		})
	}
	neighbours := must(multicast.New(network, logger, interfaces...))
	packets := newTunnel(network, newRouteTable(asked, logger), asked.yggdrasil)
	device := must(tun.New(packets, logger, tun.InterfaceName(doc.IfName), tun.InterfaceMTU(doc.IfMTU)))
	if socket != nil {
		neighbours.SetupAdminHandlers(socket)
		device.SetupAdminHandlers(socket)
	}
	if doc.IfName != "none" && doc.IfName != "dummy" {
		install(device.Name(), asked, logger)
	}

	ended := make(chan os.Signal, 1)
	signal.Notify(ended, os.Interrupt, syscall.SIGTERM)
	<-ended
	_ = socket.Stop()
	_ = neighbours.Stop()
	_ = device.Stop()
	network.Stop()
}

func networkOptions(cfg *config.NodeConfig) []core.SetupOption {
	options := []core.SetupOption{core.NodeInfo(cfg.NodeInfo), core.NodeInfoPrivacy(cfg.NodeInfoPrivacy)}
	for _, uri := range cfg.Listen {
		options = append(options, core.ListenAddress(uri))
	}
	for _, uri := range cfg.Peers {
		options = append(options, core.Peer{URI: uri})
	}
	for device, uris := range cfg.InterfacePeers {
		for _, uri := range uris {
			options = append(options, core.Peer{URI: uri, SourceInterface: device})
		}
	}
	for _, key := range cfg.AllowedPublicKeys {
		options = append(options, core.AllowedPublicKey(must(hex.DecodeString(key))))
	}
	return options
}

func newLogger(to, level string) *log.Logger {
	var out io.Writer = os.Stdout
	if to != "stdout" {
		out = must(os.OpenFile(to, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644))
	}
	logger := log.New(out, "", log.Flags())
	for _, name := range []string{"error", "warn", "info", "debug", "trace"} {
		logger.EnableLevel(name)
		if name == level {
			break
		}
	}
	return logger
}

// A daemon that cannot start ends as the real one does: with a panic and exit code 2.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
