package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"antin/store"
)

// databasePools are the store's connections at the moment of a scrape. It implements
// prometheus.Collector.
type databasePools struct{ db *store.DB }

// The descriptions of what databasePools tells.
func poolOpen() *prometheus.Desc {
	return describe("antin_database_connections", "Open connections to the database.", "pool", "state")
}

func poolWait() *prometheus.Desc {
	return describe("antin_database_wait_seconds_total", "Time that work has waited for a connection to the database.", "pool")
}

// Describe implements prometheus.Collector.
func (databasePools) Describe(out chan<- *prometheus.Desc) {
	out <- poolOpen()
	out <- poolWait()
}

// Collect implements prometheus.Collector.
func (p databasePools) Collect(out chan<- prometheus.Metric) {
	for pool, s := range p.db.Pools() {
		for state, n := range map[string]int{"in_use": s.InUse, "idle": s.Idle} {
			out <- prometheus.MustNewConstMetric(poolOpen(), prometheus.GaugeValue, float64(n), pool, state)
		}
		out <- prometheus.MustNewConstMetric(poolWait(), prometheus.CounterValue, s.WaitDuration.Seconds(), pool)
	}
}
