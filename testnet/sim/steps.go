package sim

import "slices"

// Types of envelopes, the only thing besides their signed header that is known here about what members say. A type that
// is missing is carried like any other.
const (
	stepJoin      = "join"
	stepRoster    = "roster"
	stepKeys      = "keys"
	stepShares    = "shares"
	stepConfirm   = "confirm"
	stepMasked    = "masked"
	stepChunk     = "chunk"
	stepSurvivors = "survivors"
	stepStateHead = "state-head"
	stepOpenHead  = "open-head"
	stepFinal     = "final"
	stepStatement = "statement"
	stepUnmask    = "unmask"
	stepPrepare   = "prepare"
	stepCommit    = "commit"
	stepNext      = "next"
	stepOffer     = "offer"
	stepNorms     = "norms"
	stepSync      = "sync"
)

// Steps of a round in the order in which an undisturbed one takes them.
var Steps = []string{stepJoin, stepRoster, stepKeys, stepShares, stepConfirm, stepMasked, stepChunk, stepSurvivors, stepStateHead, stepOpenHead,
	stepFinal, stepStatement, stepUnmask, stepPrepare, stepCommit}

// proposals are what the coordinator alone says.
var proposals = []string{stepRoster, stepSurvivors, stepFinal}

// byOne says whether a step is taken by one member and not by all.
func byOne(step string) bool { return slices.Contains(proposals, step) }

// repeated are types with many messages of one sender in one place, whose bodies differ.
var repeated = []string{stepSync}

// oncePerRound are types of which an honest member says one in a round, whatever the attempt: opened shares.
var oncePerRound = []string{stepOpenHead, stepUnmask}
