package node

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/fedlam/fedlam/federation"
	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/node/p2p"
	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/peer"
)

// Hooks inject faults and watch traffic, in tests only. The zero value does nothing.
type Hooks struct {
	// Crash is where the process kills itself, Pause where it stands still for a while.
	Crash, Pause Moment
	// PauseFor is the length of the pause.
	PauseFor time.Duration
	// Kill is called at Crash; nil means SIGKILL.
	Kill func()
	// Tap sees the plain bytes of all connections to members.
	Tap p2p.Tap
	// Witness is shown what this node adds to every secure sum, before it is masked.
	Witness func(federation.Contribution)
	// Host are further options of the host for members, such as a simulated network.
	Host []libp2p.Option
	// NoLocal leaves out the local API: virtual time stands still while something waits at a real socket.
	NoLocal bool
}

// A Moment is just before the first message of a step leaves. The zero value is never.
type Moment struct {
	Step  string
	Round uint64
}

// steps are the names of moments and the type of the envelope that each step sends first.
var steps = map[string]string{
	"keys": "keys", "shares": "shares", "confirm": "confirm", "mask": "masked", "survivors": "statement", "unmask": "unmask", "prepare": "prepare", "sign": "commit",
}

// HooksFrom reads FEDLAM_CRASH, FEDLAM_PAUSE, FEDLAM_TAP and FEDLAM_WITNESS.
func HooksFrom(getenv func(string) string) (Hooks, error) {
	var h Hooks
	var err error
	if text := getenv("FEDLAM_CRASH"); text != "" {
		if h.Crash, err = parseMoment(text); err != nil {
			return h, fmt.Errorf("FEDLAM_CRASH=%q: %w", text, err)
		}
	}
	if text := getenv("FEDLAM_PAUSE"); text != "" {
		at := strings.LastIndexByte(text, ':')
		if at < 0 {
			return h, fmt.Errorf("FEDLAM_PAUSE=%q: want step:round:duration", text)
		}
		h.Pause, err = parseMoment(text[:at])
		var errFor error
		h.PauseFor, errFor = time.ParseDuration(text[at+1:])
		if err := errors.Join(err, errFor); err != nil {
			return h, fmt.Errorf("FEDLAM_PAUSE=%q: %w", text, err)
		}
	}
	if dir := getenv("FEDLAM_TAP"); dir != "" {
		if h.Tap, err = newFileTap(dir); err != nil {
			return h, fmt.Errorf("FEDLAM_TAP=%q: %w", dir, err)
		}
	}
	if dir := getenv("FEDLAM_WITNESS"); dir != "" {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return h, fmt.Errorf("FEDLAM_WITNESS=%q: %w", dir, err)
		}
		h.Witness = func(c federation.Contribution) { writeContribution(dir, c) }
	}
	return h, nil
}

// writeContribution keeps the lanes of one sum in a file named by the session, 4 bytes each, little-endian.
func writeContribution(dir string, c federation.Contribution) {
	data := make([]byte, 0, 4*len(c.Lanes))
	for _, v := range c.Lanes {
		data = binary.LittleEndian.AppendUint32(data, v)
	}
	// A file that cannot be written is missed by who looks for it.
	_ = os.WriteFile(filepath.Join(dir, hex.EncodeToString(c.Session[:])), data, 0o600)
}

func parseMoment(text string) (Moment, error) {
	step, number, _ := strings.Cut(text, ":")
	round, err := strconv.ParseUint(number, 10, 32)
	if steps[step] == "" || err != nil {
		return Moment{}, errors.New("want step:round, with step one of keys, shares, confirm, mask, survivors, unmask, prepare, sign")
	}
	return Moment{step, round}, nil
}

// set says whether there is a moment to look for.
func (m Moment) set() bool { return m.Step != "" }

// reached says whether one of the envelopes is the first message of the step.
func (m Moment) reached(round uint64, envelopes [][]byte) bool {
	if !m.set() || round != m.Round {
		return false
	}
	return slices.ContainsFunc(envelopes, func(b []byte) bool {
		e, err := ledger.DecodeEnvelope(b)
		return err == nil && e.Type == steps[m.Step] && e.Round == m.Round
	})
}

// fileTap writes traffic to one file per peer and direction.
type fileTap struct {
	dir string
	mu  sync.Mutex
}

func newFileTap(dir string) (*fileTap, error) {
	return &fileTap{dir: dir}, os.MkdirAll(dir, 0o700)
}

func (t *fileTap) Saw(way p2p.Way, remote peer.ID, data []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	name := "sent-" + remote.String()
	if way == p2p.Received {
		name = "received-" + remote.String()
	}
	f, err := os.OpenFile(filepath.Join(t.dir, name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	defer f.Close()
	f.Write(data)
}
