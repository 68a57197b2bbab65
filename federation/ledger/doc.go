// Package ledger holds the public documents of a federation: who takes part and by which rules, what came out of every
// round, and who vouches for it. It is all that a stranger needs to check weights, offline, from one CID that it trusts.
//
//	genesis      the federation's name is its CID: members, heads, rules, CIDs of model configuration and first weights
//	epoch        a list of members and rules in force; epoch 0 follows from the genesis, a round ends an epoch and names the next
//	round        one record per round, chained by CID: weights in, who was in each sum, hashes of everything, weights out
//	certificate  signatures of more than two thirds of the members over the CID of a record
//
// Documents are DAG-CBOR with one encoding each: what decodes encodes to the same bytes again, anything else is refused
// with ErrMalformed. CIDs are CIDv1 with sha2-256. Files (weights, configuration, conventions, the outer optimizer's
// state) are named by their UnixFS root, the one that any IPFS node computes for raw leaves of 256 KiB; see UnixFSRoot.
//
// A Chain takes certified rounds one after another and refuses what does not continue it. VerifyDir applies it to a
// directory with everything in it:
//
//	report, err := ledger.VerifyDir("weights", genesisCID)
//	if err != nil { ... } // *Broken names the file that does not hold
//	fmt.Println("round", report.Round, "signed by", report.Signed)
//
// What an epoch may change in one step is in CheckNext. The keys of an early epoch, once their owners are careless with them, could
// sign another history from there on: who trusts the CID of a later epoch instead, see VerifyDirFromEpoch, is safe from that.
//
// # What is signed
//
// Ed25519, always over bytes that begin with their purpose:
//
//	"fedlam/v1/certificate" 0 phase 0 record CID                       by Sign, collected in a Certificate
//	SHA-256("fedlam/v1/<type>" 0 round attempt session from seq body)  by SignEnvelope, see Envelope.Digest
//
// An Envelope is how members say anything to each other. A member says one thing per place (session, type, sequence
// number); two different ones are an Equivocation, which proves the deviation to anybody.
//
// # What it does not do
//
// It keeps no history, fetches nothing and trusts no clock. It does not say whether weights are good, only that a quorum of
// the members of this genesis agreed on them, and that nothing smaller than the rules allow was opened on the way. A quorum
// that lies together can certify anything.
package ledger
