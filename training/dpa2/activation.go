package dpa2

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/fedlam/fedlam/training/graph"
)

// activation applies one of DeePMD's activation functions (SPEC 2.1).
type activation func(b *graph.Builder, x *graph.Tensor) *graph.Tensor

// parseActivation returns the function of a name; upper and lower case are the same.
func parseActivation(name string) (activation, error) {
	base, arg, hasArg := strings.Cut(strings.ToLower(name), ":")
	if base == "silut" || base == "custom_silu" {
		threshold := 3.0
		if hasArg {
			v, err := strconv.ParseFloat(arg, 64)
			if err != nil || !finite(v) {
				return nil, fmt.Errorf("activation %q: what follows \":\" must be a number", name)
			}
			threshold = v
		}
		return silut(threshold), nil
	}
	act, ok := map[string]activation{
		"": identity, "linear": identity, "none": identity,
		"tanh": (*graph.Builder).Tanh, "sigmoid": (*graph.Builder).Sigmoid, "softplus": (*graph.Builder).Softplus,
		"relu": relu, "relu6": relu6, "gelu": gelu, "gelu_tf": gelu, "silu": silu,
	}[base]
	if !ok || hasArg {
		return nil, fmt.Errorf("activation %q is unknown; want linear, tanh, relu, relu6, softplus, sigmoid, gelu, gelu_tf, silu or silut:T", name)
	}
	return act, nil
}

func identity(_ *graph.Builder, x *graph.Tensor) *graph.Tensor { return x }

func relu(b *graph.Builder, x *graph.Tensor) *graph.Tensor { return b.Mul(x, b.Step(x)) }

func relu6(b *graph.Builder, x *graph.Tensor) *graph.Tensor {
	return b.Sub(relu(b, x), relu(b, b.AddScalar(x, -6)))
}

// gelu is the tanh form: x/2 (1 + tanh(√(2/π) (x + 0.044715 x³))).
func gelu(b *graph.Builder, x *graph.Tensor) *graph.Tensor {
	inner := b.Mul(x, b.AddScalar(b.Scale(b.Square(x), 0.044715), 1))
	return b.Mul(b.Scale(x, 0.5), b.AddScalar(b.Tanh(b.Scale(inner, math.Sqrt(2/math.Pi))), 1))
}

func silu(b *graph.Builder, x *graph.Tensor) *graph.Tensor { return b.Mul(x, b.Sigmoid(x)) }

// silut is silu below the threshold t and a tanh above, continuous in value and slope.
func silut(t float64) activation {
	sigma := 1 / (1 + math.Exp(-t))
	value, slope := t*sigma, sigma+t*sigma*(1-sigma)
	return func(b *graph.Builder, x *graph.Tensor) *graph.Tensor {
		far := b.AddScalar(x, -t)
		above := b.Step(far)
		below := b.AddScalar(b.Neg(above), 1)
		saturated := b.AddScalar(b.Tanh(b.Scale(far, slope)), value)
		return b.Add(b.Mul(silu(b, x), below), b.Mul(saturated, above))
	}
}
