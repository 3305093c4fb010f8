package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"antin/certs/certstest"
	"antin/exchange"
	"antin/signer"
)

// story tells the main job between the demo's agencies: every act goes through
// the same methods that pages and API call.
type story struct {
	a, b *node
	now  func() time.Time
}

// Result has A compose, sign, number and seal a dossier result.
func (s *story) Result(ctx context.Context) (exchange.Result, error) {
	day := s.now().In(exchange.Vietnam)
	r, err := s.a.results.Create(ctx, s.a.officer, exchange.NewResult{
		Signatory: s.a.leader.ID,
		Form: exchange.ResultForm{
			Dossier:   fmt.Sprintf("%s-%s-%04d", s.a.office.Agency.Code, day.Format("060102"), day.Hour()*60+day.Minute()),
			Procedure: "2.000635", ProcedureName: "Cấp bản sao trích lục hộ tịch", Owner: "Lê Thị Hồng Nhung",
			Kind: exchange.DocumentKind{Code: 2, Name: "Quyết định"}, Notation: "QĐ-UBND",
			Subject: "Về việc cấp bản sao trích lục khai sinh",
			Body: "Căn cứ Luật Tổ chức chính quyền địa phương;\n" +
				"Căn cứ quy định của pháp luật về hộ tịch;\n" +
				"Xét hồ sơ của bà Lê Thị Hồng Nhung và đề nghị của công chức tư pháp - hộ tịch.\n" +
				"Điều 1. Cấp cho bà Lê Thị Hồng Nhung 02 (hai) bản sao trích lục khai sinh theo đề nghị tại hồ sơ.\n" +
				"Điều 2. Quyết định này có hiệu lực kể từ ngày ký. Lệ phí: 16.000 đồng.\n" +
				"Điều 3. Văn phòng Ủy ban nhân dân, công chức tư pháp - hộ tịch và bà Lê Thị Hồng Nhung chịu trách nhiệm thi hành Quyết định này.",
			Places: []string{"Như Điều 3", "Lưu: VT, HS"},
		},
	})
	if err != nil {
		return r, err
	}
	if r, err = s.a.results.Sign(ctx, s.a.leader, r.ID); err != nil {
		return r, err
	}
	return s.a.results.Seal(ctx, s.a.clerk, r.ID)
}

// Document has A prepare an outgoing document: the PDF at path, or one composed
// here when path is empty.
func (s *story) Document(ctx context.Context, path string) (exchange.Document, error) {
	if path == "" {
		req := s.letter()
		req.Addressees = []string{s.b.office.Agency.Name}
		req.Body = "Thực hiện chủ trương thay thế văn bản giấy bằng văn bản điện tử, Ủy ban nhân dân đề nghị quý cơ quan phối hợp một số nội dung sau:\n" +
			"1. Tiếp nhận văn bản điện tử có chữ ký số trên hệ thống; không yêu cầu gửi kèm bản giấy.\n" +
			"2. Kiểm tra chữ ký số của người có thẩm quyền và của cơ quan trước khi vào sổ văn bản đến.\n" +
			"3. Phản hồi trạng thái tiếp nhận ngay trong ngày. Kinh phí hỗ trợ triển khai: 3.000.000 đồng.\n" +
			"Rất mong nhận được sự phối hợp của quý cơ quan."
		return s.a.outbox.Create(ctx, s.a.clerk, req)
	}
	f, _, err := openInput(path)
	if err != nil {
		return exchange.Document{}, err
	}
	defer f.Close()
	return s.DocumentFrom(ctx, filepath.Base(path), f)
}

// DocumentFrom has A take in a PDF made elsewhere, to be signed and sealed.
func (s *story) DocumentFrom(ctx context.Context, name string, pdf io.Reader) (exchange.Document, error) {
	req := s.letter()
	req.PDF, req.FileName = pdf, name
	return s.a.outbox.Create(ctx, s.a.clerk, req)
}

// letter is what the demo's documents have in common.
func (s *story) letter() exchange.NewDocument {
	return exchange.NewDocument{
		Kind: exchange.DocumentKind{Code: 18, Name: "Công văn"}, Notation: "UBND-VP",
		Subject: "Về việc phối hợp triển khai gửi nhận văn bản điện tử", Signatory: s.a.leader.ID,
		Places: []string{"Như trên", "Lưu: VT"},
	}
}

// Sign has A's leader sign a document, then its văn thư number and seal it.
func (s *story) Sign(ctx context.Context, id exchange.ID) (exchange.Document, error) {
	if d, err := s.a.outbox.Sign(ctx, s.a.leader, id); err != nil {
		return d, err
	}
	return s.a.outbox.Seal(ctx, s.a.clerk, id)
}

// Send has A send a document to B.
func (s *story) Send(ctx context.Context, id exchange.ID) (exchange.Delivery, error) {
	ds, err := s.a.outbox.Send(ctx, s.a.clerk, exchange.SendRequest{Document: id, To: []exchange.AgencyCode{s.b.office.Agency.Code}})
	if err != nil {
		return exchange.Delivery{}, err
	}
	return ds[len(ds)-1], nil
}

// Tamper makes a copy of an issued document with one digit changed and has A
// send it, as someone inside A might.
func (s *story) Tamper(ctx context.Context, id exchange.ID) (exchange.Document, error) {
	d, r, err := s.a.outbox.Open(ctx, s.a.clerk, id, exchange.FileFinal)
	if err != nil {
		return exchange.Document{}, err
	}
	defer r.Close()
	data, err := io.ReadAll(io.NewSectionReader(r, 0, r.Size()))
	if err != nil {
		return exchange.Document{}, err
	}
	if !changeDigit(data) {
		return exchange.Document{}, errNoDigit
	}
	number := d.Issuance.Number
	number.Notation += "-SUA"
	return s.a.outbox.Create(ctx, s.a.clerk, exchange.NewDocument{
		Kind: d.Kind, Notation: number.Notation, Subject: d.Subject, PDF: bytes.NewReader(data), FileName: "vanban-sua.pdf",
		Final: &number, Confirmed: true,
	})
}

var errNoDigit = errors.New("the document holds no digit to change")

// changeDigit changes one digit of the number that văn thư filled in; of a PDF
// without such a field, a digit in its middle. It reports whether it found one.
func changeDigit(pdf []byte) bool {
	if i := bytes.Index(pdf, []byte("/V (")); i >= 0 {
		for j := i + 4; j < len(pdf) && pdf[j] != ')'; j++ {
			if flipDigit(pdf, j) {
				return true
			}
		}
	}
	for j := len(pdf) / 3; j < len(pdf); j++ {
		if flipDigit(pdf, j) {
			return true
		}
	}
	return false
}

func flipDigit(b []byte, i int) bool {
	if b[i] < '0' || b[i] > '9' {
		return false
	}
	b[i] = '0' + (b[i]-'0'+5)%10
	return true
}

// Revoked has someone whose certificate is revoked try to sign; the error is the
// signer's refusal.
func (s *story) Revoked(ctx context.Context, id exchange.ID) error {
	_, r, err := s.a.outbox.Open(ctx, s.a.clerk, id, exchange.FileFinal)
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = s.a.press.Signer.Sign(ctx, signer.Input{Reader: r, Size: r.Size(), Name: "vanban.pdf"}, io.Discard,
		signer.Request{Key: certstest.RoleRevoked})
	return err
}

// waitFor asks cond until it holds. The demo's agencies work by themselves; this
// only watches.
func waitFor(ctx context.Context, limit time.Duration, what string, cond func(context.Context) (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, err := cond(ctx)
		if ok {
			return nil
		}
		if err != nil && ctx.Err() == nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w", what, ctx.Err())
		case <-tick.C:
		}
	}
}

// arrived waits until B has checked the transfer of d and returns the item.
func (s *story) arrived(ctx context.Context, d exchange.Delivery) (item exchange.ItemView, err error) {
	err = waitFor(ctx, 30*time.Second, "the document to be checked at B", func(ctx context.Context) (bool, error) {
		items, err := s.b.inbox.List(ctx, s.b.clerk, exchange.InboxFilter{})
		for _, i := range items {
			if i.TransferID == d.TransferID && i.State != exchange.InboxReceived {
				item = i
				return true, nil
			}
		}
		return false, err
	})
	return item, err
}

// told waits until A knows the business status code of d, and returns its view.
func (s *story) told(ctx context.Context, d exchange.Delivery, code exchange.StatusCode) (view exchange.DeliveryView, err error) {
	err = waitFor(ctx, 30*time.Second, "status "+string(code)+" at A", func(ctx context.Context) (bool, error) {
		doc, err := s.a.outbox.Document(ctx, s.a.clerk, d.Subject)
		for _, v := range doc.Deliveries {
			if v.ID != d.ID {
				continue
			}
			view = v
			for _, h := range v.History {
				if h.Code == code {
					return true, nil
				}
			}
		}
		return false, err
	})
	return view, err
}

// delivered waits until d has reached a final transport state.
func (s *story) delivered(ctx context.Context, d exchange.Delivery) (view exchange.DeliveryView, err error) {
	err = waitFor(ctx, 60*time.Second, "the delivery to end", func(ctx context.Context) (bool, error) {
		doc, err := s.a.outbox.Document(ctx, s.a.clerk, d.Subject)
		for _, v := range doc.Deliveries {
			if v.ID == d.ID && v.State != exchange.DeliveryReady {
				view = v
				return true, nil
			}
		}
		return false, err
	})
	return view, err
}
