//go:build !linux

package netlab

import "net/netip"

func openSite() (*Site, error) { return nil, ErrUnavailable }

// Enter moves the calling thread, and what is started from it, into the site.
func (s *Site) Enter() error { return ErrUnavailable }

func (s *Site) configure(netip.Addr) error { return ErrUnavailable }
