package kernels

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// largePages asks for large pages in b. It is advice: memory serves as well without.
func largePages(b []byte) {
	page := unix.Getpagesize()
	skip := -int(uintptr(unsafe.Pointer(&b[0]))) & (page - 1)
	_ = unix.Madvise(b[skip:len(b)-(len(b)-skip)%page], unix.MADV_HUGEPAGE)
}
