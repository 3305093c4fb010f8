package main

import (
	"net/url"
	"strings"
	"time"

	"antin/internal/text"
	"antin/signer/tsa"
)

// stampClient asks the services of --tsa within the limits of --tsa-timeout, each
// [HOST=]SPAN: one for a single service, by the host of its address with the port where
// it has one, or for all others. It is nil without a service.
func stampClient(urls, limits []string, now func() time.Time) (*tsa.Client, error) {
	o := tsa.Options{URLs: urls, Now: now, Timeouts: map[string]time.Duration{}}
	for _, l := range limits {
		host, span, single := strings.Cut(l, "=")
		if !single {
			host, span = "", l
		}
		d, err := time.ParseDuration(span)
		if err != nil || d < time.Second || d > maxTSATimeout {
			return nil, text.Detailed(text.InvalidInput, err, "cli.bad_tsa_timeout", l, maxTSATimeout)
		}
		switch {
		case !single:
			o.Timeout = d
		case !asked(urls, host):
			return nil, text.Detailed(text.InvalidInput, nil, "tsa.timeout-of", host)
		default:
			o.Timeouts[host] = d
		}
	}
	if len(urls) == 0 {
		if len(limits) > 0 {
			return nil, text.Detailed(text.InvalidInput, nil, "cli.need_tsa", "--tsa-timeout")
		}
		return nil, nil
	}
	return tsa.New(o)
}

// asked reports whether one of urls is at host.
func asked(urls []string, host string) bool {
	for _, s := range urls {
		if u, err := url.Parse(s); err == nil && u.Host != "" && u.Host == host {
			return true
		}
	}
	return false
}
