package api

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"antin/exchange"
	"antin/internal/text"
	"antin/signer/report"
	"antin/signer/validation"
)

const (
	// maxVerified bounds a file sent for verification, in bytes; it is held in memory
	// and kept nowhere, only the report on it is.
	maxVerified = 30 << 20
	// maxVerifying bounds the verifications that run at once, and so that memory.
	maxVerifying = 4
)

type verifyIn struct {
	Name string `query:"name" maxLength:"255"`
	DigestsIn
	Upload upload
}

// reportOut is a validation report, byte for byte as `antin verify --json` has it.
type reportOut struct {
	ContentType string `header:"Content-Type"`
	Location    string `header:"Location"`
	Disposition string `header:"Content-Disposition"`
	Body        []byte
}

func newReport(b []byte) *reportOut { return &reportOut{ContentType: jsonType, Body: b} }

func (s *Server) verificationRoutes(b *builder) {
	register(b, route{id: "verify", method: http.MethodPost, path: "/v1/verifications", tag: "verifications", scope: ScopeVerify,
		body: verifyRequestBody(), errors: []int{http.StatusNotFound, http.StatusServiceUnavailable}}, s.verify)
	register(b, route{id: "get-verification", method: http.MethodGet, path: "/v1/verifications/{id}", tag: "verifications", scope: ScopeVerify, roles: deskRoles}, s.getVerification)
	register(b, route{id: "verification-report", method: http.MethodGet, path: "/v1/verifications/{id}/report.json", tag: "verifications", scope: ScopeVerify,
		roles: deskRoles}, s.verificationReport)
	register(b, route{id: "verification-report-pdf", method: http.MethodGet, path: "/v1/verifications/{id}/report.pdf", tag: "verifications", scope: ScopeVerify,
		roles: deskRoles, returns: pdfType}, func(ctx context.Context, in *IDIn) (*reportOut, error) { return s.writtenReport(ctx, in, report.PDF) })
	register(b, route{id: "verification-report-xml", method: http.MethodGet, path: "/v1/verifications/{id}/report.xml", tag: "verifications", scope: ScopeVerify,
		roles: deskRoles, returns: report.XML.MediaType()}, func(ctx context.Context, in *IDIn) (*reportOut, error) { return s.writtenReport(ctx, in, report.XML) })
}

// getVerification returns the report of an earlier verification, word for word.
func (s *Server) getVerification(ctx context.Context, in *IDIn) (*reportOut, error) {
	v, err := s.keptVerification(ctx, in)
	if err != nil {
		return nil, err
	}
	return newReport(v.Report), nil
}

func (s *Server) keptVerification(ctx context.Context, in *IDIn) (exchange.Verification, error) {
	id, err := parseID(in.ID, exchange.PrefixVerification)
	if err != nil {
		return exchange.Verification{}, err
	}
	return s.Verifications.Verification(ctx, actor(ctx), id)
}

// verificationReport is the same as a file to keep.
func (s *Server) verificationReport(ctx context.Context, in *IDIn) (*reportOut, error) {
	out, err := s.getVerification(ctx, in)
	if err != nil {
		return nil, err
	}
	out.Disposition = `attachment; filename="` + in.ID + `.json"`
	return out, nil
}

// writtenReport is the kept paper or the XML of ETSI, as it was written when the file
// was checked. One that was kept without them is written from what its JSON says:
// certificates and evidence are named there, not held.
func (s *Server) writtenReport(ctx context.Context, in *IDIn, f report.Format) (*reportOut, error) {
	kept, err := s.keptVerification(ctx, in)
	if err != nil {
		return nil, err
	}
	b, there, err := s.Verifications.Written(ctx, kept, f)
	if err != nil {
		return nil, err
	}
	if !there {
		var r validation.Report
		if err := json.Unmarshal(kept.Report, &r); err != nil {
			return nil, fmt.Errorf("reading the report kept: %w", err)
		}
		if b, err = report.Write(&r, f, report.Options{}); err != nil {
			return nil, err
		}
	}
	return &reportOut{ContentType: f.MediaType(), Disposition: `attachment; filename="` + in.ID + "." + string(f) + `"`, Body: b}, nil
}

// verify judges a file that comes with the request, or one uploaded before.
func (s *Server) verify(ctx context.Context, in *verifyIn) (*reportOut, error) {
	if err := checkName(in.Name); err != nil {
		return nil, err
	}
	select {
	case s.verifying <- struct{}{}:
		defer func() { <-s.verifying }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if in.Upload.is(jsonType) {
		return s.verifyUploaded(ctx, in)
	}
	return s.verifySent(ctx, in)
}

func (s *Server) verifyUploaded(ctx context.Context, in *verifyIn) (*reportOut, error) {
	raw, err := readAll(in.Upload.ctx, maxSmallJSON)
	if err == nil {
		raw, err = cleanJSON(in.Upload.contentType, raw)
	}
	if err != nil {
		return nil, err
	}
	named, err := namedFiles(raw)
	if err != nil {
		return nil, err
	}
	r, err := s.openNamed(ctx, named, memberFile)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	over := validation.CMSInput{Input: validation.Input{Reader: r, Size: r.Size(), Name: in.Name}}
	if _, ok := named[memberContent]; ok {
		content, err := s.openNamed(ctx, named, memberContent)
		if err != nil {
			return nil, err
		}
		defer func() { _ = content.Close() }()
		over.Content, over.ContentSize = content, content.Size()
	}
	return s.judge(ctx, over, named[memberFile], "/"+memberContent)
}

// The members of a body that names files uploaded before.
const (
	memberFile    = "sha256"
	memberContent = "content_sha256"
)

func (s *Server) openNamed(ctx context.Context, named map[string]exchange.Digest, member string) (exchange.BlobReader, error) {
	r, err := s.Files.Open(ctx, actor(ctx), named[member])
	if text.CodeOf(err) == text.NotFound {
		return nil, &refusal{err: err, fields: []fault{newFault("/"+member, faultValue)}}
	}
	return r, err
}

// namedFiles reads the members of a body that names uploaded files: the file, and the
// content that a signature file is over.
func namedFiles(raw []byte) (map[string]exchange.Digest, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return nil, invalid("", faultValue)
	}
	named := map[string]exchange.Digest{}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if name != memberFile && name != memberContent {
			return nil, invalid("/"+pointerEscape.Replace(name), faultUnknown)
		}
		var sum exchange.Digest
		if err := json.Unmarshal(members[name], &sum); err != nil {
			return nil, invalid("/"+name, faultValue)
		}
		if _, ok := exchange.ParseDigest(string(sum)); !ok {
			return nil, invalid("/"+name, faultValue)
		}
		named[name] = sum
	}
	if _, ok := named[memberFile]; !ok {
		return nil, invalid("/"+memberFile, faultRequired)
	}
	return named, nil
}

// judge validates a file and keeps the report. A content that it cannot be over came in
// member.
func (s *Server) judge(ctx context.Context, in validation.CMSInput, digest exchange.Digest, member string) (*reportOut, error) {
	if err := contentUnused(in, member); err != nil {
		return nil, err
	}
	judged, err := s.Validator.ValidateFile(ctx, in, s.Now())
	if err != nil {
		return nil, err
	}
	kept, err := s.Verifications.Keep(ctx, actor(ctx), judged, in.Name, digest)
	if err != nil {
		return nil, err
	}
	out := newReport(kept.Report)
	out.Location = s.Prefix + "/v1/verifications/" + string(kept.ID)
	return out, nil
}
