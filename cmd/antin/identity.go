package main

import (
	"context"
	"slices"
	"sync"
	"time"

	"antin/exchange"
	"antin/exchange/peer"
)

// ownIdentity is this gateway's transport key as its files hold it now, and the
// agency with it: manifests and receipts are signed, and peers are met, with the key
// that is in force. It implements exchange.Offices and is safe for concurrent use.
type ownIdentity struct {
	files  *liveFiles[peer.Identity]
	change func(peer.Identity) // hears of a new key; set before use, may be nil

	mu     sync.Mutex
	office exchange.Office
	inUse  [32]byte
}

// openIdentity reads the key and the certificate of cfg.
func openIdentity(cfg *Config, now func() time.Time, onError func(error)) (*ownIdentity, error) {
	files, err := openLive([]string{cfg.Peer.Certificate, cfg.Peer.Key}, func() (peer.Identity, error) { return loadIdentity(cfg) }, now, onError)
	if err != nil {
		return nil, err
	}
	return &ownIdentity{files: files, inUse: files.value.Fingerprint()}, nil
}

// current is the key in force. Keys that were in force before it stay listed in the
// agency's own entry: what they signed is still under way.
func (i *ownIdentity) current() peer.Identity {
	id := i.files.current()
	pin := id.Fingerprint()
	i.mu.Lock()
	fresh := pin != i.inUse
	if fresh {
		i.inUse = pin
		a := &i.office.Agency
		a.Keys = append([]exchange.GatewayKey{{Public: id.Key.Public()}}, a.Keys...)
		a.TLS = append([][32]byte{pin}, a.TLS...)
	}
	i.mu.Unlock()
	if fresh && i.change != nil {
		i.change(id)
	}
	return id
}

// own is the office with the key in force.
func (i *ownIdentity) own() exchange.Office {
	id := i.current()
	i.mu.Lock()
	defer i.mu.Unlock()
	o := i.office
	o.GatewayKey, o.GatewayCertificate = id.Key, id.Certificate
	o.Agency.Keys, o.Agency.TLS = slices.Clone(o.Agency.Keys), slices.Clone(o.Agency.TLS)
	return o
}

// Office implements exchange.Offices.
func (i *ownIdentity) Office(ctx context.Context, code exchange.AgencyCode) (exchange.Office, error) {
	return exchange.OfficeList{i.own()}.Office(ctx, code)
}

// Offices implements exchange.Offices.
func (i *ownIdentity) Offices(context.Context) ([]exchange.Office, error) {
	return []exchange.Office{i.own()}, nil
}
