package weights_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fedlam/fedlam/training/weights"
)

func sample() *weights.Set {
	s := &weights.Set{}
	s.Put(weights.Tensor{Name: "fitting/w", Shape: []int{2, 2}, Data: []float64{1, -2, 0.5, 1.0 / 3}})
	s.Put(weights.Tensor{Name: "descriptor/@variables/b", Shape: []int{1}, Data: []float64{1e-300}})
	s.Put(weights.Tensor{Name: "none", Shape: []int{0, 3}, Data: []float64{}})
	s.Put(weights.Tensor{Name: "scalar", Shape: []int{}, Data: []float64{7}})
	return s
}

func TestSafetensorsRoundTrip(t *testing.T) {
	for _, dtype := range []weights.Dtype{weights.F64, weights.F32} {
		t.Run(string(dtype), func(t *testing.T) {
			want, meta := sample(), map[string]string{"format": "fedlam", "a<b": "\"&\""}
			var b bytes.Buffer
			if err := weights.WriteSafetensors(&b, want, dtype, meta); err != nil {
				t.Fatal(err)
			}
			got, gotMeta, err := weights.ReadSafetensors(bytes.NewReader(b.Bytes()), 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			if dtype == weights.F32 {
				for _, x := range want.Tensors() {
					for k := range x.Data {
						x.Data[k] = float64(float32(x.Data[k]))
					}
				}
			}
			for k, x := range want.Tensors() {
				if d := cmp.Diff(got.Tensors()[k], x); d != "" {
					t.Error(d)
				}
			}
			if d := cmp.Diff(gotMeta, meta); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestSafetensorsBytes fixes the bytes, since the hash of a file is the name of the weights.
func TestSafetensorsBytes(t *testing.T) {
	s := &weights.Set{}
	s.Put(weights.Tensor{Name: "b", Shape: []int{2}, Data: []float64{1, -2}})
	s.Put(weights.Tensor{Name: "a", Shape: []int{}, Data: []float64{0.5}})
	const header = `{"__metadata__":{"x":"1"},"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}`
	padded := []byte(header)
	for len(padded)%8 != 0 {
		padded = append(padded, ' ')
	}
	numbers, _ := hex.DecodeString("0000003f0000803f000000c0")
	want := append(append(binary.LittleEndian.AppendUint64(nil, uint64(len(padded))), padded...), numbers...)
	var b bytes.Buffer
	if err := weights.WriteSafetensors(&b, s, weights.F32, map[string]string{"x": "1"}); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), want) {
		t.Errorf("got\n%q\nwant\n%q", b.Bytes(), want)
	}
}

func TestWriteSafetensorsRefuses(t *testing.T) {
	for _, c := range []struct {
		name  string
		dtype weights.Dtype
		value float64
	}{
		{"NaN", weights.F64, math.NaN()}, {"too large for F32", weights.F32, 1e39}, {"unknown type", "BF16", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &weights.Set{}
			s.Put(weights.Tensor{Name: "x", Data: []float64{c.value}})
			if err := weights.WriteSafetensors(&bytes.Buffer{}, s, c.dtype, nil); err == nil {
				t.Error("no error")
			}
		})
	}
}

func file(header string, body ...byte) []byte {
	return append(append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...), body...)
}

func TestReadSafetensorsRefuses(t *testing.T) {
	four := []byte{0, 0, 0, 0}
	const one = `"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}`
	if _, _, err := weights.ReadSafetensors(bytes.NewReader(file("{"+one+"}", four...)), 1000); err != nil {
		t.Fatalf("the file that the others are made from: %v", err)
	}
	for _, c := range []struct {
		name string
		data []byte
	}{
		{"empty", nil},
		{"header longer than the file", file("{}")[:9]},
		{"header length of 2^63", append(bytes.Repeat([]byte{0xff}, 8), "{}"...)},
		{"no JSON", file("xx")},
		{"list", file("[]")},
		{"text after the header", file("{} {}")},
		{"trailing bytes", file("{"+one+"}", 0, 0, 0, 0, 0)},
		{"truncated body", file("{"+one+"}", 0, 0, 0)},
		{"doubled name", file("{"+one+","+one+"}", four...)},
		{"overlap", file("{"+one+`,"y":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, four...)},
		{"gap", file(`{"x":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 0, 0, 0, 0, 0, 0, 0, 0)},
		{"shape does not fit", file(`{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}`, four...)},
		{"negative size", file(`{"x":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}`, four...)},
		{"shape overflows", file(`{"x":{"dtype":"F32","shape":[4294967296,4294967296,4294967296],"data_offsets":[0,4]}}`, four...)},
		{"too many dimensions", file(`{"x":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}}`, four...)},
		{"unknown type", file(`{"x":{"dtype":"I32","shape":[1],"data_offsets":[0,4]}}`, four...)},
		{"unknown field", file(`{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"z":1}}`, four...)},
		{"negative offset", file(`{"x":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}`, four...)},
		{"empty name", file(`{"":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, four...)},
		{"NaN", file("{"+one+"}", 0, 0, 0xc0, 0x7f)},
		{"not UTF-8", file("{\"\xff\":{}}")},
		{"beyond the limit", file("{"+one+"}", make([]byte, 2000)...)},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, _, err := weights.ReadSafetensors(bytes.NewReader(c.data), 1000); !errors.Is(err, weights.ErrSafetensors) {
				t.Errorf("got %v, want ErrSafetensors", err)
			}
		})
	}
}

func FuzzReadSafetensors(f *testing.F) {
	for _, dtype := range []weights.Dtype{weights.F64, weights.F32} {
		var b bytes.Buffer
		if err := weights.WriteSafetensors(&b, sample(), dtype, map[string]string{"k": "v"}); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Add(file("{}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		set, meta, err := weights.ReadSafetensors(bytes.NewReader(data), 1<<16)
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := weights.WriteSafetensors(&b, set, weights.F64, meta); err != nil {
			t.Fatal(err)
		}
		again, _, err := weights.ReadSafetensors(&b, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		if err := set.SameShapes(again); err != nil {
			t.Fatal(err)
		}
	})
}
