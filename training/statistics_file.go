package training

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
)

const (
	statisticsFormat = "fedlam-statistics"
	// statisticsVersion must change with every change of what Prepare computes, down to the last bit.
	statisticsVersion = 1
)

// statisticsFile is the file of PrepareCached.
type statisticsFile struct {
	Format  string `json:"format"`
	Version int    `json:"version"`
	Key     string `json:"key"` // of what the statistics depend on; hex
	statistics
	Sum string `json:"sha256"` // of the file with this value empty; hex
}

var (
	errOtherStatistics   = errors.New("they were made from other frames, another model, or by another version")
	errDamagedStatistics = errors.New("the file is damaged")
)

func (f statisticsFile) encode() ([]byte, error) {
	f.Sum = ""
	bare, err := json.MarshalIndent(f, "", " ")
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(bare)
	f.Sum = hex.EncodeToString(sum[:])
	text, err := json.MarshalIndent(f, "", " ")
	return append(text, '\n'), err
}

// writeStatistics replaces the file, completely or not at all.
func writeStatistics(path, key string, s *statistics) error {
	text, err := statisticsFile{Format: statisticsFormat, Version: statisticsVersion, Key: key, statistics: *s}.encode()
	if err != nil {
		return err
	}
	return writeFile(path, text)
}

// readStatistics returns what the file holds if it is whole and has that key.
func (t *Trainer) readStatistics(path, key string) (*statistics, error) {
	text, err := readSmall(path)
	if err != nil {
		return nil, err
	}
	var f statisticsFile
	if err := json.Unmarshal(text, &f); err != nil {
		return nil, fmt.Errorf("%w: %w", errDamagedStatistics, err)
	}
	if f.Format != statisticsFormat || f.Version != statisticsVersion {
		return nil, errOtherStatistics
	}
	if again, err := f.encode(); err != nil || !bytes.Equal(again, text) {
		return nil, errDamagedStatistics
	}
	if f.Key != key {
		return nil, errOtherStatistics
	}
	if !f.fit(t) {
		return nil, errDamagedStatistics
	}
	return &f.statistics, nil
}
