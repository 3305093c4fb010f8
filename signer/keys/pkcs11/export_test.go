package pkcs11

// What the tests of values reach for.
var (
	Order    = order
	Finish   = finish
	ECDSADER = ecdsaDER
	Choose   = func(u URI, keys []KeyObject, onToken []CertObject) (KeyObject, int, error) {
		h, err := choose(u, keys, onToken, nil)
		return h.key, len(h.chain), err
	}
)

// ProbeAt is Probe of the program at a path.
var ProbeAt = probe
