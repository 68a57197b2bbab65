package secagg

// An Inspection says how the messages of a session fit together, for whoever looks at them afterwards. It names what Open can
// only refuse or pass over.
type Inspection struct {
	// Keys and Shares are the views that follow from the messages at hand: what members bind in Shares.View and Confirm.View.
	Keys, Shares [32]byte
	// OtherKeys are the members that dealt for other keys than those at hand, or not for every member, ascending.
	OtherKeys []int
	// OtherShares are the members that stated another view of the shares than the one at hand, ascending.
	OtherShares []int
	// Opened are the members of the agreed sum whose opened shares are, each, the one that was dealt to them; Wrong those that
	// opened others. Both are empty while no statement has a
	// quorum, or the messages at hand are not those that it binds.
	Opened, Wrong []int
}

// Inspect looks at the messages of a session without rebuilding any seed. Entries that Open ignores are ignored.
func Inspect(s Session, in Transcript) Inspection {
	keys, shares := map[int]Keys{}, map[int]Shares{}
	for i, k := range in.Keys {
		if s.belongs(k.Session, k.From, i) {
			keys[i] = k
		}
	}
	for i, v := range in.Shares {
		if s.belongs(v.Session, v.From, i) {
			shares[i] = v
		}
	}
	out := Inspection{Keys: viewOfKeys(&s, keys)}
	out.Shares = viewOfShares(&s, out.Keys, shares)
	for _, i := range sorted(shares) {
		if v := shares[i]; v.View != out.Keys || !v.wellFormed(sorted(keys)) {
			out.OtherKeys = append(out.OtherKeys, i)
		}
	}
	for _, i := range sorted(in.Statements) {
		if v := in.Statements[i]; s.belongs(v.Session, v.From, i) && v.View != out.Shares {
			out.OtherShares = append(out.OtherShares, i)
		}
	}
	if len(out.OtherKeys) == 0 { // every dealer dealt to everybody who has keys
		out.openings(&s, in, keys, shares)
	}
	return out
}

// openings compares opened shares with the leaves that their dealers published.
func (o *Inspection) openings(s *Session, in Transcript, keys map[int]Keys, shares map[int]Shares) {
	st, err := in.agreed(s)
	if err != nil || st.View != o.Shares { // the leaves at hand are not those that members saw: nothing follows
		return
	}
	for _, i := range sorted(in.Unmasks) {
		u := in.Unmasks[i]
		if _, dealtTo := keys[i]; !dealtTo || !s.belongs(u.Session, u.From, i) || !st.has(i) {
			continue
		}
		if u.holds(s.key(), &st, sorted(shares), shares) {
			o.Opened = append(o.Opened, i)
		} else {
			o.Wrong = append(o.Wrong, i)
		}
	}
}
