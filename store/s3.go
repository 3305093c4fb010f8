package store

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"antin/exchange"
	"antin/internal/text"
)

// S3Options say where a bucket is and how it is reached.
type S3Options struct {
	// Endpoint is the service's address, https://HOST[:PORT], without a path. http is
	// for a service on the same machine or a closed network: documents cross it in clear.
	Endpoint string
	Bucket   string
	// Prefix stands before every key, so that installations may share a bucket; it may
	// be empty.
	Prefix string
	// Region is what requests are signed for; empty means us-east-1, which services that
	// have no regions take.
	Region    string
	AccessKey string
	SecretKey string
	// CA, where set, is trusted in place of the system's anchors.
	CA *x509.CertPool
	// Transport, where set, carries the requests in place of a client of our own.
	Transport http.RoundTripper
}

const (
	// s3Tries bounds how often one request is sent while the service is busy or does not
	// answer; together some seconds, since somebody waits.
	s3Tries = 4
	// s3Part is the size of a part of a great blob: the memory of the service, never ours,
	// since parts are read from a file. 10,000 of them are more than any message.
	s3Part = 16 << 20
	// s3Whole bounds a request that carries little; s3Rate is the slowest at which
	// great ones may go.
	s3Whole = 30 * time.Second
	s3Rate  = 256 << 10
	// s3Dial bounds reaching the service, s3Answer its silence.
	s3Dial   = 5 * time.Second
	s3Answer = 20 * time.Second
	// s3Conns is how many connections wait for the next request.
	s3Conns = 32
)

// bucket is the depot of objects, named by their digest. What is in it is noted in the
// table blob_object once it is durable: a transaction asks the table, never the network.
type bucket struct {
	db   *DB
	o    S3Options
	core *minio.Core
}

// openBucket prepares a client and makes sure that the bucket is there.
func openBucket(ctx context.Context, db *DB) (*bucket, error) {
	o := *db.opts.S3
	u, err := url.Parse(o.Endpoint)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return nil, text.Detailed(text.ConfigInvalid, err, "exchange.field", "blobs.s3.endpoint")
	}
	transport := o.Transport
	if transport == nil {
		transport = s3Transport(o.CA)
	}
	core, err := minio.NewCore(u.Host, &minio.Options{
		Creds: credentials.NewStaticV4(o.AccessKey, o.SecretKey, ""), Secure: u.Scheme == "https", Transport: transport,
		Region: cmp.Or(o.Region, "us-east-1"), BucketLookup: minio.BucketLookupPath, MaxRetries: s3Tries,
	})
	if err != nil {
		return nil, text.Detailed(text.ConfigInvalid, err, "exchange.field", "blobs.s3")
	}
	x := &bucket{db: db, o: o, core: core}
	ask, cancel := context.WithTimeout(ctx, s3Whole)
	defer cancel()
	ok, err := core.BucketExists(ask, o.Bucket)
	if err != nil {
		return nil, s3Error(fmt.Errorf("looking for bucket %s: %w", o.Bucket, err))
	}
	if !ok {
		return nil, text.Detailed(text.ConfigInvalid, fmt.Errorf("no bucket %s", o.Bucket), "exchange.field", "blobs.s3.bucket")
	}
	return x, nil
}

// s3Transport goes to the service alone: no proxy of the environment. The client
// follows no redirect.
func s3Transport(ca *x509.CertPool) *http.Transport {
	return &http.Transport{
		DialContext:         (&net.Dialer{Timeout: s3Dial}).DialContext,
		TLSHandshakeTimeout: s3Dial, ResponseHeaderTimeout: s3Answer, IdleConnTimeout: time.Minute,
		MaxIdleConnsPerHost: s3Conns, DisableCompression: true,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: ca},
	}
}

// key is the name of an object.
func (x *bucket) key(d exchange.Digest) string {
	return path.Join(x.o.Prefix, string(d[:2]), string(d))
}

// put takes the bytes into a file beside, since an object's name is its digest, then
// sends them. When it returns the service has acknowledged them. An answer that was
// lost changes nothing: the same bytes under the same name are there already.
func (x *bucket) put(ctx context.Context, r io.Reader, want *exchange.Blob) (_ exchange.Blob, err error) {
	f, err := os.CreateTemp(filepath.Join(x.db.blobDir, tempDir), "put-*")
	if err != nil {
		return exchange.Blob{}, diskError(fmt.Errorf("storing blob: %w", err))
	}
	defer func() {
		_ = f.Close()
		_ = os.Remove(f.Name())
	}()
	blob, cut, err := x.db.vault.hashed(ctx, f, r)
	if cut != nil {
		return exchange.Blob{}, cut
	}
	if err == nil {
		err = asWanted(blob, want)
	}
	o := object{blob.Digest, blob}
	if err == nil && x.db.vault != nil {
		o.body, err = storedBody(ctx, f, blob.Size)
	}
	if err != nil {
		return exchange.Blob{}, diskError(fmt.Errorf("storing blob: %w", err))
	}
	there, err := x.send(ctx, f, o, false)
	if err == nil {
		err = x.note(ctx, blob)
	}
	if err == nil && there {
		err = x.again(ctx, f, o)
	}
	if err != nil {
		return exchange.Blob{}, s3Error(fmt.Errorf("storing blob: %w", err))
	}
	return blob, nil
}

// object is what is sent: its name, and the digest and size of the bytes as they are
// kept, which are others than the blob's where it is encrypted.
type object struct {
	name exchange.Digest
	body exchange.Blob
}

// note remembers that the bytes of b are there, and makes them young for the sweeper.
func (x *bucket) note(ctx context.Context, b exchange.Blob) error {
	return x.db.update(ctx, func(t *tx) error {
		_, err := t.ExecContext(ctx, `INSERT INTO blob_object (digest, size, stored_at) VALUES ($1, $2, $3)
			ON CONFLICT (digest) DO UPDATE SET size = excluded.size, stored_at = excluded.stored_at`, b.Digest, b.Size, micros(x.db.opts.Now()))
		return err
	})
}

// again looks once more for bytes that were there before: the sweeper may have taken
// them until they were noted anew. Nobody takes them from then on. An object of another
// length is damaged and is written over.
func (x *bucket) again(ctx context.Context, f io.ReaderAt, b object) error {
	ask, cancel := context.WithTimeout(ctx, s3Whole)
	defer cancel()
	info, err := x.core.StatObject(ask, x.o.Bucket, x.key(b.name), minio.StatObjectOptions{})
	if err == nil && info.Size == b.body.Size {
		return nil
	}
	if err != nil && !s3Absent(err) {
		return err
	}
	_, err = x.send(ctx, f, b, true)
	return err
}

// send sends the bytes of b; there is true when they were there already. over replaces
// what may stand under the name.
func (x *bucket) send(ctx context.Context, f io.ReaderAt, b object, over bool) (there bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, s3Whole+time.Duration(b.body.Size/s3Rate)*time.Second)
	defer cancel()
	opts := minio.PutObjectOptions{ContentType: "application/octet-stream"}
	if !over {
		opts.SetMatchETagExcept("*") // If-None-Match
	}
	if b.body.Size > s3Part {
		err = x.sendParts(ctx, f, b, opts)
	} else {
		sum, herr := hex.DecodeString(string(b.body.Digest))
		if herr != nil {
			return false, herr
		}
		// The service refuses bytes that are not those: the digest is signed as that of
		// the body, and stored as the object's checksum.
		opts.UserMetadata = map[string]string{"x-amz-checksum-sha256": base64.StdEncoding.EncodeToString(sum)}
		_, err = x.core.PutObject(ctx, x.o.Bucket, x.key(b.name), io.NewSectionReader(f, 0, b.body.Size), b.body.Size, "", string(b.body.Digest), opts)
	}
	switch {
	case s3Code(err) == http.StatusPreconditionFailed:
		return true, nil
	case err != nil && s3Code(err) == 0 && !over && x.stands(ctx, b):
		return true, nil // a service that has them may hang up before all of the body came
	}
	return false, err
}

// stands reports whether the bytes of b are there, for all that can be learnt.
func (x *bucket) stands(ctx context.Context, b object) bool {
	ask, cancel := context.WithTimeout(ctx, s3Whole)
	defer cancel()
	info, err := x.core.StatObject(ask, x.o.Bucket, x.key(b.name), minio.StatObjectOptions{})
	return err == nil && info.Size == b.body.Size
}

// sendParts sends a great blob in parts, each under its own checksum.
func (x *bucket) sendParts(ctx context.Context, f io.ReaderAt, b object, opts minio.PutObjectOptions) (err error) {
	key := x.key(b.name)
	upload, err := x.core.NewMultipartUpload(ctx, x.o.Bucket, key, minio.PutObjectOptions{ContentType: opts.ContentType})
	if err != nil {
		return err
	}
	defer func() {
		if err != nil { // what is left behind costs money and is no object
			end, cancel := context.WithTimeout(context.WithoutCancel(ctx), s3Whole)
			defer cancel()
			_ = x.core.AbortMultipartUpload(end, x.o.Bucket, key, upload)
		}
	}()
	var parts []minio.CompletePart
	for at := int64(0); at < b.body.Size; at += s3Part {
		size := min(s3Part, b.body.Size-at)
		part, cut, err := hashed(ctx, io.Discard, io.NewSectionReader(f, at, size))
		if err = errors.Join(cut, err); err != nil {
			return err
		}
		sent, err := x.core.PutObjectPart(ctx, x.o.Bucket, key, upload, len(parts)+1, io.NewSectionReader(f, at, size), size,
			minio.PutObjectPartOptions{Sha256Hex: string(part.Digest)})
		if err != nil {
			return err
		}
		parts = append(parts, minio.CompletePart{PartNumber: sent.PartNumber, ETag: sent.ETag})
	}
	_, err = x.core.CompleteMultipartUpload(ctx, x.o.Bucket, key, upload, parts, opts)
	return err
}

// s3Code is the HTTP status that an error of the service came with, 0 for none.
func s3Code(err error) int {
	var answer minio.ErrorResponse
	if errors.As(err, &answer) {
		return answer.StatusCode
	}
	return 0
}

func s3Absent(err error) bool { return s3Code(err) == http.StatusNotFound }

// s3Error gives what the service did not do a code: the bytes are as they were, and
// the same may be asked again.
func s3Error(err error) error {
	var coded *text.Error
	if err == nil || errors.As(err, &coded) || errors.Is(err, context.Canceled) {
		return err
	}
	return text.Errorf(text.BlobsUnavailable, err)
}
