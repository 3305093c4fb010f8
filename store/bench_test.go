package store_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"antin/exchange"
	"antin/store"
	"antin/store/storetest"
)

// BenchmarkUpdate is what a transaction costs that adds a delivery and an event, by
// how many writers come at once.
func BenchmarkUpdate(b *testing.B) {
	for _, engine := range []string{"SQLite", "PostgreSQL"} {
		for _, writers := range []int{1, 16, 64} {
			b.Run(fmt.Sprintf("%s/%d", engine, writers), func(b *testing.B) {
				o := store.Options{Dir: b.TempDir()}
				if engine == "PostgreSQL" {
					o.Database = storetest.Postgres(b)
				}
				db, err := store.Open(b.Context(), o)
				if err != nil {
					b.Fatal(err)
				}
				defer func() { _ = db.Close() }()
				var n atomic.Int64
				b.SetParallelism(writers)
				b.ResetTimer()
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						at := time.Unix(n.Add(1), 0)
						d := exchange.Delivery{ID: exchange.NewID(exchange.PrefixDelivery, at), Agency: "A", To: "B", Kind: exchange.KindDocument, Subject: "vb_x",
							TransferID: exchange.NewTransferID(at), State: exchange.DeliveryReady, CreatedAt: at, Manifest: []byte("jws")}
						err := db.Update(b.Context(), func(tx exchange.Tx) error {
							if err := tx.CreateDelivery(b.Context(), d); err != nil {
								return err
							}
							_, err := tx.AppendEvent(b.Context(), exchange.Event{Agency: "A", At: at, Subject: d.ID, Kind: exchange.EventSent})
							return err
						})
						if err != nil {
							b.Error(err)
							return
						}
					}
				})
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tx/s")
			})
		}
	}
}
