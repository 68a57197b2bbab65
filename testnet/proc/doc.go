// Package proc runs programs and sees to it that none of them outlives the one who started them.
//
// A Group starts processes, writes what each says to a log file of its name, and ends them when it is closed: it asks
// first (SIGTERM) and, after a period of grace, insists (SIGKILL). Every process leads a process group of its own, so
// that Ctrl-C at the terminal reaches the starter alone, who then stops the others in order. On Linux the kernel kills
// them when the starter dies in a way that leaves it no time to do so.
//
//	g, err := proc.NewGroup(proc.Config{LogDir: "logs"})
//	defer g.Close()
//	node, err := g.Start(proc.Command{Name: "alpha", Args: []string{"node", "alpha"}})
//	err = g.Run(ctx, proc.Command{Name: "verify", Args: []string{"verify", "release"}})
//
// The tests of the package do to federations of such processes what happens to computers and networks; docs/faults.md lists it.
//
// A Group ends only what it started. Its methods, and those of Process, may be called from many goroutines.
package proc
