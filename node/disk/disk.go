// Package disk writes files so that a crash leaves the old content or the new one and never a mixture, and explains the
// errors of a disk to its owner.
//
// WriteFile writes a temporary file beside the target, syncs it, renames it over the target and syncs the folder. After
// it returns nil the content survives a power cut; after an error the target is what it was.
package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// ErrFull means that the disk has no room left. Nothing that had been stored before is lost.
var ErrFull = errors.New("the disk is full: free some space and run the command again; nothing stored so far is lost")

// Explain adds to an error of the file system what its owner can do about it. It returns nil for nil.
func Explain(err error) error {
	switch {
	case err == nil || errors.Is(err, ErrFull):
		return err
	case errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%w (%w)", ErrFull, err)
	case errors.Is(err, syscall.EFBIG):
		return fmt.Errorf("%w: a file may not grow any more: raise the limit of the user who runs fedlam (ulimit -f), and run the command again; nothing stored so far is lost", err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: give the user who runs fedlam the right to read and write there", err)
	case errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%w: choose a folder on a disk that can be written", err)
	}
	return err
}

// File is what WriteFile needs of an open file.
type File interface {
	Write(p []byte) (int, error)
	Sync() error
	Close() error
}

// Create opens a new file for writing and fails when path exists. It is a parameter so that tests can fill the disk.
type Create func(path string, perm fs.FileMode) (File, error)

// OSCreate is the Create of the operating system.
func OSCreate(path string, perm fs.FileMode) (File, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
}

// WriteFile replaces the content of path atomically and durably.
func WriteFile(path string, data []byte, perm fs.FileMode) error {
	return Create(OSCreate).WriteFile(path, data, perm)
}
