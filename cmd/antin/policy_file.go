package main

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"reflect"
	"strings"
	"time"

	"antin/internal/text"
	"antin/signer/validation"
)

// maxPolicyFile bounds a policy file: the longest sensible one is a page.
const maxPolicyFile = 64 << 10

// untilNextUpdate lets a CRL serve as long as it says itself.
const untilNextUpdate = "next-update"

// policyFile is a validation policy as its author writes it: a base of ours, and
// what differs. Every key but name and version may be left out.
type policyFile struct {
	Name       string        `yaml:"name"`
	Version    string        `yaml:"version"`
	Base       string        `yaml:"base"`
	OCSPMaxAge time.Duration `yaml:"ocsp_max_age"`
	CRLMaxAge  string        `yaml:"crl_max_age"` // a duration, or next-update

	EarlierRevocationData string `yaml:"revocation_before_signing" enum:"fail,inconclusive,note,silent"`
	UncoveredChange       string `yaml:"changed_uncovered" enum:"fail,inconclusive,note,silent"`
	BelowBaseline         string `yaml:"below_baseline" enum:"fail,inconclusive,note,silent"`
	MissingTimestamp      string `yaml:"no_timestamp" enum:"fail,inconclusive,note,silent"`
	RequireLongTerm       string `yaml:"not_long_term" enum:"fail,inconclusive,note,silent"`
	AgingAlgorithm        string `yaml:"algorithm_aging" enum:"fail,inconclusive,note,silent"`
	RequireCARevocation   bool   `yaml:"require_ca_revocation"`

	ExpiredRevocationIssuer  string `yaml:"revocation_issuer_expired" enum:"fail,inconclusive,note,silent"`
	UncheckedSignaturePolicy string `yaml:"signature_policy_unchecked" enum:"fail,inconclusive,note,silent"`
	OldPractice              string `yaml:"old_practice" enum:"fail,inconclusive,note,silent"`

	SignaturePolicies []signaturePolicyFile `yaml:"signature_policies"`

	Domains    domainsFile     `yaml:"domains"`
	Seals      []string        `yaml:"seals"` // SHA-256 of certificates, hexadecimal
	Algorithms []algorithmFile `yaml:"algorithms"`
}

// signaturePolicyFile is a signature policy's document that is known: signatures
// that name it are compared with one of its digests.
type signaturePolicyFile struct {
	OID     string   `yaml:"oid"`
	Digests []string `yaml:"digests"` // hexadecimal, one for each algorithm in use
}

// loadPolicy returns the policy called name, or the one written in the file name. A
// name of ours wins over a file of the same name.
func loadPolicy(name string) (validation.Policy, error) {
	p, err := validation.PolicyByName(name)
	if err == nil {
		return p, nil
	}
	st, statErr := os.Stat(name)
	switch {
	case errors.Is(statErr, fs.ErrNotExist):
		return p, text.Detailed(text.InvalidInput, err, "cli.bad_policy", name)
	case statErr != nil:
		return p, text.Detailed(text.FileUnreadable, statErr, "cli.path", name)
	case st.Size() > maxPolicyFile:
		return p, text.Detailed(text.TooLarge, nil, "cli.path", name)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return p, text.Detailed(text.FileUnreadable, err, "cli.path", name)
	}
	return readPolicy(name, data)
}

func readPolicy(file string, data []byte) (validation.Policy, error) {
	var in policyFile
	given := map[string]int{}
	if err := strictYAML(file, data, &in, func(path string, line int, _ reflect.Value, _ string) { given[path] = line }); err != nil {
		return validation.Policy{}, err
	}
	p, err := validation.PolicyByName(cmp.Or(in.Base, validation.DefaultPolicy))
	if err != nil {
		return p, text.Detailed(text.ConfigInvalid, err, "policy.base", file, given["base"], in.Base)
	}
	p.Name, p.Version = strings.TrimSpace(in.Name), strings.TrimSpace(in.Version)
	if p.Name == "" || p.Version == "" {
		return p, text.Detailed(text.ConfigInvalid, nil, "policy.unnamed", file)
	}
	if _, err := validation.PolicyByName(p.Name); err == nil {
		return p, text.Detailed(text.ConfigInvalid, nil, "policy.name_taken", file, given["name"], p.Name)
	}
	if given["ocsp_max_age"] > 0 {
		p.OCSPMaxAge = in.OCSPMaxAge
	}
	if given["crl_max_age"] > 0 {
		if p.CRLMaxAge, err = crlAge(in.CRLMaxAge); err != nil {
			return p, text.Detailed(text.ConfigInvalid, err, "policy.crl", file, given["crl_max_age"])
		}
	}
	for key, rule := range map[string]struct {
		word string
		into *validation.Rule
	}{
		"revocation_before_signing": {in.EarlierRevocationData, &p.EarlierRevocationData}, "changed_uncovered": {in.UncoveredChange, &p.UncoveredChange},
		"below_baseline": {in.BelowBaseline, &p.BelowBaseline}, "no_timestamp": {in.MissingTimestamp, &p.MissingTimestamp},
		"not_long_term": {in.RequireLongTerm, &p.RequireLongTerm}, "algorithm_aging": {in.AgingAlgorithm, &p.AgingAlgorithm},
		"revocation_issuer_expired":  {in.ExpiredRevocationIssuer, &p.ExpiredRevocationIssuer},
		"signature_policy_unchecked": {in.UncheckedSignaturePolicy, &p.UncheckedSignaturePolicy},
		"old_practice":               {in.OldPractice, &p.OldPractice},
	} {
		if given[key] > 0 {
			*rule.into = ruleOf(rule.word)
		}
	}
	if given["require_ca_revocation"] > 0 {
		p.RequireCARevocation = in.RequireCARevocation
	}
	if len(in.SignaturePolicies) > 0 {
		p.SignaturePolicies = map[string]validation.KnownSignaturePolicy{}
		for _, known := range in.SignaturePolicies {
			p.SignaturePolicies[known.OID] = validation.KnownSignaturePolicy{Digests: known.Digests}
		}
	}
	if err := readDomains(&p, file, in, given); err != nil {
		return p, err
	}
	return p, readAlgorithms(&p, file, in.Algorithms)
}

func crlAge(s string) (time.Duration, error) {
	if s == untilNextUpdate {
		return -1, nil
	}
	d, err := time.ParseDuration(s)
	if err == nil && d < 0 {
		err = errors.New("negative")
	}
	return d, err
}

// ruleOf is the rule that a file's word stands for.
func ruleOf(word string) validation.Rule {
	if word == "fail" {
		return validation.RuleFail
	}
	return validation.Rule(word)
}
