package report

import (
	"fmt"
	"io"
	"strings"
)

// Print writes the report for people.
func (r *Report) Print(w io.Writer) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, "\n%s: %d rounds of %d local steps, %.0f s", r.Name, r.Rounds, r.LocalSteps, r.Wall)
	if r.Void > 0 {
		fmt.Fprintf(b, "; %d rounds came to nothing", r.Void)
	}
	b.WriteString("\n\n")
	r.printHeads(b)
	b.WriteString("\n")
	r.printMembers(b)
	r.printSums(b)
	r.printChecks(b)
	fmt.Fprintf(b, "\ngenesis      %s\nrecord       %s\ncertificate  %s\nweights      %s\n", r.Genesis, r.Record, r.Certificate, r.Weights)
	if r.Verification.OK {
		fmt.Fprintf(b, "verified     %s\n", r.Verification.Detail)
	} else {
		fmt.Fprintf(b, "NOT VERIFIED %s\n", r.Verification.Detail)
	}
	for _, c := range r.Commands {
		fmt.Fprintf(b, "\n%s:\n  %s\n", c.What, strings.ReplaceAll(c.Line, "\n", "\n  "))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *Report) printHeads(b *strings.Builder) {
	t := table{align: "llrrrrrrr"}
	t.row("", "", "frames", "", "energy RMSE, meV/atom", "", "force RMSE, meV/Å", "", "")
	t.row("head", "members", "train", "held back", "local-only", "federation", "local-only", "federation", "labels")
	for _, h := range r.Heads {
		members := strings.Join(h.Members, ", ")
		if !h.Shared {
			members += " (head stays there)"
		}
		t.row(h.Name+" "+h.Key, members, fmt.Sprint(h.Trained), fmt.Sprint(h.Frames),
			number(h.Local.Energy), number(h.Federation.Energy), number(h.Local.Force), number(h.Federation.Force), number(h.Reference))
	}
	t.print(b)
	b.WriteString("Errors are those on the frames held back; \"labels\" is the root mean square of the force labels there. Local-only training\n" +
		"had the same number of local steps, the same initial weights and the same batches.\n")
}

func (r *Report) printMembers(b *strings.Builder) {
	t := table{align: "lrrrrrl"}
	t.row("", "force RMSE, meV/Å", "", "bytes", "", "")
	t.row("member", "local-only", "federation", "sent", "a round", "received", "")
	for _, m := range r.Members {
		t.row(m.Name, number(m.Local.Force), number(m.Federation.Force), bytes(m.Sent), bytes(m.PerRound), bytes(m.Received), m.Fate)
	}
	t.print(b)
}

func (r *Report) printSums(b *strings.Builder) {
	if len(r.Sums) == 0 {
		return
	}
	numbers, exact := 0, 0
	for _, s := range r.Sums {
		numbers += s.Numbers
		if s.Exact {
			exact++
		} else {
			fmt.Fprintf(b, "\nNOT EXACT: the sum over %s in round %d is not that of what %s put in\n", s.Group, s.Round, strings.Join(s.Members, ", "))
		}
	}
	fmt.Fprintf(b, "\n%d of %d secure sums (%d numbers) are bit for bit those of what the survivors put in\n", exact, len(r.Sums), numbers)
}

func (r *Report) printChecks(b *strings.Builder) {
	if len(r.Checks) == 0 {
		return
	}
	b.WriteString("\n")
	t := table{align: "lrrl"}
	for _, c := range r.Checks {
		word := "met"
		if !c.Met {
			word = "NOT MET"
		}
		t.row(c.Name, fmt.Sprintf("%.3f", c.Value), fmt.Sprintf("at most %g", c.Limit), word)
	}
	t.print(b)
}

// number writes three digits or what is before the point; nothing is a dash.
func number(v float64) string {
	switch {
	case v == 0:
		return "-"
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// bytes writes a size with a binary unit.
func bytes(n uint64) string {
	switch {
	case n == 0:
		return "-"
	case n < 1<<10:
		return fmt.Sprintf("%d B", n)
	case n < 1<<20:
		return fmt.Sprintf("%.0f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}
