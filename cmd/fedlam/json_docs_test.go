package main

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/federation"
	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/node/founding"
	"github.com/fedlam/fedlam/node/home"
	"github.com/fedlam/fedlam/node/silo"
	"github.com/fedlam/fedlam/testnet/report"
	"github.com/fedlam/fedlam/testnet/roundbench"
	"github.com/fedlam/fedlam/training"
	"github.com/fedlam/fedlam/training/bench"
	"github.com/fedlam/fedlam/training/dpa2"
	"github.com/fedlam/fedlam/training/optim"
)

// layouts are the JSON outputs of this program by their headings in docs/json.md.
var layouts = map[string]any{
	"fedlam eval --json":                                    evalOutput{},
	"fedlam test --json":                                    testOutput{},
	"fedlam verify --json and fedlam pull --json":           verifyOutput{},
	"fedlam status --json":                                  statusOutput{},
	"fedlam doctor --json":                                  doctorOutput{},
	"fedlam replay --json":                                  federation.ReplayReport{},
	"fedlam demo --json and fedlam testnet run --json":      report.Report{},
	"fedlam bench step --json and fedlam bench eval --json": bench.Report{},
	"fedlam bench gemm --json":                              bench.GEMMReport{},
	"fedlam bench gpu --json":                               bench.GPUReport{},
	"fedlam bench round --json":                             roundbench.Report{},
	"fedlam bench verify --json":                            roundbench.VerifyReport{},
	"Member cards":                                          home.Card{},
	"Results of a node":                                     silo.Results{},
	"provenance.json of a release":                          ledger.Provenance{},
	"config.json of a model":                                modelConfig{},
}

// modelConfig is config.json as a federation writes it, and as a training alone does, which has no recipe to share.
type modelConfig struct {
	training.Description
	Training founding.Recipe `json:"training,omitzero"`
}

// onOtherPages are described by other pages, or by DeePMD-kit.
var onOtherPages = []reflect.Type{
	reflect.TypeFor[dpa2.Config](), reflect.TypeFor[dpa2.LossConfig](), reflect.TypeFor[optim.Schedule](), reflect.TypeFor[optim.Config](),
	reflect.TypeFor[dataset.Convention](), reflect.TypeFor[time.Time](), reflect.TypeFor[json.RawMessage](),
}

// TestJSONIsDocumented holds the tables of docs/json.md against the types that are written: every key, whether it may be
// absent, and no key that is not written.
func TestJSONIsDocumented(t *testing.T) {
	sections := jsonPage(t)
	for heading, value := range layouts {
		want := map[string]bool{}
		jsonKeys(reflect.TypeOf(value), "", want)
		got, ok := sections[heading]
		if !ok {
			t.Errorf("docs/json.md has no section %q", heading)
		}
		for key, optional := range want {
			if is, there := got[key]; !there || is != optional {
				t.Errorf("%s: %s is there: %t, optional: %t; want optional: %t", heading, key, there, is, optional)
			}
		}
		for key := range got {
			if _, there := want[key]; !there {
				t.Errorf("%s: %s is not written", heading, key)
			}
		}
	}
	for heading, rows := range sections {
		if _, known := layouts[heading]; !known && len(rows) > 0 {
			t.Errorf("docs/json.md describes %q, which this test does not know", heading)
		}
	}
}

// jsonPage returns the keys of the tables by heading, and whether they are marked optional.
func jsonPage(t *testing.T) map[string]map[string]bool {
	t.Helper()
	text, err := os.ReadFile("../../docs/json.md")
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string]map[string]bool{}
	heading := ""
	for line := range strings.Lines(string(text)) {
		if h, ok := strings.CutPrefix(line, "## "); ok {
			heading = strings.TrimSpace(h)
			sections[heading] = map[string]bool{}
			continue
		}
		cells := strings.Split(line, "|")
		if len(cells) != 5 || !strings.HasPrefix(cells[1], " `") {
			continue
		}
		key := strings.Trim(cells[1], " `")
		if _, twice := sections[heading][key]; twice {
			t.Errorf("%s: %s is there twice", heading, key)
		}
		sections[heading][key] = strings.Contains(cells[2], "optional")
	}
	return sections
}

// jsonKeys lists the keys below a type with their paths, and whether they may be absent.
func jsonKeys(t reflect.Type, path string, into map[string]bool) {
	if slices.Contains(onOtherPages, t) {
		return
	}
	switch t.Kind() {
	case reflect.Pointer:
		jsonKeys(t.Elem(), path, into)
	case reflect.Slice, reflect.Array:
		jsonKeys(t.Elem(), path+"[]", into)
	case reflect.Map:
		jsonKeys(t.Elem(), path+".<key>", into)
	case reflect.Struct:
		for f := range structFields(t) {
			name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			switch {
			case f.Anonymous && name == "":
				jsonKeys(f.Type, path, into)
			case name != "-" && f.IsExported():
				full := strings.TrimPrefix(path+"."+name, ".")
				into[full] = strings.Contains(options, "omit")
				jsonKeys(f.Type, full, into)
			}
		}
	}
}

func structFields(t reflect.Type) func(yield func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		for i := range t.NumField() {
			if !yield(t.Field(i)) {
				return
			}
		}
	}
}

// TestEveryOutputTypeIsKnown finds the types of this package that have JSON names, and expects all of them among layouts.
func TestEveryOutputTypeIsKnown(t *testing.T) {
	reached := map[string]bool{}
	for _, value := range layouts {
		typeNames(reflect.TypeOf(value), reached)
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for name := range structsWithJSON(file) {
			found++
			if !reached[name] {
				t.Errorf("%s: type %s has JSON names and is no part of a layout that docs/json.md describes", path, name)
			}
		}
	}
	if found < 5 {
		t.Errorf("only %d types with JSON names found among %v", found, slices.Sorted(maps.Keys(reached)))
	}
}

// typeNames collects the names of the structs that a type is made of.
func typeNames(t reflect.Type, into map[string]bool) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		typeNames(t.Elem(), into)
	case reflect.Struct:
		into[t.Name()] = true
		for f := range structFields(t) {
			if !into[f.Type.Name()] || f.Type.Name() == "" {
				typeNames(f.Type, into)
			}
		}
	}
}

// structsWithJSON yields the declared structs that have a json tag.
func structsWithJSON(file *ast.File) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			s, ok := spec.Type.(*ast.StructType)
			if !ok {
				return true
			}
			for _, f := range s.Fields.List {
				if f.Tag != nil && strings.Contains(f.Tag.Value, `json:"`) {
					return yield(spec.Name.Name)
				}
			}
			return true
		})
	}
}
