// Package ports finds ports of the loopback interface for nodes that are started later, and perhaps again.
//
// They come from below the range from which operating systems take a port for whoever has no wish (from 32768 on Linux, from 49152
// elsewhere). One of that range that was found free is easily gone when the node starts to listen: any connection may leave from it.
//
//	held, err := ports.Find(3)
//	...
//	defer held.Close()
//	listen(held.List[0])
package ports

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
)

const (
	lowest    = 10240
	beyond    = 32768
	blockSize = 16 // the first port of a block is its lock, the others are given out
)

// Held are ports that nobody used for TCP or UDP when they were found, and that nobody else who calls Find is given until Close.
type Held struct {
	// List are the ports, all different.
	List  []int
	locks []net.Listener
}

// Find finds n ports.
func Find(n int) (*Held, error) {
	p := new(Held)
	const blocks = (beyond - lowest) / blockSize
	for _, block := range rand.Perm(blocks) {
		if len(p.List) == n {
			return p, nil
		}
		p.take(lowest+block*blockSize, n)
	}
	return nil, errors.Join(errors.New("find free ports: too many are in use"), p.Close())
}

// take adds what a block has, up to n ports in all, unless somebody else holds the block.
func (p *Held) take(first, n int) {
	lock, err := net.Listen("tcp4", loopback(first))
	if err != nil {
		return
	}
	p.locks = append(p.locks, lock)
	for port := first + 1; port < first+blockSize && len(p.List) < n; port++ {
		if unused(port) {
			p.List = append(p.List, port)
		}
	}
}

// Close lets others have the ports.
func (p *Held) Close() error {
	var errs []error
	for _, l := range p.locks {
		errs = append(errs, l.Close())
	}
	p.locks = nil
	return errors.Join(errs...)
}

func unused(port int) bool {
	tcp, err := net.Listen("tcp4", loopback(port))
	if err != nil {
		return false
	}
	udp, err := net.ListenPacket("udp4", loopback(port))
	if err != nil {
		tcp.Close()
		return false
	}
	return errors.Join(tcp.Close(), udp.Close()) == nil
}

func loopback(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
