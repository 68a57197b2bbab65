package transcript_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/node/disk"
	"github.com/fedlam/fedlam/node/transcript"
	"github.com/google/go-cmp/cmp"
	"github.com/ipfs/go-cid"
)

func sample(round uint64, envelopes int) *transcript.Transcript {
	t := &transcript.Transcript{Genesis: ledger.FileCID([]byte("genesis")), Round: round}
	for k := range envelopes {
		t.Envelopes = append(t.Envelopes, bytes.Repeat([]byte{byte(k)}, 100*k))
	}
	return t
}

func encode(t testing.TB, x *transcript.Transcript) []byte {
	t.Helper()
	var b bytes.Buffer
	n, err := x.WriteTo(&b)
	if err != nil || n != int64(b.Len()) {
		t.Fatalf("wrote %d bytes, said %d: %v", b.Len(), n, err)
	}
	return b.Bytes()
}

var compare = cmp.Comparer(func(a, b cid.Cid) bool { return a.Equals(b) })

func TestReadBack(t *testing.T) {
	for _, n := range []int{0, 1, 30} {
		want := sample(7, n)
		got, err := transcript.Read(bytes.NewReader(encode(t, want)), 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, compare); diff != "" {
			t.Errorf("%d envelopes:\n%s", n, diff)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	good := encode(t, sample(7, 3))
	header := len(good) - (4 + 0) - (4 + 100) - (4 + 200)
	for _, c := range []struct {
		name  string
		spoil func(b []byte) []byte
		say   string
	}{
		{"nothing", func([]byte) []byte { return nil }, "ends in its header"},
		{"another file", bytes.ToUpper, "other bytes"},
		{"a later version", func(b []byte) []byte { b[17] = 2; return b }, "version 2"},
		{"a long CID", func(b []byte) []byte { b[18] = 200; return b }, "200 bytes"},
		{"no CID", func(b []byte) []byte { b[19] = 9; return b }, "genesis"},
		{"too many", func(b []byte) []byte { binary.BigEndian.PutUint32(b[header-4:], 1<<31); return b }, "envelopes"},
		{"one more than there are", func(b []byte) []byte { binary.BigEndian.PutUint32(b[header-4:], 4); return b }, "3 envelopes of 4"},
		{"one less than there are", func(b []byte) []byte { binary.BigEndian.PutUint32(b[header-4:], 2); return b }, "goes on"},
		{"a large envelope", func(b []byte) []byte { binary.BigEndian.PutUint32(b[header:], ledger.MaxEnvelope+1); return b }, "too large"},
		{"cut in an envelope", func(b []byte) []byte { return b[:len(b)-1] }, "2 envelopes of 3"},
		{"cut in a header", func(b []byte) []byte { return b[:header-1] }, "ends in its header"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := transcript.Read(bytes.NewReader(c.spoil(bytes.Clone(good))), 1<<20)
			if !errors.Is(err, transcript.ErrMalformed) || !strings.Contains(err.Error(), c.say) {
				t.Errorf("got %v, want %q", err, c.say)
			}
		})
	}
	if _, err := transcript.Read(bytes.NewReader(good), 299); !errors.Is(err, transcript.ErrMalformed) {
		t.Errorf("more bytes than the limit: %v", err)
	}
}

func kept(t *testing.T, f transcript.Folder) (rounds []uint64) {
	t.Helper()
	list, err := f.List()
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range list {
		info, err := os.Stat(f.Path(k.Round))
		if err != nil || info.Mode().Perm() != 0o600 || info.Size() != k.Bytes {
			t.Errorf("round %d: %v, %v", k.Round, info, err)
		}
		rounds = append(rounds, k.Round)
	}
	return rounds
}

func TestFolderKeepsTheNewest(t *testing.T) {
	f := transcript.Folder{Dir: filepath.Join(t.TempDir(), "transcripts")}
	if got := kept(t, f); got != nil {
		t.Errorf("no folder, and %v in it", got)
	}
	for round := range uint64(12) {
		if err := f.Put(sample(round, 2), 3); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"notes.txt", "round-1.transcript", ".writing-00"} {
		if err := os.WriteFile(filepath.Join(f.Dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := kept(t, f), []uint64{9, 10, 11}; !slices.Equal(got, want) {
		t.Errorf("kept %v, want %v", got, want)
	}
	if err := f.Put(sample(12, 2), 1); err != nil {
		t.Fatal(err)
	}
	if got, want := kept(t, f), []uint64{12}; !slices.Equal(got, want) {
		t.Errorf("kept %v, want %v", got, want)
	}
	entries, err := os.ReadDir(f.Dir)
	if err != nil || len(entries) != 3 { // what others put there stays, what a crash left does not
		t.Errorf("%v, %v in the folder", entries, err)
	}
}

func TestFolderKeepsTheFullerOne(t *testing.T) {
	f := transcript.Folder{Dir: t.TempDir()}
	for _, c := range []struct{ put, want int }{{4, 4}, {2, 4}, {4, 4}, {6, 6}} {
		if err := f.Put(sample(3, c.put), 2); err != nil {
			t.Fatal(err)
		}
		got, err := transcript.ReadFile(f.Path(3))
		if err != nil || len(got.Envelopes) != c.want {
			t.Errorf("after %d envelopes were put: %v, want %d", c.put, err, c.want)
		}
	}
}

func TestFullDisk(t *testing.T) {
	f := transcript.Folder{Dir: t.TempDir()}
	if err := f.Put(sample(1, 4), 2); err != nil {
		t.Fatal(err)
	}
	f.Create = func(path string, perm fs.FileMode) (disk.File, error) {
		file, err := disk.OSCreate(path, perm)
		return fullFile{file}, err
	}
	if err := f.Put(sample(2, 4), 2); !errors.Is(err, disk.ErrFull) {
		t.Errorf("got %v, want ErrFull", err)
	}
	entries, err := os.ReadDir(f.Dir)
	if got := kept(t, f); err != nil || len(entries) != 1 || !slices.Equal(got, []uint64{1}) {
		t.Errorf("%v, %v are left, want round 1 alone", got, entries)
	}
}

type fullFile struct{ disk.File }

func (fullFile) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

func FuzzRead(f *testing.F) {
	f.Add(encode(f, sample(7, 3)))
	f.Add(encode(f, sample(0, 0)))
	f.Add([]byte("fedlam-transcript"))
	f.Fuzz(func(t *testing.T, b []byte) {
		x, err := transcript.Read(bytes.NewReader(b), 1<<20)
		if err == nil && !bytes.Equal(encode(t, x), b) {
			t.Errorf("%d bytes read as a transcript that is written otherwise", len(b))
		}
	})
}
