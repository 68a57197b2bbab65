package ledger

import (
	"encoding/binary"

	"github.com/ipfs/go-cid"
)

// Layout of files, as `ipfs add --cid-version=1 --raw-leaves` makes it.
const (
	LeafSize  = 256 << 10 // bytes of every leaf but the last
	TreeWidth = 174       // children of an inner node
)

// A Block is a piece of a file, or a node of its tree.
type Block struct {
	CID  cid.Cid
	Data []byte
}

// UnixFSRoot returns the CID by which IPFS knows a file, and its blocks, children before parents: raw leaves of
// 256 KiB under a balanced DAG-PB tree of width 174, CIDv1, sha2-256. A file of one leaf is that leaf. Leaves alias data.
func UnixFSRoot(data []byte) (cid.Cid, []Block) {
	var blocks []Block
	root := eachBlock(data, func(b Block) { blocks = append(blocks, b) })
	return root, blocks
}

// FileCID is UnixFSRoot without the blocks.
func FileCID(data []byte) cid.Cid { return eachBlock(data, func(Block) {}) }

// subtree is a finished node with its sizes in bytes: of the file below it, and of all blocks below it.
type subtree struct {
	cid         cid.Cid
	file, total uint64
}

func eachBlock(data []byte, visit func(Block)) cid.Cid {
	var level []subtree
	for first := true; first || len(data) > 0; first = false {
		leaf := data[:min(LeafSize, len(data))]
		data = data[len(leaf):]
		b := Block{sum(cid.Raw, leaf), leaf}
		visit(b)
		level = append(level, subtree{b.CID, uint64(len(leaf)), uint64(len(leaf))})
	}
	for len(level) > 1 {
		var above []subtree
		for from := 0; from < len(level); from += TreeWidth {
			node, s := innerNode(level[from:min(from+TreeWidth, len(level))])
			visit(node)
			above = append(above, s)
		}
		level = above
	}
	return level[0].cid
}

// innerNode writes a DAG-PB node: links (field 2) with hash, empty name and size of all blocks below, then the UnixFS entry
// (field 1) with type file, size of the file below and of the part below each link.
func innerNode(children []subtree) (Block, subtree) {
	s := subtree{}
	var node, entry []byte
	for _, c := range children {
		s.file += c.file
		s.total += c.total
		link := field(nil, 1, c.cid.Bytes())
		link = field(link, 2, nil)
		link = number(link, 3, c.total)
		node = field(node, 2, link)
	}
	const typeFile = 2
	entry = number(entry, 1, typeFile)
	entry = number(entry, 3, s.file)
	for _, c := range children {
		entry = number(entry, 4, c.file)
	}
	node = field(node, 1, entry)
	s.total += uint64(len(node))
	s.cid = sum(cid.DagProtobuf, node)
	return Block{s.cid, node}, s
}

// field appends a length-delimited protobuf field, number a varint one.
func field(b []byte, id byte, value []byte) []byte {
	b = binary.AppendUvarint(append(b, id<<3|2), uint64(len(value)))
	return append(b, value...)
}

func number(b []byte, id byte, v uint64) []byte { return binary.AppendUvarint(append(b, id<<3), v) }
