package netlab

import (
	"errors"
	"os"
	"sync"
	"time"
)

// A Site is a place with a network of its own, where programs can run.
type Site struct {
	space    *os.File // the namespace
	tun      *os.File
	up, down *wire
	wait     sync.WaitGroup
}

// SetLink changes what the site's packets go through from now on.
func (s *Site) SetLink(l Link) {
	s.up.set(l.Loss, l.Delay, l.Up, l.Cut)
	s.down.set(l.Loss, l.Delay, 0, l.Cut)
}

// start lets packets flow.
func (s *Site) start() {
	s.wait.Go(s.up.run)
	s.wait.Go(s.down.run)
	s.wait.Go(func() {
		buffer := make([]byte, 64<<10)
		for {
			n, err := s.tun.Read(buffer)
			if err != nil {
				return
			}
			if p, ok := parse(append([]byte(nil), buffer[:n]...)); ok {
				s.up.send(p, time.Now())
			}
		}
	})
}

func (s *Site) arrive(p packet) { s.down.send(p, time.Now()) }

// write hands a packet to the site's kernel; one that it cannot take is lost, as on any network.
func (s *Site) write(p packet) { s.tun.Write(p) }

func (s *Site) close() error {
	err := errors.Join(s.tun.Close(), s.space.Close())
	if s.up != nil {
		close(s.up.done)
		close(s.down.done)
	}
	s.wait.Wait()
	return err
}
