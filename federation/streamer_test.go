package federation

import (
	"slices"
	"testing"

	"github.com/fedlam/fedlam/training/weights"
)

func oneTensor(data ...float64) *weights.Set {
	s := &weights.Set{}
	s.Put(weights.Tensor{Name: "t", Shape: []int{len(data)}, Data: data})
	return s
}

// TestLead merges weights in which two of four numbers have changed. One of those was handed over and is in the sum.
func TestLead(t *testing.T) {
	first := oneTensor(1, 2, 3, 4)
	for _, tt := range []struct {
		name                 string
		handed, local, after *weights.Set
		taken                []Slice
		want                 []float64
	}{
		{"no progress becomes the certified weights", nil, first, oneTensor(1.1, 2.3, 3, 4), nil, []float64{1.1, 2.3, 3, 4}},
		{"progress that is in no sum stays", nil, oneTensor(1.5, 2.5, 3.3, 4.7), oneTensor(2, 4, 3, 4), nil, []float64{2.5, 4.5, 3.3, 4.7}},
		{"progress handed over but in no sum stays", oneTensor(1.25, 2.25, 3.3, 4.7), oneTensor(1.5, 2.5, 3.3, 4.7), oneTensor(2, 4, 3, 4), nil, []float64{2.5, 4.5, 3.3, 4.7}},
		{"what is in the sum is replaced by the mean", oneTensor(1.25, 2.25, 3.3, 4.7), oneTensor(1.5, 2.5, 3.4, 4.7), oneTensor(2, 4, 3, 4), []Slice{{"t", "t", 0, 2}}, []float64{2.25, 4.25, 3.4, 4.7}},
		{"nothing trained since", oneTensor(1.3, 2.7, 3.3, 4.7), oneTensor(1.3, 2.7, 3.3, 4.7), oneTensor(2.1, 4.7, 3, 4), []Slice{{"t@0", "t", 0, 2}}, []float64{2.1, 4.7, 3.3, 4.7}},
		{"a mean of nothing also counts", oneTensor(1.25, 2.25, 3.25, 4.25), oneTensor(1.5, 2.5, 3.5, 4.5), first, []Slice{{"t", "t", 0, 1}, {"t", "t", 2, 1}}, []float64{1.25, 2.5, 3.25, 4.5}},
		{"handed over in an earlier life", nil, oneTensor(1.3, 2.7, 3.3, 4.7), oneTensor(2.1, 4.7, 3, 4), []Slice{{"t", "t", 0, 2}}, []float64{2.1, 4.7, 3.3, 4.7}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var l Lead
			if got, _ := l.Merge(oneTensor(9, 9, 9, 9), first, nil).Get("t"); !slices.Equal(got.Data, []float64{1, 2, 3, 4}) {
				t.Fatalf("the first merge gives %v, want the weights", got.Data)
			}
			if tt.handed != nil {
				l.HandOver(tt.handed)
			}
			local := tt.local.Clone()
			got, _ := l.Merge(local, tt.after, tt.taken).Get("t")
			if !slices.Equal(got.Data, tt.want) {
				t.Errorf("%v, want %v", got.Data, tt.want)
			}
			if same, _ := local.Get("t"); !slices.Equal(same.Data, tt.local.Tensors()[0].Data) || l.Certified() != tt.after {
				t.Error("the arguments were changed or forgotten")
			}
		})
	}
}

// TestLeadKeepsHeadsThatItDoesNotKnow merges weights with a tensor that the member does not train.
func TestLeadKeepsHeadsThatItDoesNotKnow(t *testing.T) {
	var l Lead
	w := oneTensor(1, 2)
	w.Put(weights.Tensor{Name: "other", Shape: []int{1}, Data: []float64{5}})
	l.Merge(oneTensor(1, 2), w, nil)
	l.HandOver(oneTensor(1, 2))
	out := l.Merge(oneTensor(1, 2), w, []Slice{{"other", "other", 0, 1}, {"t", "t", 1, 1}})
	if got, ok := out.Get("other"); !ok || got.Data[0] != 5 {
		t.Errorf("the other tensor is %v, want 5", got)
	}
}
