package roundbench

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/fedlam/fedlam/federation/secagg"
	"github.com/fedlam/fedlam/training/bench"
)

// Options of a measurement. Zero values are the defaults.
type Options struct {
	Members    int // n; default 20
	Parameters int // of the vector; default 2^20
	Bits       int // of the ring, 16 or 32; default 16
	Dropped    int // members that go away after key agreement, before they send anything masked; fewer than n/3
	Progress   func(text string)
}

func (o *Options) validate() error {
	if o.Members == 0 {
		o.Members = 20
	}
	if o.Parameters == 0 {
		o.Parameters = 1 << 20
	}
	if o.Bits == 0 {
		o.Bits = 16
	}
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	switch n := o.Members; {
	case n < 4 || n > secagg.MaxMembers:
		return fmt.Errorf("round bench: %d members, want 4 to %d", n, secagg.MaxMembers)
	case o.Parameters < 1 || o.Parameters > 1<<27:
		return fmt.Errorf("round bench: %d parameters, want 1 to 2^27", o.Parameters)
	case o.Dropped < 0 || n-o.Dropped < secagg.Quorum(n):
		return fmt.Errorf("round bench: %d of %d members dropped, and %d must be left", o.Dropped, n, secagg.Quorum(n))
	case o.Bits != 16 && o.Bits != 32:
		return fmt.Errorf("round bench: %d bits, want 16 or 32", o.Bits)
	}
	return nil
}

// A party is all members of one session.
type party struct {
	o         Options
	session   secagg.Session
	coder     coder
	members   []*secagg.Member
	survivors []int
	in        secagg.Transcript
	confirms  map[int]secagg.Confirm
	roots     map[int][32]byte
	want      []uint32 // sum of the survivors' lanes
	opening   *secagg.Opening
	r         *Report
}

// coder quantises.
type coder interface {
	lanes() int
	quantize(update []float64, seed [32]byte) ([]uint32, error)
	dequantize(sum []uint32, members int) error
}

// Run measures one round.
func Run(ctx context.Context, o Options) (*Report, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	p, err := newParty(o)
	if err != nil {
		return nil, err
	}
	begun := time.Now()
	for _, step := range []struct {
		name string
		do   func() error
	}{{"keys", p.keys}, {"shares", p.shares}, {"confirmations", p.confirm}, {"masking", p.mask}, {"agreement", p.agree}, {"opening", p.open}, {"sum", p.sum}} {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		o.Progress(fmt.Sprintf("%s, %d members", step.name, o.Members))
		if err := step.do(); err != nil {
			return nil, fmt.Errorf("round bench: %s: %w", step.name, err)
		}
	}
	p.r.Round = time.Since(begun).Seconds()
	return p.r, p.finish()
}

func newParty(o Options) (*party, error) {
	c := secagg.Context{Genesis: []byte("bench"), Roster: make([][32]byte, o.Members), Group: "trunk"}
	for i := range c.Roster {
		c.Roster[i] = seed("member", i)
	}
	p := &party{o: o, confirms: map[int]secagg.Confirm{}, roots: map[int][32]byte{},
		in: secagg.Transcript{Keys: map[int]secagg.Keys{}, Shares: map[int]secagg.Shares{}, Masked: map[int]secagg.Masked{},
			Statements: map[int]secagg.Survivors{}, Unmasks: map[int]secagg.Unmask{}},
		r: &Report{Version: 1, What: "round", Members: o.Members, Dropped: o.Dropped, Parameters: o.Parameters, Bits: o.Bits, Machine: bench.ThisMachine()}}
	var err error
	if p.coder, err = newCoder(o, c.ID()); err != nil {
		return nil, err
	}
	p.session = secagg.Session{ID: c.ID(), Roster: c.Roster, Threshold: secagg.Quorum(o.Members), MinSurvivors: 2, Bits: o.Bits, Lanes: p.coder.lanes()}
	for i := range o.Members {
		if i%3 != 1 || i/3 >= o.Dropped {
			p.survivors = append(p.survivors, i)
		}
	}
	p.want = make([]uint32, p.session.Lanes)
	return p, p.session.Validate()
}

func seed(of string, i int) [32]byte {
	return sha256.Sum256(binary.BigEndian.AppendUint64([]byte(of), uint64(i)))
}

// each times a step of every member in the list and returns the mean time in seconds.
func each(list int, do func(i int) error) (float64, error) {
	begun := time.Now()
	for i := range list {
		if err := do(i); err != nil {
			return 0, err
		}
	}
	return time.Since(begun).Seconds() / float64(list), nil
}

func (p *party) keys() (err error) {
	p.members = make([]*secagg.Member, p.o.Members)
	p.r.Keys, err = each(p.o.Members, func(i int) (err error) {
		if p.members[i], err = secagg.NewMember(p.session, i, seed("root", i)); err == nil {
			p.in.Keys[i] = p.members[i].Keys()
		}
		return err
	})
	return err
}

func (p *party) shares() (err error) {
	p.r.Shares, err = each(p.o.Members, func(i int) (err error) { p.in.Shares[i], err = p.members[i].Shares(p.in.Keys); return err })
	return err
}

func (p *party) confirm() (err error) {
	p.r.Confirm, err = each(p.o.Members, func(i int) (err error) { p.confirms[i], err = p.members[i].Confirm(p.in.Shares); return err })
	return err
}

// mask quantises and masks; all members have the same update, rounded differently.
func (p *party) mask() error {
	update := make([]float64, p.o.Parameters)
	random := rand.New(rand.NewPCG(1, 2))
	for k := range update {
		update[k] = random.NormFloat64()
	}
	var quantize time.Duration
	whole, err := each(len(p.survivors), func(k int) error {
		i := p.survivors[k]
		begun := time.Now()
		lanes, err := p.coder.quantize(update, seed("rounding", i))
		quantize += time.Since(begun)
		if err != nil {
			return err
		}
		masked, err := p.members[i].Mask(lanes, p.confirms)
		if err != nil {
			return err
		}
		for k, v := range lanes {
			p.want[k] += v
		}
		p.in.Masked[i], p.roots[i] = masked, masked.Header.Root()
		return nil
	})
	p.r.Quantize = quantize.Seconds() / float64(len(p.survivors))
	p.r.Mask = whole - p.r.Quantize
	return err
}

func (p *party) agree() (err error) {
	p.r.Statement, err = each(len(p.survivors), func(k int) (err error) {
		i := p.survivors[k]
		p.in.Statements[i], err = p.members[i].Survive(p.survivors, p.roots)
		return err
	})
	return err
}

func (p *party) open() (err error) {
	p.r.Unmask, err = each(len(p.survivors), func(k int) (err error) {
		i := p.survivors[k]
		p.in.Unmasks[i], err = p.members[i].Unmask(p.in.Statements)
		return err
	})
	if err != nil {
		return err
	}
	p.r.Open, err = each(1, func(int) (err error) { p.opening, err = secagg.Open(p.session, p.in); return err })
	return err
}

var errSum = errors.New("the sum is not that of the members' lanes")

// sum opens all chunks. One survivor does its part of them.
func (p *party) sum() error {
	whole, err := each(1, func(int) error {
		sum := make([]uint32, 0, p.session.Lanes)
		for c := range p.session.Chunks() {
			chunk := map[int][]byte{}
			for _, i := range p.survivors {
				chunk[i] = p.in.Masked[i].Chunks[c]
			}
			part, err := p.opening.SumChunk(c, chunk)
			if err != nil {
				return err
			}
			sum = append(sum, part...)
		}
		mask := uint32(1)<<(p.o.Bits-1)<<1 - 1
		for k, v := range sum {
			if v != p.want[k]&mask {
				return errSum
			}
		}
		return p.coder.dequantize(sum, len(p.survivors))
	})
	p.r.Sum = whole / float64(len(p.survivors))
	return err
}

// finish fills in what follows.
func (p *party) finish() error {
	r := p.r
	for i := range p.o.Members {
		up, err := p.session.Upload(i, len(p.survivors))
		if err != nil {
			return err
		}
		r.Upload = max(r.Upload, float64(up.Total()))
	}
	mi := float64(p.o.Parameters) / (1 << 20)
	r.UploadPerParameter = r.Upload / float64(p.o.Parameters)
	r.AgainstPlain = r.UploadPerParameter / (float64(p.o.Bits) / 8)
	r.MaskPerMi, r.SumPerMi = r.Mask/mi, r.Sum/mi
	r.Secure = r.Keys + r.Shares + r.Confirm + r.Mask + r.Statement + r.Unmask + r.Open + r.Sum
	r.Memory = bench.ProcessMemory()
	if math.IsNaN(r.Secure) {
		return errSum
	}
	return nil
}
