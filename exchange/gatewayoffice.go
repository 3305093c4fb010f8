package exchange

import "context"

// gatewayOffices are Offices that know a served agency without its people, which
// costs no look into the rows.
type gatewayOffices interface {
	Gateway(ctx context.Context, code AgencyCode) (Office, error)
}

// gatewayOffice returns a served agency for what its gateway does by itself: its key
// and its entry count, who may sign for it does not. Errors are those of Offices.
func gatewayOffice(ctx context.Context, o Offices, code AgencyCode) (Office, error) {
	if g, ok := o.(gatewayOffices); ok {
		return g.Gateway(ctx, code)
	}
	return o.Office(ctx, code)
}

// Gateway returns a served agency without its people.
func (o AccessOffices) Gateway(ctx context.Context, code AgencyCode) (Office, error) {
	return o.Base.Office(ctx, code)
}
