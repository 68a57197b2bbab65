package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ipfs/go-cid"
)

// MaxRelease bounds the files of a release that are read, in bytes each.
const MaxRelease = 4 << 30

// A Broken says which file of a release does not hold, and why.
type Broken struct {
	File string // relative to the directory, with slashes
	Err  error
}

func (b *Broken) Error() string {
	return fmt.Sprintf("%s: %v; fetch it again from another member, and do not use these weights", b.File, b.Err)
}

// Unwrap returns the reason.
func (b *Broken) Unwrap() error { return b.Err }

// ErrMissing and ErrUnknown are reasons of a Broken.
var (
	ErrMissing = errors.New("the file is missing")
	ErrUnknown = errors.New("no hash covers this file: a release holds nothing else than what the genesis vouches for")
)

// A Report is what VerifyDir found to hold.
type Report struct {
	Federation  string
	Genesis     cid.Cid
	Epoch       cid.Cid // of the newest round, which that epoch's members have signed
	K           uint64  // number of that epoch
	Round       uint64  // newest
	Voids       int     // rounds that changed nothing
	Record      cid.Cid
	Certificate cid.Cid
	Weights     cid.Cid
	Members     int
	Signed      []string // names under the newest certificate
	Files       int
}

// VerifyDir checks a release directory against a genesis CID, which the caller has from somebody it trusts. It follows every
// link from there to the bytes of every file, offline. Errors: *Broken naming the first file that does not hold.
func VerifyDir(dir string, genesis cid.Cid) (Report, error) {
	return verifyDir(dir, genesis, VerifyFiles)
}

// VerifyDirFromEpoch is VerifyDir for a caller that trusts the CID of an epoch, say the newest one. It vouches for the genesis that
// it names, and must be on the way from there to the weights: a history that quorums of earlier epochs sign beside it is refused.
func VerifyDirFromEpoch(dir string, epoch cid.Cid) (Report, error) {
	return verifyDir(dir, epoch, VerifyFilesFromEpoch)
}

// verifyDir verifies the files of a directory against a CID that the caller trusts.
func verifyDir(dir string, trusted cid.Cid, verify func(files map[string][]byte, trusted cid.Cid) (Report, error)) (Report, error) {
	files, err := readDir(dir)
	if err != nil {
		return Report{}, fmt.Errorf("verify %q: %w", dir, err)
	}
	report, err := verify(files, trusted)
	if err != nil {
		return Report{}, fmt.Errorf("verify %q: %w", dir, err)
	}
	return report, nil
}

// VerifyFilesFromEpoch is VerifyDirFromEpoch for files in memory, by slash-separated name.
func VerifyFilesFromEpoch(files map[string][]byte, epoch cid.Cid) (Report, error) {
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if name != EpochFile && !strings.HasPrefix(name, "epochs/") || !CIDOf(files[name]).Equals(epoch) {
			continue
		}
		e, err := DecodeEpoch(files[name])
		if err != nil {
			return Report{}, &Broken{name, err}
		}
		return VerifyFiles(files, e.Genesis) // which refuses every file that is not on the chain: this one is
	}
	return Report{}, &Broken{NextEpochFile(1), fmt.Errorf("%w: no epoch here has CID %s", ErrMissing, epoch)}
}

// readDir reads regular files by slash-separated name. Anything else in the directory is unknown.
func readDir(dir string) (map[string][]byte, error) {
	files := make(map[string][]byte)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		if d.IsDir() {
			if !slices.Contains([]string{"records", "certificates", "heads", "epochs"}, name) {
				return &Broken{name + "/", ErrUnknown}
			}
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() || info.Size() > MaxRelease {
			return &Broken{name, errors.New("it is not a plain file of at most 4 GiB")}
		}
		files[name], err = os.ReadFile(path)
		return err
	})
	return files, err
}

// VerifyFiles is VerifyDir for files in memory, by slash-separated name.
func VerifyFiles(files map[string][]byte, genesis cid.Cid) (Report, error) {
	g, err := verifyGenesis(files, genesis)
	if err != nil {
		return Report{}, err
	}
	r := Release{Genesis: files[GenesisFile], Conventions: map[string][]byte{}}
	if _, err := linked(files, EpochFile, g.Epoch().CID(), CIDOf); err != nil {
		return Report{}, err
	}
	if r.Config, err = linked(files, ConfigFile, g.Config, FileCID); err != nil {
		return Report{}, err
	}
	for _, h := range g.Heads {
		if r.Conventions[h.Key], err = linked(files, ConventionFile(h.Key), h.Convention, FileCID); err != nil {
			return Report{}, err
		}
	}
	return verifyRounds(files, g, &r)
}

// linked returns a file whose CID must be want.
func linked(files map[string][]byte, name string, want cid.Cid, of func([]byte) cid.Cid) ([]byte, error) {
	content, ok := files[name]
	if !ok {
		return nil, &Broken{name, ErrMissing}
	}
	if got := of(content); !got.Equals(want) {
		return nil, &Broken{name, fmt.Errorf("its CID is %s, want %s", got, want)}
	}
	return content, nil
}

func verifyGenesis(files map[string][]byte, want cid.Cid) (*Genesis, error) {
	document, err := linked(files, GenesisFile, want, CIDOf)
	if err != nil {
		return nil, err
	}
	g, err := DecodeGenesis(document)
	if err != nil {
		return nil, &Broken{GenesisFile, err}
	}
	return g, nil
}

// verifyRounds follows the chain, then compares weights and the files that follow from others, and looks for more.
func verifyRounds(files map[string][]byte, g *Genesis, r *Release) (Report, error) {
	chain := NewChain(g)
	report := Report{Federation: g.Name, Genesis: chain.genesisCID, Files: len(files)}
	for {
		k := chain.Len()
		record, hasRecord := files[RecordFile(k)]
		certificate, hasCertificate := files[CertificateFile(k)]
		if !hasRecord && !hasCertificate {
			break
		}
		if !hasRecord {
			return Report{}, &Broken{RecordFile(k), ErrMissing}
		}
		if !hasCertificate {
			return Report{}, &Broken{CertificateFile(k), ErrMissing}
		}
		f := Finished{Record: record, Certificate: certificate}
		epoch, epochCID := chain.Epoch, chain.epochCID
		round, cert, err := chain.appendFrom(files, &f)
		if err != nil {
			return Report{}, err
		}
		r.Rounds = append(r.Rounds, f)
		report.Round, report.Record, report.Certificate = k, cert.Record, cert.CID()
		report.Epoch, report.K, report.Members = epochCID, epoch.K, len(epoch.Members)
		if round.Kind == Void {
			report.Voids++
		}
		report.Signed = report.Signed[:0]
		for _, s := range cert.Signatures {
			report.Signed = append(report.Signed, epoch.Members[s.Member].Name)
		}
	}
	if chain.Len() == 0 {
		return Report{}, &Broken{RecordFile(0), ErrMissing}
	}
	weights, err := linked(files, WeightsFile, chain.Weights(), FileCID)
	if err != nil {
		return Report{}, err
	}
	r.Weights, report.Weights = weights, chain.Weights()
	return report, r.compare(files)
}

// appendFrom appends f, with the document of the next epoch from the files if it ends one. Errors are *Broken.
func (c *Chain) appendFrom(files map[string][]byte, f *Finished) (*Round, *Certificate, error) {
	next := NextEpochFile(c.Epoch.K + 1)
	if r, err := DecodeRound(f.Record); err == nil && r.Kind == Change {
		document, ok := files[next]
		if !ok {
			return nil, nil, &Broken{next, ErrMissing}
		}
		f.Epoch = document
	}
	k := c.Len()
	round, cert, err := c.Append(*f)
	if err == nil {
		return round, cert, nil
	}
	name := RecordFile(k)
	if of := (*certificateError)(nil); errors.As(err, &of) {
		name = CertificateFile(k)
	}
	if of := (*epochError)(nil); errors.As(err, &of) {
		name = next
	}
	return nil, nil, &Broken{name, err}
}

// compare looks for files that are missing, differ, or are not part of a release.
func (r *Release) compare(files map[string][]byte) error {
	want, err := r.Files()
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		got, ok := files[name]
		if !ok {
			return &Broken{name, ErrMissing}
		}
		if !bytes.Equal(got, want[name]) {
			return &Broken{name, errors.New("it is not what follows from genesis, record and certificate")}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if _, ok := want[name]; !ok {
			return &Broken{name, ErrUnknown}
		}
	}
	return nil
}
