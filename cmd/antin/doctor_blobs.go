package main

import (
	"context"

	"antin/store"
)

// blobs proves that files can be kept where the configuration says; the data directory
// itself is looked at with the disk.
func (d *doctor) blobs(ctx context.Context) []finding {
	o, err := d.cfg.storeOptions(d.e)
	if err == nil && o.S3 == nil {
		return nil
	}
	if err == nil {
		err = store.CheckBlobs(ctx, o)
	}
	if err != nil {
		return []finding{bad(findingFail, "blobs", err, "doctor.blobs.bad")}
	}
	return []finding{good("blobs", "doctor.blobs")}
}
