// Package transcript keeps the signed messages of finished rounds in files, so that `fedlam replay` can verify a round again.
//
// A transcript is what members said to each other: masked inputs, sealed shares, opened shares, votes. None of it is secret to a
// member, and none of it opens more than the sum today; but whoever keeps it keeps what a break of the cryptography could open
// later. Nodes therefore keep none unless their owner says how many.
//
// # Files
//
// One file per round, <dir>/round-<number>.transcript, readable for its owner only. Integers are big-endian:
//
//	"fedlam-transcript"  17 bytes
//	version 1            1 byte
//	length of the genesis CID, CID   1 byte, bytes
//	round                8 bytes
//	number of envelopes  4 bytes
//	each envelope: length 4, bytes
//
// A file is written aside, synced and renamed, so one that has its name is whole. Reading believes nothing: every length is
// checked before memory is taken, and what the envelopes say is for package federation to check.
package transcript
