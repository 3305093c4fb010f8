package main

import (
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"

	"antin/certs"
	"antin/internal/text"
	"antin/signer/validation"
)

// domainsFile says under which domains of trust each kind of signer has to stand. A
// kind that is left out may stand under any anchor.
type domainsFile struct {
	Person    []string `yaml:"person"`
	Seal      []string `yaml:"seal"`
	TimeStamp []string `yaml:"time_stamp"`
}

// algorithmFile is one line of the dated table of algorithms that is another than in
// the table of TS 119 312.
type algorithmFile struct {
	Line      int    `yaml:"-"`
	Hash      string `yaml:"hash"`
	Algorithm string `yaml:"algorithm"`
	Bits      int    `yaml:"bits"`
	Until     string `yaml:"until"` // a date, or open
}

// openEnd says that an algorithm has no end.
const openEnd = "open"

// readDomains takes the domains and the seals of a policy file.
func readDomains(p *validation.Policy, file string, in policyFile, given map[string]int) error {
	for _, kind := range []struct {
		key     string
		who     validation.SignerKind
		domains []string
	}{
		{"domains.person", validation.SignerPerson, in.Domains.Person},
		{"domains.seal", validation.SignerSeal, in.Domains.Seal},
		{"domains.time_stamp", validation.SignerTimeStamp, in.Domains.TimeStamp},
	} {
		if given[kind.key] == 0 {
			continue
		}
		if p.Domains == nil {
			p.Domains = map[validation.SignerKind][]certs.Domain{}
		}
		list := []certs.Domain{}
		for _, name := range kind.domains {
			d := certs.Domain(name)
			if !slices.Contains([]certs.Domain{certs.DomainOfficial, certs.DomainPublic, certs.DomainOwn}, d) {
				return text.Detailed(text.ConfigInvalid, nil, "policy.domain", file, given[kind.key], kind.key, name)
			}
			list = append(list, d)
		}
		p.Domains[kind.who] = list
	}
	for _, s := range in.Seals {
		sum, err := hex.DecodeString(strings.ToLower(strings.NewReplacer(":", "", " ", "").Replace(s)))
		if err != nil || len(sum) != 32 {
			return text.Detailed(text.ConfigInvalid, err, "policy.seal", file, given["seals"], s)
		}
		if p.Seals == nil {
			p.Seals = map[[32]byte]bool{}
		}
		p.Seals[[32]byte(sum)] = true
	}
	return nil
}

// readAlgorithms takes the lines of a policy file into the table.
func readAlgorithms(p *validation.Policy, file string, lines []algorithmFile) error {
	if len(lines) == 0 {
		return nil
	}
	base := p.Algorithms
	if base.Name == "" {
		base = certs.TS119312()
	}
	var limits []certs.AlgorithmLimit
	for _, l := range lines {
		limit := certs.AlgorithmLimit{Hash: l.Hash, Algorithm: l.Algorithm, Bits: l.Bits}
		var err error
		if l.Until == "" {
			err = errors.New("no end is said")
		} else if l.Until != openEnd {
			limit.Until, err = time.ParseInLocation(time.DateOnly, l.Until, time.UTC)
		}
		if err == nil {
			_, err = base.With(p.Name, p.Version, limit)
		}
		if err != nil {
			return text.Detailed(text.ConfigInvalid, err, "policy.algorithm", file, l.Line)
		}
		limits = append(limits, limit)
	}
	table, err := base.With(p.Name, p.Version, limits...)
	p.Algorithms = table
	return err
}
