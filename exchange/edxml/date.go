package edxml

import (
	"strings"
	"time"
)

const (
	dateLayout  = "2006/01/02"
	stampLayout = "2006/01/02 15:04:05"
)

// zone is the time of Vietnam, which has no summer time. Messages carry no zone.
func zone() *time.Location { return time.FixedZone("+07", 7*60*60) }

// Local returns t as messages and people in Vietnam show it, at +07:00. The zero
// time stays zero.
func Local(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.In(zone())
}

// layouts are the forms seen in messages; those without a zone are Vietnam's time.
var layouts = []string{
	stampLayout, dateLayout, "02/01/2006 15:04:05", "02/01/2006",
	time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02",
}

// ParseTime reads a date or a time in any of the forms seen in messages and
// returns it in UTC; a date is its midnight in Vietnam. ok is false when s is none.
func ParseTime(s string) (t time.Time, ok bool) {
	s = strings.TrimSpace(s)
	for _, l := range layouts {
		if t, err := time.ParseInLocation(l, s, zone()); err == nil && t.Year() > 0 {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

func formatDate(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return Local(t).Format(dateLayout)
}

func formatStamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return Local(t).Format(stampLayout)
}
