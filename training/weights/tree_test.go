package weights_test

import (
	"bytes"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fedlam/fedlam/dataset/sharedtest"
	"github.com/fedlam/fedlam/training/weights"
)

func readTree(t *testing.T, path string) *weights.Tree {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tree, err := weights.ReadYAML(f)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return tree
}

func TestModelFilesRoundTrip(t *testing.T) {
	golden := sharedtest.Dir(t, "golden", "dpa2")
	for _, path := range []string{
		filepath.Join(golden, "u1_deeppot_dpa_yaml", "model.yaml"),
		filepath.Join(golden, "s1_medium_like_small_triclinic_cell", "model.yaml"),
		filepath.Join(golden, "s5_float32", "model.json"),
		filepath.Join(golden, "u2_deeppot_dpa_pth", "model.json"),
		sharedtest.Dir(t, "fixtures", "deepmd", "v3.1.3", "source", "tests", "infer", "deeppot_dpa.yaml"),
	} {
		t.Run(filepath.Base(filepath.Dir(path))+"/"+filepath.Base(path), func(t *testing.T) {
			first := readTree(t, path)
			var text, again bytes.Buffer
			if err := weights.WriteYAML(&text, first); err != nil {
				t.Fatal(err)
			}
			second, err := weights.ReadYAML(bytes.NewReader(text.Bytes()))
			if err != nil {
				t.Fatal(err)
			}
			if !weights.Equal(first, second) {
				t.Error("the tree changed on its way through the writer")
			}
			if err := weights.WriteYAML(&again, second); err != nil || !bytes.Equal(text.Bytes(), again.Bytes()) {
				t.Errorf("writing twice gives different bytes (%v)", err)
			}
			if set, err := first.Get("model").Weights(); err != nil || set.Len() < 1000 {
				t.Errorf("weights of the tree: %v", err)
			}
		})
	}
}

// TestYAMLAndJSONAgree compares two files that the reference implementation wrote from the same model.
func TestYAMLAndJSONAgree(t *testing.T) {
	for _, name := range []string{"u1_deeppot_dpa_yaml", "s1_medium_like_small_triclinic_cell"} {
		dir := sharedtest.Dir(t, "golden", "dpa2", name)
		a, b := readTree(t, filepath.Join(dir, "model.yaml")), readTree(t, filepath.Join(dir, "model.json"))
		if !weights.Equal(a.Get("model"), b.Get("model")) {
			t.Errorf("%s: model.yaml and model.json differ", name)
		}
	}
}

func TestReadYAMLValues(t *testing.T) {
	const array = `{"@class": np.ndarray, "@is_variable": true, "@version": 1, dtype: float64, value: [[1, 2.5], [-0.0, .inf]]}`
	tree, err := weights.ReadYAML(strings.NewReader("a: &x [1, 2]\nb: *x\nc: " + array + "\nd: 1.0e-05\ne: 1e-05\nf: null\ng: No\nh: 'true'\ni: {}\nj: 2026-01-02\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := weights.NewMap(
		weights.Field{Key: "a", Value: weights.NewList(weights.NewInt(1), weights.NewInt(2))},
		weights.Field{Key: "b", Value: weights.NewList(weights.NewInt(1), weights.NewInt(2))},
		weights.Field{Key: "c", Value: weights.NewArray([]int{2, 2}, []float64{1, 2.5, math.Copysign(0, -1), math.Inf(1)})},
		weights.Field{Key: "d", Value: weights.NewFloat(1e-5)},
		weights.Field{Key: "e", Value: weights.NewFloat(1e-5)},
		weights.Field{Key: "f", Value: weights.NewNull()},
		weights.Field{Key: "g", Value: weights.NewString("No")},
		weights.Field{Key: "h", Value: weights.NewString("true")},
		weights.Field{Key: "i", Value: weights.NewMap()},
		weights.Field{Key: "j", Value: weights.NewString("2026-01-02")},
	)
	if !weights.Equal(tree, want) {
		t.Errorf("got %+v", tree)
	}
	if got := tree.Path("a/1"); !weights.Equal(got, weights.NewInt(2)) {
		t.Errorf("a/1 is %+v", got)
	}
	if got := tree.Path("a/2/x"); got != nil {
		t.Errorf("a path beyond the end gives %+v", got)
	}
	if _, err := tree.Weights(); err == nil {
		t.Error("an infinite weight was taken")
	}
}

func TestWriteYAMLSpelling(t *testing.T) {
	tree := weights.NewMap(
		weights.Field{Key: "@class", Value: weights.NewString("Model")},
		weights.Field{Key: "numbers", Value: weights.NewList(weights.NewFloat(1), weights.NewFloat(1e-5), weights.NewFloat(-2.5e300), weights.NewFloat(0.1), weights.NewInt(3))},
		weights.Field{Key: "names", Value: weights.NewList(weights.NewString("No"), weights.NewString("y"), weights.NewString("a: b"), weights.NewString(""), weights.NewString("1e5"))},
		weights.Field{Key: "list", Value: weights.NewList(weights.NewMap(weights.Field{Key: "k", Value: weights.NewNull()}), weights.NewList(weights.NewList()))},
		weights.Field{Key: "w", Value: weights.NewArray([]int{2, 1}, []float64{1, -0.25})},
	)
	const want = `"@class": Model
numbers: [1.0, 1.0e-05, -2.5e+300, 0.1, 3]
names: ["No", "y", "a: b", "", "1e5"]
list:
  - k: null
  - [[]]
w:
  '@class': np.ndarray
  '@is_variable': true
  '@version': 1
  dtype: float64
  value: [[1.0],
    [-0.25]]
`
	var b bytes.Buffer
	if err := weights.WriteYAML(&b, tree); err != nil {
		t.Fatal(err)
	}
	if got := b.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestReadYAMLRefuses(t *testing.T) {
	bomb := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for k := range 9 {
		bomb += strings.NewReplacer("N", string(rune('1'+k)), "M", string(rune('0'+k))).Replace("aN: &aN [*aM, *aM, *aM, *aM, *aM, *aM, *aM, *aM, *aM, *aM]\n")
	}
	array := func(value string) string {
		return `{"@class": np.ndarray, "@is_variable": true, "@version": 1, dtype: float64, value: ` + value + "}"
	}
	for _, c := range []struct{ name, text string }{
		{"empty", ""},
		{"broken", "a: [1, 2"},
		{"doubled key", "a: 1\na: 2"},
		{"merge key", "a: &a {x: 1}\nb:\n  <<: *a"},
		{"alias of itself", "a: &a [*a]"},
		{"billion laughs", bomb},
		{"too deep", strings.Repeat("[", 100) + strings.Repeat("]", 100)},
		{"binary", "a: !!binary aGVsbG8="},
		{"huge integer", "a: 18446744073709551615"},
		{"key that is a list", "[1, 2]: 3"},
		{"ragged array", array("[[1, 2], [3]]")},
		{"number among lists", array("[[1], 2]")},
		{"list among numbers", array("[1, [2]]")},
		{"text in an array", array("[1, two]")},
		{"array of unknown type", strings.Replace(array("[1]"), "float64", "complex128", 1)},
		{"array of a later version", strings.Replace(array("[1]"), `"@version": 1`, `"@version": 2`, 1)},
		{"array without numbers", `{"@class": np.ndarray, "@is_variable": true, "@version": 1, dtype: float64}`},
		{"array with two lists of numbers", strings.Replace(array("[1]"), "dtype", "value: [2], dtype", 1)},
	} {
		t.Run(c.name, func(t *testing.T) {
			if tree, err := weights.ReadYAML(strings.NewReader(c.text)); !errors.Is(err, weights.ErrTree) {
				t.Errorf("got %+v, %v, want ErrTree", tree, err)
			}
		})
	}
}

func FuzzReadYAML(f *testing.F) {
	f.Add([]byte("a: [1, 2.5, null, true, x]\nb: {c: &d 1, e: *d}\n"))
	f.Add([]byte(`{"@class": "np.ndarray", "@is_variable": true, "@version": 1, "dtype": "float32", "value": [[[1, 2]], [[3, 4]]]}`))
	f.Add([]byte("- - - 1\n    - 'No'\n  - \"\\u0007\"\n- .nan\n- -.inf\n- 0x1F\n- 1_000\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		first, err := weights.ReadYAML(bytes.NewReader(text))
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := weights.WriteYAML(&b, first); err != nil {
			t.Fatal(err)
		}
		second, err := weights.ReadYAML(bytes.NewReader(b.Bytes()))
		if err != nil {
			t.Fatalf("%v\n%s", err, b.Bytes())
		}
		if !weights.Equal(first, second) {
			t.Fatalf("read %+v, written as\n%s\nread as %+v", first, b.Bytes(), second)
		}
	})
}
