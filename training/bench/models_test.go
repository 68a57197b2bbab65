package bench

import (
	"slices"
	"strings"
	"testing"
)

// TestBuiltInModels compares with the published numbers of parameters, and requires the same weights each time.
func TestBuiltInModels(t *testing.T) {
	for _, c := range []struct {
		name string
		want int
	}{{"small", 622219}, {"medium", 1017163}, {"large", 1741003}} {
		t.Run(c.name, func(t *testing.T) {
			s, err := OpenModel(c.name, "")
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Model.Config.NumParameters(); got != c.want {
				t.Errorf("got %d parameters, want %d", got, c.want)
			}
			if err := s.Model.Check(); err != nil {
				t.Error(err)
			}
			again, err := OpenModel(c.name, "")
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range s.Model.Params.Tensors() {
				if y, ok := again.Model.Params.Get(x.Name); !ok || !slices.Equal(x.Data, y.Data) {
					t.Errorf("tensor %q is another when the model is opened again", x.Name)
				}
			}
			scales := 0
			for _, x := range s.Model.Params.Tensors() {
				if strings.HasSuffix(x.Name, "/dstd") {
					if scales++; !slices.Equal(x.Data[:4], []float64{0.1, 0.06, 0.06, 0.06}) {
						t.Errorf("tensor %q begins with %v", x.Name, x.Data[:4])
					}
				}
			}
			if scales != 3 { // repinit, three-body, repformers
				t.Errorf("got %d scales of the environment, want 3", scales)
			}
		})
	}
	if _, err := OpenModel("huge", ""); err == nil || !strings.Contains(err.Error(), "small, medium, large") {
		t.Errorf("got error %v, want one that names the models", err)
	}
}
