package validation

// Numbered and NumberedLoosely are the two ways of reading the numbers of an object.
var (
	Numbered        = numbered
	NumberedLoosely = numberedLoosely
)
