package testnet

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	"github.com/fedlam/fedlam/federation"
	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/testnet/report"
)

// inputs is the folder for what a member put into the secure sums; see FEDLAM_WITNESS in package node.
func (r *run) inputs(name string) string { return r.cfg.Folder.Path("inputs", name) }

// checkSums adds up what the survivors of every certified sum put in and compares with the sum that the record names.
func (r *run) checkSums() error {
	records, err := r.records()
	if err != nil {
		return err
	}
	for _, record := range records {
		for _, g := range record.Groups {
			s, err := r.checkSum(record.R, g)
			if err != nil {
				return err
			}
			r.report.Sums = append(r.report.Sums, s)
		}
	}
	return nil
}

func (r *run) checkSum(round uint64, g ledger.Group) (report.Sum, error) {
	out := report.Sum{Round: int(round), Group: g.Name}
	var total []uint32
	for _, i := range g.Survivors {
		if i >= uint64(len(r.nodes)) {
			return out, fmt.Errorf("the record of round %d has a member %d, of %d", round, i, len(r.nodes))
		}
		name := r.nodes[i].Name
		lanes, err := readLanes(filepath.Join(r.inputs(name), hex.EncodeToString(g.Session[:])))
		if err != nil {
			return out, fmt.Errorf("what %s put into round %d: %w", name, round, err)
		}
		if total == nil {
			total = make([]uint32, len(lanes))
		}
		if len(lanes) != len(total) {
			return out, fmt.Errorf("what %s put into round %d has %d numbers, others have %d", name, round, len(lanes), len(total))
		}
		for k, v := range lanes {
			total[k] += v // modulo 2^32, as the sum is
		}
		out.Members = append(out.Members, name)
	}
	out.Numbers, out.Exact = len(total), federation.AggregateRoot(total) == g.Aggregate
	return out, nil
}

// readLanes reads a file of little-endian 32-bit numbers.
func readLanes(path string) ([]uint32, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if len(data)%4 != 0 {
		return nil, fmt.Errorf("%q has %d bytes, which are not whole numbers", path, len(data))
	}
	lanes := make([]uint32, len(data)/4)
	for k := range lanes {
		lanes[k] = binary.LittleEndian.Uint32(data[4*k:])
	}
	return lanes, nil
}
