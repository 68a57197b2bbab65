// Package netlab is a small internet in one process, for tests of what networks do to programs: lost and late packets, slow
// uplinks, cut cables, and NAT.
//
// Every Site of a Lab is a network namespace of its own, in which there is nothing but a loopback and a TUN interface. Packets
// that a program sends there come out at the Lab, which carries them to the site they are for, as the Links of both say, and
// through the NATs in between. Namespaces, interfaces and packets end with the Lab; the computer's own network is never
// touched, and neither tc nor nftables nor a bridge is needed, so that a run is the same on every Linux.
//
//	lab, err := netlab.New(netlab.Config{Seed: 1})
//	defer lab.Close()
//	a, err := lab.Join(netip.MustParseAddr("66.0.0.1"))
//	home := lab.NAT(netip.MustParseAddr("66.0.0.2"), netlab.Cone)
//	b, err := home.Join(netip.MustParseAddr("100.64.0.1"))
//	a.SetLink(netlab.Link{Loss: 0.05, Delay: 50 * time.Millisecond})
//	group, err := proc.NewGroup(proc.Config{LogDir: "logs", Thread: b.Enter})
//
// Addresses come from 64.0.0.0/2, which every site reaches directly; 66.0.0.0/8 are taken for public by programs that make a
// difference, 100.64.0.0/10 (RFC 6598) for private.
//
// It needs root, or a user namespace that looks like it (unshare -Ur), and /dev/net/tun; New says so when it has neither.
// IPv6 and fragments are not carried.
package netlab
