package testnet

import (
	"errors"
	"fmt"
	"net"
)

// freePorts finds n loopback ports that nobody uses for TCP or UDP at the moment. All are held until all are found, so that
// they are different.
func freePorts(n int) (ports []int, err error) {
	var held []interface{ Close() error }
	defer func() {
		for _, h := range held {
			h.Close()
		}
	}()
	for try := 0; len(ports) < n; try++ {
		if try > 20*n {
			return nil, errors.New("find free ports: too many are in use")
		}
		tcp, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			return nil, fmt.Errorf("find free ports: %w", err)
		}
		held = append(held, tcp)
		port := tcp.Addr().(*net.TCPAddr).Port
		udp, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
		if err != nil {
			continue
		}
		held = append(held, udp)
		ports = append(ports, port)
	}
	return ports, nil
}

// loopback are the multiaddresses of a port on this computer.
func loopback(port int) []string {
	return []string{fmt.Sprintf("/ip4/127.0.0.1/udp/%d/quic-v1", port), fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", port)}
}
