package doctor

import (
	"testing"
	"time"
	"unicode"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/proto/peerpb"
	"google.golang.org/protobuf/proto"
)

// FuzzReply feeds what a member may send.
func FuzzReply(f *testing.F) {
	c := ledger.FileCID([]byte("x")).Bytes()
	for _, seed := range []*peerpb.ExamineReply{
		{}, {Genesis: c, Epoch: c, Software: "fedlam v1", Time: 1, Observed: []byte{4, 127, 0, 0, 1, 6, 0, 80}, Head: &peerpb.Head{Weights: c}},
		{Genesis: c[:3], Epoch: c, Head: &peerpb.Head{Finished: 1 << 63, Record: []byte{1}}, Time: -1 << 63, Software: "a\x1b]0;title\a"},
	} {
		data, err := proto.Marshal(seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var reply peerpb.ExamineReply
		if proto.Unmarshal(data, &reply) != nil {
			return
		}
		got := facts{}
		(&caller{member: ledger.Member{Name: "bank"}}).take(&reply, time.Unix(1000, 0), time.Millisecond, &got)
		if ahead := got.offset.Ahead; ahead < -longest || ahead > longest {
			t.Errorf("offset %v", ahead)
		}
		s, err := standingFrom(&reply)
		if err == nil && (!s.Genesis.Defined() || !s.Weights.Defined() || s.Finished > 0 && !s.Record.Defined()) {
			t.Errorf("accepted %+v", s)
		}
		for _, r := range s.Software {
			if unicode.IsControl(r) {
				t.Errorf("%q can move the cursor", s.Software)
			}
		}
		Agreement(AgreementFacts{Member: "bank", Theirs: s})
		Clock(ClockFacts{Offsets: []Offset{*got.offset, *got.offset, *got.offset}})
		Translation(TranslationFacts{Seen: got.seen})
	})
}
