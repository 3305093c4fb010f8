package validation

import "antin/certs"

// online reports whether s may ask the network: a source says by Offline that what
// is at hand must do.
func online(s certs.RevocationSource) bool {
	at, local := s.(interface{ Offline() bool })
	return s != nil && (!local || !at.Offline())
}
