// Package report says what came of a federation of processes: as a Go value, as JSON, and as a table for people.
//
// The JSON layout has a version, Version. Within a version keys are only added. Errors are root mean squares over the
// validation frames: energies in meV/atom, force components in meV/Å. "local" is training alone with the same local steps,
// initial weights and order of batches; "federation" is the certified trunk with the head that the member has in the end.
//
//	{"fedlam_testnet": 1,
//	 "name": "water", "started": "2026-01-02T15:04:05Z", "wall_s": 80.1,
//	 "stages": [{"name": "local-only training", "wall_s": 31.0}, ...],
//	 "rounds": 8, "certified": 9, "void": 0, "local_steps": 25,
//	 "genesis": CID, "record": CID, "certificate": CID, "weights": CID,
//	 "verification": {"ok": true, "detail": TEXT},
//	 "heads": [{"key": "9df14f7c4322", "name": "SPC/Fw", "shared": true, "members": ["north", "south"],
//	   "training_frames": 128, "validation_frames": 32, "reference_force": 815.2,
//	   "local": {"energy": 4.1, "force": 210.0, "energies": 32, "forces": 2304},
//	   "federation": {...}}, ...],
//	 "members": [{"name": "north", "head": "9df14f7c4322", ... as of a head ..., "bytes_sent": 123456, "bytes_received": 123456,
//	   "bytes_sent_per_round": 15432, "fate": "killed in round 3 at mask"}, ...],
//	 "sums": [{"round": 3, "group": "trunk", "members": ["north", ...], "numbers": 18000, "exact": true}, ...],
//	 "checks": [{"name": TEXT, "value": 0.3, "limit": 0.5, "met": true}, ...],
//	 "commands": [{"what": "verify", "line": "fedlam verify ..."}, ...],
//	 "met": true}
//
// certified counts the setup round and void rounds too. A "shared" head is part of the certified weights; the others stay
// with their only owner. "sums" are there when the run recorded what every member put into the secure sums: exact means
// that the sum of those inputs is, number by number, the one in the certified record. "met" is the whole run in one word:
// the chain of certificates verified, every sum is exact, every check is met.
package report
