package main

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"antin/internal/text"
)

// loopbackAddr checks that addr is host:port with a host of this machine alone,
// and returns both parts. The host is an address or "localhost", never a name
// that someone else resolves.
func loopbackAddr(addr string) (host string, port int, err error) {
	host, p, err := net.SplitHostPort(addr)
	if err != nil {
		return "", 0, text.Detailed(text.InvalidInput, err, "cli.not_loopback", addr)
	}
	port, err = strconv.Atoi(p)
	if err != nil || port < 0 || port > 65534 { // the next port is needed too
		return "", 0, text.Detailed(text.InvalidInput, err, "cli.not_loopback", addr)
	}
	if host == "localhost" {
		return "127.0.0.1", port, nil
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return "", 0, text.Detailed(text.InvalidInput, nil, "cli.not_loopback", addr)
	}
	return host, port, nil
}

// guardHost lets through only requests that were meant for this address: a page
// of another site that points a name at 127.0.0.1 (DNS rebinding) has another
// Host, and a form or script of another site has another Origin.
func guardHost(addr string, next http.Handler) http.Handler {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		port = ""
	}
	own := []string{addr, net.JoinHostPort("localhost", port), net.JoinHostPort("127.0.0.1", port), net.JoinHostPort("::1", port)}
	crossOrigin := http.NewCrossOriginProtection()
	inner := crossOrigin.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !slices.Contains(own, r.Host) {
			http.Error(w, text.Get("cli.wrong_host").VI+"\n"+text.Get("cli.wrong_host").EN, http.StatusMisdirectedRequest)
			return
		}
		if origin := r.Header.Get("Origin"); origin != "" {
			u, err := url.Parse(origin)
			if err != nil || u.Scheme != "http" || !slices.Contains(own, u.Host) {
				http.Error(w, text.Get("cli.wrong_origin").VI+"\n"+text.Get("cli.wrong_origin").EN, http.StatusForbidden)
				return
			}
		}
		inner.ServeHTTP(w, r)
	})
}
