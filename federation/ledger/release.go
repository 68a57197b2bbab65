package ledger

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Files of a release directory.
const (
	GenesisFile    = "genesis.cbor"
	EpochFile      = "epoch.cbor"
	ConfigFile     = "config.json"
	WeightsFile    = "model.safetensors"
	ProvenanceFile = "provenance.json"
)

// RecordFile names the record of a round in a release directory.
func RecordFile(round uint64) string { return fmt.Sprintf("records/%06d.cbor", round) }

// CertificateFile names its certificate.
func CertificateFile(round uint64) string { return fmt.Sprintf("certificates/%06d.cbor", round) }

// NextEpochFile names the document of epoch k in a release directory; that of epoch 0 is EpochFile.
func NextEpochFile(k uint64) string { return fmt.Sprintf("epochs/%06d.cbor", k) }

// ConventionFile names the label convention of a head.
func ConventionFile(key string) string { return "heads/" + key + ".json" }

// CanaryFile names the canary set of a head in a founding folder. Releases do not hold it: weights are proven without.
func CanaryFile(key string) string { return "canaries/" + key + ".xyz" }

// A Release is everything that proves the weights of a round to a stranger.
type Release struct {
	Genesis     []byte
	Config      []byte            // config.json
	Weights     []byte            // model.safetensors of the newest round
	Conventions map[string][]byte // heads/<key>.json, of every head of the genesis
	Rounds      []Finished        // all of them, from round 0
}

// Files returns the content of the directory by name, those files included that follow from the others.
func (r *Release) Files() (map[string][]byte, error) {
	g, err := DecodeGenesis(r.Genesis)
	if err != nil {
		return nil, fmt.Errorf("make a release: %w", err)
	}
	files := map[string][]byte{GenesisFile: r.Genesis, EpochFile: g.Epoch().Encode(), ConfigFile: r.Config, WeightsFile: r.Weights}
	for key, text := range r.Conventions {
		files[ConventionFile(key)] = text
	}
	if len(r.Rounds) == 0 {
		return nil, errors.New("make a release: no round is certified yet")
	}
	epoch, last := g.Epoch(), len(r.Rounds)-1
	for i, f := range r.Rounds {
		files[RecordFile(uint64(i))], files[CertificateFile(uint64(i))] = f.Record, f.Certificate
		if len(f.Epoch) == 0 {
			continue
		}
		next, err := DecodeEpoch(f.Epoch)
		if err != nil {
			return nil, fmt.Errorf("make a release: %w", err)
		}
		files[NextEpochFile(next.K)] = f.Epoch
		if i < last { // the last round is of the epoch before even if it ends that
			epoch = next
		}
	}
	if files[ProvenanceFile], err = provenance(g, epoch, r.Rounds[last]); err != nil {
		return nil, fmt.Errorf("make a release: %w", err)
	}
	return files, nil
}

// Provenance is the file provenance.json: for people and other tools. It follows from the documents.
type Provenance struct {
	Version     int      `json:"fedlam_provenance"` // 1
	Federation  string   `json:"federation"`
	Genesis     string   `json:"genesis"`
	Epoch       string   `json:"epoch"`
	Round       uint64   `json:"round"`
	Record      string   `json:"record"`
	Certificate string   `json:"certificate"`
	Weights     string   `json:"weights"`
	Config      string   `json:"config"`
	Members     int      `json:"members"`
	Signed      []string `json:"signed"` // names of the members that signed
	Privacy     Privacy  `json:"privacy"`
}

// Privacy is what the federation promises its members.
type Privacy struct {
	Aggregation string `json:"aggregation"`
	MinCohort   int    `json:"min_cohort"`
	MinGroup    int    `json:"min_group"`
}

// aggregation says how sums are made, and over whom.
func aggregation(r *Rules) string {
	text := "secure sums: double masking, X-Wing and AES-256-CTR, threshold of two thirds"
	if r.Cohorts > 0 {
		text += fmt.Sprintf("; up to %d random cohorts summed apart, %s of their means", r.Cohorts, r.Robust)
	}
	return text
}

func provenance(g *Genesis, epoch *Epoch, last Finished) ([]byte, error) {
	record, err := DecodeRound(last.Record)
	if err != nil {
		return nil, err
	}
	cert, err := DecodeCertificate(last.Certificate)
	if err != nil {
		return nil, err
	}
	p := Provenance{Version: 1, Federation: g.Name, Genesis: epoch.Genesis.String(), Epoch: epoch.CID().String(), Round: record.R,
		Record: cert.Record.String(), Certificate: cert.CID().String(), Weights: record.WeightsOut.String(), Config: record.Config.String(),
		Members: len(epoch.Members), Signed: []string{},
		Privacy: Privacy{aggregation(&epoch.Rules), epoch.Rules.MinCohort, epoch.Rules.MinGroup}}
	for _, s := range cert.Signatures {
		if s.Member >= uint64(len(epoch.Members)) {
			return nil, fmt.Errorf("certificate with a signature of member %d of %d", s.Member, len(epoch.Members))
		}
		p.Signed = append(p.Signed, epoch.Members[s.Member].Name)
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err = e.Encode(p)
	return []byte(b.String()), err
}
