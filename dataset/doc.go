// Package dataset holds labelled atomic configurations (frames) and the conventions under which their labels were
// made. Frames are always in canonical units (Å, eV, eV/Å); a convention says how stored labels become canonical.
package dataset
