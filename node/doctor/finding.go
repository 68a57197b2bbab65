package doctor

import (
	"time"

	"github.com/fedlam/fedlam/node/p2p"
)

// A State says how serious a finding is.
type State string

// States, from good to bad. Skipped is neither: something could not be found out.
const (
	OK      State = "ok"
	Skipped State = "skipped"
	Warning State = "warning"
	Failed  State = "failed"
)

// Names of the checks, in the order in which they are made.
const (
	IdentityCheck     = "identity"
	DiskCheck         = "disk"
	PortsCheck        = "ports"
	ClockCheck        = "clock"
	TranslationCheck  = "nat"
	ReachabilityCheck = "reachability"
	AgreementCheck    = "agreement"
)

// A Finding is one thing that a check found out.
type Finding struct {
	Check  string
	Member string // name of the member it concerns; empty for the node alone
	State  State
	Text   string // what was found
	Next   string // what to do; empty when there is nothing to do
	Paths  []Path // the attempts to connect that it rests on, if any
}

// A Path is one attempt to connect.
type Path struct {
	From, To  string // names of members
	Address   string // multiaddress, as the list of members has it
	Transport string // "quic", "tcp" or "other"
	Outcome   p2p.Outcome
	Took      time.Duration
}

// An Event is the begin of a check or one of its findings.
type Event struct {
	Begins  string
	Finding *Finding // nil for a begin
}
