//go:build !unix

package bench

// processPeak returns 0: this system does not tell.
func processPeak() int64 { return 0 }
