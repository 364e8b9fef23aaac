module crxn.test/ckrd

go 1.22

require (
	github.com/Arceliar/ironwood v0.0.0-20241213013129-743fe2fccbd3
	github.com/gologme/log v1.3.0
	github.com/hjson/hjson-go/v4 v4.4.0
	github.com/vishvananda/netlink v1.3.0
	github.com/yggdrasil-network/yggdrasil-go v0.5.12
)

require (
	github.com/Arceliar/phony v0.0.0-20220903101357-530938a4b13d // indirect
	github.com/bits-and-blooms/bitset v1.13.0 // indirect
	github.com/bits-and-blooms/bloom/v3 v3.7.0 // indirect
	github.com/coder/websocket v1.8.12 // indirect
	github.com/quic-go/quic-go v0.48.2 // indirect
	github.com/vishvananda/netns v0.0.5 // indirect
	github.com/wlynxg/anet v0.0.5 // indirect
	golang.org/x/crypto v0.31.0 // indirect
	golang.org/x/exp v0.0.0-20240719175910-8a7402abbf56 // indirect
	golang.org/x/net v0.32.0 // indirect
	golang.org/x/sys v0.28.0 // indirect
	golang.org/x/text v0.21.0 // indirect
	golang.zx2c4.com/wireguard v0.0.0-20231211153847-12269c276173 // indirect
)
