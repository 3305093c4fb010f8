package exchange

import (
	"strings"

	"antin/internal/text"
)

// Role is what a person may do in an agency.
type Role string

// The roles.
const (
	RoleClerk    Role = "van_thu"  // numbers, seals, sends, accepts, refuses
	RoleLeader   Role = "lanh_dao" // signs
	RoleOfficer  Role = "mot_cua"  // prepares dossier results and hands them over
	RoleOperator Role = "it"       // looks after the gateway; performs no legal act
	RoleSystem   Role = "system"   // the gateway itself: only what the law lets software do
	// RoleIntegrator is the agency's own document system, by its key. Its acts name
	// the person it says acted; it signs and seals nothing.
	RoleIntegrator Role = "he_thong"
)

// Actor is who performs an act: a person acting in one role for one agency, or
// the gateway itself. Every legal act takes one and leaves it in the evidence.
type Actor struct {
	ID     string     `json:"id"`
	Name   string     `json:"name"`
	Role   Role       `json:"role"`
	Agency AgencyCode `json:"agency"`
}

// System is the gateway acting for agency on its own.
func System(agency AgencyCode) Actor {
	return Actor{ID: "system", Name: "Antin", Role: RoleSystem, Agency: agency}
}

// may returns nil when a acts in one of roles for an agency, else not-allowed.
func (a Actor) may(roles ...Role) error {
	if a.Agency == "" || a.ID == "" {
		return text.Errorf(text.NotAllowed, nil)
	}
	for _, r := range roles {
		if a.Role == r {
			if r == RoleIntegrator && strings.TrimSpace(a.Name) == "" {
				return fieldError("acting_person")
			}
			return nil
		}
	}
	return text.Detailed(text.NotAllowed, nil, "exchange.role", string(a.Role))
}
