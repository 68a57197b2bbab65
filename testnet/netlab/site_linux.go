package netlab

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

const device = "net0"

// openSite makes a namespace with an interface whose packets come here.
func openSite() (*Site, error) {
	s := &Site{}
	if err := onThread(s.open); err != nil {
		return nil, fmt.Errorf("%w (%w)", ErrUnavailable, err)
	}
	return s, nil
}

// onThread runs f on a thread that ends with it, so that what f does to the thread is forgotten.
func onThread(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		done <- f()
	}()
	return <-done
}

func (s *Site) open() (err error) {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("new network namespace: %w", err)
	}
	if s.space, err = os.Open(fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid())); err != nil {
		return err
	}
	if s.tun, err = openTUN(); err != nil {
		return errors.Join(err, s.space.Close())
	}
	return nil
}

// openTUN makes the interface in the thread's namespace. It ends when the file is closed.
func openTUN() (*os.File, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open /dev/net/tun: %w", err)
	}
	request, err := unix.NewIfreq(device)
	if err == nil {
		request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, request)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make a TUN interface: %w", err), unix.Close(fd))
	}
	return os.NewFile(uintptr(fd), "tun"), nil
}

// Enter moves the calling thread, and what is started from it, into the site.
func (s *Site) Enter() error {
	if err := unix.Setns(int(s.space.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter a network namespace: %w", err)
	}
	return nil
}

// configure gives the site its address, and brings it up.
func (s *Site) configure(a netip.Addr) error {
	err := onThread(func() error {
		if err := s.Enter(); err != nil {
			return err
		}
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		address := a.As4()
		return errors.Join(
			change(fd, device, unix.SIOCSIFADDR, address[:]),
			// The mask makes the route to all of 64.0.0.0/2.
			change(fd, device, unix.SIOCSIFNETMASK, []byte{192, 0, 0, 0}),
			raise(fd, device), raise(fd, "lo"))
	})
	if err != nil {
		return fmt.Errorf("give the site the address %s: %w", a, err)
	}
	return nil
}

func change(fd int, device string, request uint, address []byte) error {
	r, err := unix.NewIfreq(device)
	if err == nil {
		err = r.SetInet4Addr(address)
	}
	if err != nil {
		return err
	}
	return unix.IoctlIfreq(fd, request, r)
}

// raise turns an interface on.
func raise(fd int, device string) error {
	r, err := unix.NewIfreq(device)
	if err != nil {
		return err
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFFLAGS, r); err != nil {
		return err
	}
	r.SetUint16(r.Uint16() | unix.IFF_UP)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, r)
}
