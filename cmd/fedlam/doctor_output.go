package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/fedlam/fedlam/node/doctor"
)

// software is what a node tells others about its program.
func software() string { return "fedlam " + programVersion() }

// printFindings prints a table: how serious, which check, what was found, and below it what to do.
func printFindings(w io.Writer, findings []doctor.Finding) error {
	count := map[doctor.State]int{}
	for _, f := range findings {
		count[f.State]++
		text := f.Text
		if f.Member != "" && !strings.Contains(text, f.Member) {
			text = f.Member + ": " + text
		}
		if _, err := fmt.Fprintf(w, "%-8s %-12s  %s\n", f.State, f.Check, text); err != nil {
			return err
		}
		if f.Next == "" {
			continue
		}
		if _, err := fmt.Fprintf(w, "%-8s %-12s  -> %s\n", "", "", f.Next); err != nil {
			return err
		}
	}
	var parts []string
	for _, s := range []doctor.State{doctor.Failed, doctor.Warning, doctor.Skipped, doctor.OK} {
		if count[s] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", count[s], s))
		}
	}
	_, err := fmt.Fprintln(w, strings.Join(parts, ", "))
	return err
}
