package main

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// The few kinds of number that monitoring reads, in the text format 0.0.4 of
// Prometheus.

// series are the values of one metric by their labels. It is safe for concurrent
// use. Labels take few values each; that is for whoever counts to see to.
type series struct {
	name, kind, help string
	labels           []string
	buckets          []float64 // upper bounds of a histogram; nil otherwise

	mu     sync.Mutex
	values map[string]*sample // by label values, joined
}

type sample struct {
	labels []string
	value  float64  // of a counter or gauge; the sum of a histogram
	counts []uint64 // of a histogram, by bucket, not cumulated; the last is +Inf
}

func counter(name, help string, labels ...string) *series {
	return &series{name: name, kind: "counter", help: help, labels: labels}
}

func gauge(name, help string, labels ...string) *series {
	return &series{name: name, kind: "gauge", help: help, labels: labels}
}

func histogram(name, help string, buckets []float64, labels ...string) *series {
	return &series{name: name, kind: "histogram", help: help, labels: labels, buckets: buckets}
}

// at returns the sample of label values; s.mu is held.
func (s *series) at(labels []string) *sample {
	key := strings.Join(labels, "\x00")
	v, ok := s.values[key]
	if !ok {
		if s.values == nil {
			s.values = map[string]*sample{}
		}
		v = &sample{labels: slices.Clone(labels), counts: make([]uint64, len(s.buckets)+1)}
		s.values[key] = v
	}
	return v
}

// add counts up by one.
func (s *series) add(labels ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at(labels).value++
}

// set gives a gauge its value.
func (s *series) set(v float64, labels ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at(labels).value = v
}

// observe puts v into a histogram.
func (s *series) observe(v float64, labels ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.at(labels)
	x.value += v
	i, _ := slices.BinarySearch(s.buckets, v)
	x.counts[i]++
}

// write appends the series as text.
func (s *series) write(b *bytes.Buffer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(b, "# HELP %s %s\n# TYPE %s %s\n", s.name, s.help, s.name, s.kind)
	for _, key := range slices.Sorted(maps.Keys(s.values)) {
		v := s.values[key]
		if s.buckets == nil {
			fmt.Fprintf(b, "%s%s %s\n", s.name, s.labelled(v.labels), number(v.value))
			continue
		}
		var n uint64
		for i, c := range v.counts {
			n += c
			bound := "+Inf"
			if i < len(s.buckets) {
				bound = number(s.buckets[i])
			}
			fmt.Fprintf(b, "%s_bucket%s %d\n", s.name, s.labelled(v.labels, "le", bound), n)
		}
		fmt.Fprintf(b, "%s_sum%s %s\n%s_count%s %d\n", s.name, s.labelled(v.labels), number(v.value), s.name, s.labelled(v.labels), n)
	}
}

// escaped is a label value as the format wants it.
var escaped = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func (s *series) labelled(values []string, more ...string) string {
	var parts []string
	for i, name := range s.labels {
		parts = append(parts, name+`="`+escaped.Replace(values[i])+`"`)
	}
	for i := 0; i+1 < len(more); i += 2 {
		parts = append(parts, more[i]+`="`+escaped.Replace(more[i+1])+`"`)
	}
	if parts == nil {
		return ""
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
