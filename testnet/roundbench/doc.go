// Package roundbench measures what a round of secure aggregation costs, with all members in one process: no network, the real
// cryptography, the real sizes. Every member deals and masks; some drop out after dealing; the rest agree and open; the sum is
// taken chunk by chunk, as owners of chunks do, and compared with what was put in.
//
// Times of single steps are what one member spends on this machine with all its cores. The time of the whole round is that of
// all members' work one after the other.
package roundbench
