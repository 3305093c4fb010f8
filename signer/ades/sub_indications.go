package ades

// SubIndications lists every sub-indication of EN 319 102-1, table 6, that is in use here.
func SubIndications() []SubIndication {
	return []SubIndication{
		FormatFailure, HashFailure, SigCryptoFailure, Revoked,
		Expired, NotYetValid, SigConstraintsFailure, ChainConstraintsFailure,
		CertificateChainGeneralFailure, CryptoConstraintsFailure, CryptoConstraintsFailureNoPOE, PolicyProcessingError,
		SignaturePolicyNotAvailable, TimestampOrderFailure, NoSigningCertificateFound, NoCertificateChainFound,
		NoCertificateChainFoundNoPOE, RevokedNoPOE, RevokedCANoPOE, OutOfBoundsNoPOE,
		OutOfBoundsNotRevoked, RevocationOutOfBoundsNoPOE, NoPOE, TryLater,
		SignedDataNotFound,
	}
}
