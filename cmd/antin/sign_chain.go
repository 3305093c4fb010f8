package main

import "antin/certs"

// knownIssuers are the CA certificates at hand that may stand above a signer: those of
// --intermediates and those of the configuration's trust, its anchors included, since
// an anchor of ours is a link of somebody else's path. A configuration that was not
// asked for by name and cannot be read is done without.
func (f evidenceFlags) knownIssuers(e *env) (certs.Known, error) {
	known, err := loadKnown(f.Intermediates)
	if err != nil {
		return nil, err
	}
	configured, _, err := trustOf(e, nil)
	switch {
	case err != nil && e.config != "":
		return nil, err
	case err != nil:
		return known, nil
	}
	known = append(known, configured.known...)
	for _, a := range configured.anchors {
		known = append(known, a.Certificate)
	}
	return known, nil
}
