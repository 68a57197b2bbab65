package sim

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// everything uses every statement of the language.
const everything = `members 7
rounds 4
seed 18446744073709551615
cohort 5
divided 3
founded
within 2m0s
train 200ms..400ms
link *->* latency 5ms bandwidth 100kB/s loss 20% duplicate 1% reorder 100% replay 3%
link 0,2-4->1 latency 50ms..200ms
skew 3 +40s
skew * -1h0m0s
drift 4 +200ppm
fail 1,2 round 3
echo 40%
byzantine 5 equivocate roster,final to 0,1
byzantine 5 delay by 2s
byzantine 6 twin to 0-2
at 3s cut 0,1 | 2-6
at 4s hold 0 | 1 | 2 for 5s
at 8s heal
at 9s link 0->* loss 0%
at action 57 kill 2 for 300ms
at step masked round 1 kill 2,3 for 300ms
amid step final of any round 2 kill *
after step statement of 4 round 1 pause 0 for 2s
at 10s disk-full 1 for 1s
at 11s skew 1 -5s
expect setup train/2 void train
`

func TestLanguage(t *testing.T) {
	s, err := Parse(strings.NewReader(everything))
	if err != nil {
		t.Fatal(err)
	}
	if got := s.String(); got != everything {
		t.Errorf("printed:\n%s\nwant:\n%s", got, everything)
	}
	loose, err := Parse(strings.NewReader("  members   4 # comment\n\n# another\nat 1s kill 3,1,1,2\n"))
	if err != nil || loose.Events[0].Do.Who.String() != "1-3" || loose.Rounds != 3 || loose.Cohort != 3 {
		t.Errorf("got %+v, %v; want members 1 to 3 and the defaults", loose, err)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, tt := range []struct{ text, say string }{
		{"", "0 members"},
		{"members 2", "3 to 64"},
		{"members 4\nmembers", `line 2, "members": a number is missing`},
		{"members 4 5", `"5" is too much`},
		{"membres 4", "a line begins with"},
		{"members 4\ncohort 5", "cohort 5 of 4"},
		{"members 4\nat 3 kill 1", "want a duration"},
		{"members 4\nat 3s kill 4", "members 0 to 3"},
		{"members 4\nat 3s kill 1-", "want members such as"},
		{"members 4\nat 3s kill 1 for 0s", "more than no time"},
		{"members 4\nat 3s pause 1", "for how long"},
		{"members 4\nat 3s explode", "want kill, pause"},
		{"members 4\nat 3s cut 0,1", "two sides"},
		{"members 4\nat 3s cut 0,1 | 1,2", "one side at most"},
		{"members 4\nat 3s cut * | 1,2", "one side at most"},
		{"members 4\nat step masked kill 1", "in which round"},
		{"members 4\nat step MASKED round 1 kill 1", "want steps such as"},
		{"members 4\namid 3s kill 1", "before step only"},
		{"members 4\nlink 0-1 loss 5%", "want a link"},
		{"members 4\nlink 0->1", "is missing"},
		{"members 4\nlink 0->1 loss 101%", "whole percentage"},
		{"members 4\nlink 0->1 bandwidth 5", "want a bandwidth"},
		{"members 4\nlink 0->1 latency 5s..4s", "shorter"},
		{"members 4\nskew 1 40s", "with its sign"},
		{"members 4\ndrift 1 5", "want a rate"},
		{"members 4\nfail 1", "fail 2 round 1"},
		{"members 4\nfail 4 round 1", "members 0 to 3"},
		{"members 4\necho 4", "whole percentage"},
		{"members 4\nbyzantine 1 nap", `strategy "nap"`},
		{"members 4\nbyzantine 1 twin", "twin to 0,1"},
		{"members 4\nbyzantine 1 replay\nbyzantine 2 replay", "fewer than a third"},
		{"members 4\nrounds 2\nexpect setup", "make them equal"},
		{"members 4\nrounds 1\nexpect train/0", "train/2"},
		{"members 4\nrounds 1\nexpect success", "want setup, train or void"},
	} {
		if _, err := Parse(strings.NewReader(tt.text)); err == nil || !strings.Contains(err.Error(), tt.say) {
			t.Errorf("%q: %v, want an error with %q", tt.text, err, tt.say)
		}
	}
}

// FuzzParse holds what can be read to what is printed of it.
func FuzzParse(f *testing.F) {
	f.Add(everything)
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(data))
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse(strings.NewReader(text))
		if err != nil {
			return
		}
		again, err := Parse(strings.NewReader(s.String()))
		if err != nil || !reflect.DeepEqual(s, again) {
			t.Errorf("%v\n%s\nread again:\n%s", err, s, again)
		}
	})
}

// TestGeneratedText reads what is generated back from its text, so that a failing seed can become a named case.
func TestGeneratedText(t *testing.T) {
	for seed := range uint64(300) {
		for _, s := range []*Scenario{Generate(seed, Honest), Generate(seed, WithLiars), Generate(seed, Outage), KillMatrix(7, Steps[2], seed)} {
			if err := s.Validate(); err != nil {
				t.Fatalf("seed %d: %v\n%s", seed, err, s)
			}
			again, err := Parse(strings.NewReader(s.String()))
			if err != nil || !reflect.DeepEqual(s, again) {
				t.Fatalf("seed %d: %v\n%s\nread again:\n%s", seed, err, s, again)
			}
		}
	}
}
