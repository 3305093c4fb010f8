package validation

import (
	"crypto"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"antin/certs"
	"antin/signer/ades"
	"antin/signer/pades"
)

// noteOldPractice names what older national signing tools do otherwise than today's
// standards. None of it is a fault of the document: each note says what it means and
// what to do, so that a lawful old file is neither refused nor passed in silence.
// r is the path as far as one was found.
func (v *validation) noteOldPractice(s *subject, r pathResult) {
	rule := v.policy.OldPractice
	if s.sig.SubFilter == pades.SubFilterPKCS7 || s.sig.SubFilter == pades.SubFilterPKCS7SHA1 {
		s.obey(rule, ReasonOldSubFilter, s.sig.SubFilter)
	}
	if len(s.info.ESS()) == 0 {
		s.obey(rule, ReasonOldNoESS)
	}
	if s.info.Digest == crypto.SHA1 || s.sig.SubFilter == pades.SubFilterPKCS7SHA1 {
		s.obey(rule, ReasonOldSHA1)
	}
	if v.leafOnly(s, r) {
		s.obey(rule, ReasonOldLeafOnly)
	}
	if host := v.internalHost(s, r); host != "" {
		s.obey(rule, ReasonOldInternal, host)
	}
	v.noteClaim(s, rule)
}

// leafOnly reports a CMS that brings the signer's certificate alone, when the
// document as a whole lacks a CA certificate that the path needs.
func (v *validation) leafOnly(s *subject, r pathResult) bool {
	if len(s.data.Certificates) > 1 || s.cert.SelfIssued() {
		return false
	}
	if r.sub == ades.NoCertificateChainFound {
		for _, c := range v.pool {
			if c.Subject == s.cert.Issuer {
				return false
			}
		}
		return true
	}
	for i := 1; i < len(r.path)-1; i++ {
		held := false
		for _, c := range v.pool {
			held = held || c.Equal(r.path[i])
		}
		if !held {
			return true
		}
	}
	return false
}

// internalDomains end the names of hosts that only a closed network can resolve.
var internalDomains = []string{".ptc", ".local", ".lan", ".internal", ".intranet", ".corp", ".home.arpa"}

// internalHost is a host named in the certificates of the path that cannot be
// reached from the public network; "" when there is none, or what was needed is known.
// The sandbox's own addresses do not count.
func (v *validation) internalHost(s *subject, r pathResult) string {
	if s.cert.Sandbox || r.sub == "" {
		return ""
	}
	path := r.path
	if len(path) == 0 {
		path = certs.Path{s.cert}
	}
	for _, c := range path {
		for _, list := range [][]string{c.OCSPServers, c.CRLDistributionPoints, c.IssuingCertificateURL} {
			for _, address := range list {
				if host := hostOf(address); internal(host) {
					return host
				}
			}
		}
	}
	return ""
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
}

func internal(host string) bool {
	if host == "" {
		return false
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast()
	}
	if !strings.Contains(host, ".") {
		return true
	}
	for _, d := range internalDomains {
		if strings.HasSuffix(host, d) {
			return true
		}
	}
	return false
}

const (
	// claimTolerance is by how much a signer's clock may run ahead of the TSA's.
	claimTolerance = time.Minute
	// localOffset is the zone in which some signers write a time and call it UTC;
	// localTolerance is what their clocks and the wait for a time-stamp add.
	localOffset, localTolerance = 7 * time.Hour, time.Hour
)

// noteClaim compares the claimed time with what is proven. The claim moves nothing:
// a time of +7 hours marked UTC is named, any other time from after the proof too.
func (v *validation) noteClaim(s *subject, rule Rule) {
	claimed := s.out.ClaimedTime
	if claimed.IsZero() {
		return
	}
	latest := v.at
	if s.proven() {
		latest = s.best
	}
	ahead := claimed.Sub(latest)
	switch {
	case (ahead - localOffset).Abs() <= localTolerance:
		s.obey(rule, ReasonOldLocalTime, shown(claimed.Time), shown(claimed.Add(-localOffset)))
	case s.proven() && ahead > claimTolerance:
		s.obey(rule, ReasonLateClaim, shown(claimed.Time), shown(latest))
	}
}
