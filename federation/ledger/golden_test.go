package ledger

import "testing"

// TestGoldenCIDs pins the encodings: another CID means that old releases can no longer be verified.
func TestGoldenCIDs(t *testing.T) {
	g := testGenesis(4)
	c := NewChain(g)
	r := nextRecord(c)
	f := certify(r, 0, 1, 2)
	next := follow(g.Epoch())
	rotate(next, 1, 9)
	next.Local, next.Reason = []string{"pbe"}, "a lost key"
	watched := testGenesis(4)
	watched.Heads[0].Canary = FileCID([]byte("frames"))
	for _, tt := range []struct{ name, got, want string }{
		{"genesis", g.CID().String(), "bafyreiebpiludnqst5wbosldk6aklmf4qwxkt75nrv5pfxuvkkjo42vzgy"},
		{"genesis with a canary set", watched.CID().String(), "bafyreiem3z5cnkligem4tezkfht5h5hhepogvmkinkk46nxfwsxm4uvgoi"},
		{"epoch with a canary set", watched.Epoch().CID().String(), "bafyreicjtxpqp3r6ozwfuwxxz4nxl3kggciyysbkgibgpa4neef5cyfv5e"},
		{"epoch", g.Epoch().CID().String(), "bafyreihdlkpbatpfbkkp4otapx32l4mbfmrjqkiyvka6n5et2i66j7bv7i"},
		{"round", r.CID().String(), "bafyreic5be7aei3kjyhgsclt3kpzbqv26plxhgbizoqlixjxpeosvrve7y"},
		{"void round", c.NextVoid().CID().String(), "bafyreicgfaai6q2c5lteja7m6qmu4qbh6a7er7n5s4nim4uo2p3siagsla"},
		{"later epoch", next.CID().String(), "bafyreibplhno7tuwywapagy325zaxcbyotzphfl5x5662vzpxrqiauogai"},
		{"epoch round", c.NextEpoch(next.CID()).CID().String(), "bafyreih23voulntzakrzb5lxdswjzmad7e6pc6mrpjj3jimptlwt63x7bq"},
		{"certificate", CIDOf(f.Certificate).String(), "bafyreidcg5fd7w3od3lhdbm5ozwy3pyz6r45lro5tulndw6laib5tacrdm"},
	} {
		if tt.got != tt.want {
			t.Errorf("CID of %s = %s, want %s", tt.name, tt.got, tt.want)
		}
	}
}

// TestUnixFSRoot compares with the CIDs that boxo's importer gives, which are those of `ipfs add --cid-version=1 --raw-leaves`.
func TestUnixFSRoot(t *testing.T) {
	for _, tt := range []struct {
		name   string
		size   int
		want   string
		blocks int
	}{
		{"empty", 0, "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku", 1},
		{"one byte", 1, "bafkreidogqfzz75tpkmjzjke425xqcrmpcib2p5tg44hnbirumdbpl5adu", 1},
		{"one full leaf", LeafSize, "bafkreibdffnmnzlbq264m4kqmxcslchnncczdb567t7xahpgbhdyigvtr4", 1},
		{"one byte more", LeafSize + 1, "bafybeielov4zxeb3kwwrtgpluv2mh72hsf7vjypbok654v7i2ox5ylnlje", 3},
		{"three leaves", 600_000, "bafybeidtfx2drdcs3chkd22slopllb5xdcrzumm23v7mkkl7mkmcsmkhr4", 4},
		{"one full node", TreeWidth * LeafSize, "bafybeibhdmfsjcrpm35ps7u2gne73oftfex62xvtxg3ntryfmuu3fjhnpa", 175},
		{"two levels", TreeWidth*LeafSize + 1, "bafybeigyxjz3g6zjgfexlgl6wnuvknwi57az7lafdcrm5vn6hksyzackyi", 178},
		{"two levels, ragged", (TreeWidth+1)*LeafSize + 5, "bafybeibjzuycakaqx6nfwdbvy4q23aon7666mobksatgjzuiefnvshyubi", 179},
	} {
		t.Run(tt.name, func(t *testing.T) {
			data := make([]byte, tt.size)
			for i := range data {
				data[i] = byte(i*7 + i>>8)
			}
			got, blocks := UnixFSRoot(data)
			if got.String() != tt.want {
				t.Errorf("root = %s, want %s", got, tt.want)
			}
			if len(blocks) != tt.blocks || !blocks[len(blocks)-1].CID.Equals(got) {
				t.Errorf("%d blocks, last %s; want %d with the root last", len(blocks), blocks[len(blocks)-1].CID, tt.blocks)
			}
			if again := FileCID(data); !again.Equals(got) {
				t.Errorf("FileCID = %s, want %s", again, got)
			}
		})
	}
}
