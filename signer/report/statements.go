package report

import (
	"strconv"
	"strings"

	"antin/internal/text"
	"antin/signer/ades"
	"antin/signer/validation"
)

// indicated is an indication with what it is due to.
func indicated(i ades.Indication, sub ades.SubIndication) string {
	if sub == "" {
		return string(i)
	}
	return string(i) + " / " + string(sub)
}

// statements is what the signer stated beside the signature, each with how it was judged.
func statements(a *validation.Attributes) string {
	var lines []string
	add := func(key text.Key, value string, judged validation.Statement) {
		if value == "" {
			return
		}
		line := word("report.statement."+key) + " " + value
		if judged != validation.StatementAbsent {
			line += " (" + word("report.judged."+text.Key(judged)) + ")"
		}
		lines = append(lines, strings.TrimSpace(line))
	}
	add("commitment", strings.Join(a.Commitments, ", "), "")
	add("role", strings.Join(a.Roles, ", "), validation.StatementNotChecked)
	add("policy", strings.TrimSpace(a.Policy.OID+" "+a.Policy.URI), a.Policy.Status)
	for _, t := range a.ContentTimestamps {
		add("content", moment(t.Time)+", "+t.TSA+", "+indicated(t.Indication, t.SubIndication), "")
	}
	for _, c := range a.CounterSignatures {
		add("counter", unknownless(c.Signer), c.Status)
	}
	for _, t := range a.ArchiveTimestamps {
		add("archive", strings.TrimSpace(t.Version+" "+moment(t.Time)+" "+t.TSA), t.Status)
	}
	if a.AttributeCertificates > 0 {
		add("attribute", strconv.Itoa(a.AttributeCertificates), validation.StatementNotChecked)
	}
	return strings.Join(lines, "; ")
}

// unknownless says that a name is not known where there is none.
func unknownless(name string) string {
	if name == "" {
		return word("verify.unknown")
	}
	return name
}
