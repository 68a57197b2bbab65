package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"math"

	"github.com/ipfs/go-cid"
	"github.com/ipld/go-ipld-prime/codec/dagcbor"
	"github.com/ipld/go-ipld-prime/datamodel"
	"github.com/ipld/go-ipld-prime/fluent/qp"
	cidlink "github.com/ipld/go-ipld-prime/linking/cid"
	"github.com/ipld/go-ipld-prime/node/basicnode"
	"github.com/multiformats/go-multihash"
)

// ErrMalformed is wrapped by every error about bytes that are not the one encoding of a document.
var ErrMalformed = errors.New("malformed document")

// fields is a map to be encoded; values are uint64, float64, string, []byte, cid.Cid, list or fields.
type fields map[string]any

type list []any

// marshal writes DAG-CBOR: definite lengths, shortest integers, 64-bit floats, map keys by length and then bytewise. Equal
// documents have equal bytes.
func marshal(f fields) []byte {
	node, err := qp.BuildMap(basicnode.Prototype.Any, int64(len(f)), func(ma datamodel.MapAssembler) { assembleMap(ma, f) })
	if err != nil {
		panic("ledger: " + err.Error()) // only for a type missing below: a mistake in this package
	}
	var b bytes.Buffer
	if err := dagcbor.Encode(node, &b); err != nil {
		panic("ledger: " + err.Error()) // NaN is refused by validate, and a buffer does not fail
	}
	return b.Bytes()
}

func assembleMap(ma datamodel.MapAssembler, f fields) {
	for key, value := range f {
		qp.MapEntry(ma, key, assemble(value))
	}
}

func assemble(value any) qp.Assemble {
	switch v := value.(type) {
	case uint64:
		return qp.Node(basicnode.NewUint(v))
	case float64:
		return qp.Float(v)
	case string:
		return qp.String(v)
	case []byte:
		return qp.Bytes(v)
	case cid.Cid:
		return qp.Link(cidlink.Link{Cid: v})
	case list:
		return qp.List(int64(len(v)), func(la datamodel.ListAssembler) {
			for _, x := range v {
				qp.ListEntry(la, assemble(x))
			}
		})
	case fields:
		return qp.Map(int64(len(v)), func(ma datamodel.MapAssembler) { assembleMap(ma, v) })
	}
	panic(fmt.Sprintf("ledger: cannot encode a %T", value))
}

// CIDOf returns the CIDv1 of a DAG-CBOR document.
func CIDOf(document []byte) cid.Cid { return sum(cid.DagCBOR, document) }

func sum(codec uint64, block []byte) cid.Cid {
	hash, err := multihash.Sum(block, multihash.SHA2_256, -1)
	if err != nil {
		panic("ledger: sha2-256: " + err.Error()) // it is registered by package multihash
	}
	return cid.NewCidV1(codec, hash)
}

// A reader takes typed fields out of a decoded document. The first failure sticks, so that a decoder reads all fields
// and asks once. Lengths are bounded by the size of the document, which was checked before it was parsed.
type reader struct {
	node datamodel.Node
	err  *error
}

// unmarshal parses document, hands it to read, and checks that encode gives the same bytes again: whatever read did
// not understand, or is not in the one canonical form, is refused.
func unmarshal(what string, document []byte, limit int, read func(r reader), encode func() []byte) error {
	if len(document) > limit {
		return fmt.Errorf("%w: %s of %d bytes, want at most %d", ErrMalformed, what, len(document), limit)
	}
	builder := basicnode.Prototype.Any.NewBuilder()
	options := dagcbor.DecodeOptions{AllowLinks: true, MaxDepth: 8, AllocationBudget: int64(16*len(document) + 1024), MaxCollectionPrealloc: 64}
	if err := options.Decode(builder, bytes.NewReader(document)); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrMalformed, what, err)
	}
	var failed error
	read(reader{builder.Build(), &failed})
	if failed != nil {
		return fmt.Errorf("%w: %s: %w", ErrMalformed, what, failed)
	}
	if !bytes.Equal(encode(), document) {
		return fmt.Errorf("%w: %s: unknown fields, or not the canonical encoding", ErrMalformed, what)
	}
	return nil
}

func (r reader) fail(format string, args ...any) {
	if *r.err == nil {
		*r.err = fmt.Errorf(format, args...)
	}
}

// get returns a field of a map, or nil after a failure.
func (r reader) get(key string, kind datamodel.Kind) datamodel.Node {
	if *r.err != nil {
		return nil
	}
	if r.node.Kind() != datamodel.Kind_Map {
		r.fail("a map is due where field %q is looked for", key)
		return nil
	}
	n, err := r.node.LookupByString(key)
	switch {
	case err != nil:
		r.fail("field %q is missing", key)
	case n.Kind() != kind:
		r.fail("field %q is a %s, want a %s", key, n.Kind(), kind)
	default:
		return n
	}
	return nil
}

// uint reads a number of at most limit.
func (r reader) uint(key string, limit uint64) uint64 {
	n := r.get(key, datamodel.Kind_Int)
	if n == nil {
		return 0
	}
	v, err := n.AsInt()
	if err != nil || v < 0 || uint64(v) > limit {
		r.fail("field %q is out of range, want 0 to %d", key, limit)
		return 0
	}
	return uint64(v)
}

func (r reader) float(key string) float64 {
	n := r.get(key, datamodel.Kind_Float)
	if n == nil {
		return 0
	}
	v, err := n.AsFloat()
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		r.fail("field %q is not a finite number", key)
	}
	return v
}

func (r reader) text(key string) string {
	n := r.get(key, datamodel.Kind_String)
	if n == nil {
		return ""
	}
	s, _ := n.AsString()
	return s
}

func (r reader) bytes(key string) []byte {
	n := r.get(key, datamodel.Kind_Bytes)
	if n == nil {
		return nil
	}
	b, _ := n.AsBytes()
	return b
}

// hash reads exactly 32 bytes.
func (r reader) hash(key string) (h [32]byte) {
	b := r.bytes(key)
	if *r.err == nil && len(b) != 32 {
		r.fail("field %q has %d bytes, want 32", key, len(b))
		return h
	}
	copy(h[:], b)
	return h
}

// cid reads a link that is a CIDv1 of sha2-256; any codec.
func (r reader) cid(key string) cid.Cid {
	n := r.get(key, datamodel.Kind_Link)
	if n == nil {
		return cid.Undef
	}
	link, _ := n.AsLink()
	l, ok := link.(cidlink.Link)
	if !ok {
		r.fail("field %q is not a CID", key)
		return cid.Undef
	}
	if p := l.Cid.Prefix(); p.Version != 1 || p.MhType != multihash.SHA2_256 || p.MhLength != 32 {
		r.fail("field %q is not a CIDv1 of sha2-256", key)
	}
	return l.Cid
}

// has says whether an optional field is there.
func (r reader) has(key string) bool {
	if *r.err != nil || r.node.Kind() != datamodel.Kind_Map {
		return false
	}
	_, err := r.node.LookupByString(key)
	return err == nil
}

// each calls read for the entries of a list of at most limit.
func (r reader) each(key string, limit int, read func(item reader)) {
	n := r.get(key, datamodel.Kind_List)
	if n == nil {
		return
	}
	if n.Length() > int64(limit) {
		r.fail("field %q has %d entries, want at most %d", key, n.Length(), limit)
		return
	}
	for it := n.ListIterator(); !it.Done() && *r.err == nil; {
		_, item, err := it.Next()
		if err != nil {
			r.fail("field %q: %w", key, err)
			return
		}
		read(reader{item, r.err})
	}
}

// in reads a field that is a map.
func (r reader) in(key string, read func(r reader)) {
	if n := r.get(key, datamodel.Kind_Map); n != nil {
		read(reader{n, r.err})
	}
}

// texts reads a list of strings.
func (r reader) texts(key string, limit int) (out []string) {
	r.each(key, limit, func(item reader) {
		if item.node.Kind() != datamodel.Kind_String {
			r.fail("field %q holds something else than text", key)
			return
		}
		s, _ := item.node.AsString()
		out = append(out, s)
	})
	return out
}

// uints reads a list of numbers of at most max.
func (r reader) uints(key string, limit int, largest uint64) (out []uint64) {
	r.each(key, limit, func(item reader) {
		if item.node.Kind() != datamodel.Kind_Int {
			r.fail("field %q holds something else than numbers", key)
			return
		}
		v, err := item.node.AsInt()
		if err != nil || v < 0 || uint64(v) > largest {
			r.fail("field %q holds a number out of range, want 0 to %d", key, largest)
			return
		}
		out = append(out, uint64(v))
	})
	return out
}

func textList(of []string) list {
	out := make(list, len(of))
	for i, s := range of {
		out[i] = s
	}
	return out
}

func uintList(of []uint64) list {
	out := make(list, len(of))
	for i, v := range of {
		out[i] = v
	}
	return out
}
