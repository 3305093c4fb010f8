package exchange_test

import (
	"strings"
	"testing"

	"antin/exchange"
	"antin/signer/validation"
)

const (
	leaderSubject = `CN=Nguyễn Văn An,UID=CCCD:001099000001,OU=Lãnh đạo Ủy ban,O=UBND xã Thử Nghiệm,C=VN`
	sealSubject   = `CN=UBND xã Thử Nghiệm,UID=MST:0100000001,O=UBND xã Thử Nghiệm\, tỉnh Mẫu,C=VN`
)

func signedBy(subjects ...string) *validation.Report {
	r := &validation.Report{}
	for _, s := range subjects {
		r.Signatures = append(r.Signatures, validation.Signature{Type: validation.ApprovalSignature, Signer: validation.Signer{Subject: s}})
	}
	return r
}

func TestCertificatePageAndHeaderAgree(t *testing.T) {
	t.Parallel()
	page := "ỦY BAN NHÂN DÂN XÃ THỬ NGHIỆM QUYẾT ĐỊNH Về việc … CHỦ TỊCH Nguyễn Văn An"
	for name, c := range map[string]struct {
		subject, page, header string
		agrees                bool
		differ                [2]string // what the sentence shows
	}{
		"all three":                    {leaderSubject, page, "Nguyễn Văn An", true, [2]string{}},
		"another case and no marks":    {leaderSubject, strings.ToUpper("chu tich nguyen van an"), "NGUYEN VAN AN", true, [2]string{}},
		"the given name first":         {leaderSubject, "An Nguyễn Văn", "An Nguyễn Văn", true, [2]string{}},
		"a title before the name":      {leaderSubject, page, "Ông Nguyễn Văn An", true, [2]string{}},
		"nothing in the header":        {leaderSubject, page, "", true, [2]string{}},
		"another in the header":        {leaderSubject, page, "Trần Thị Bình", false, [2]string{"Nguyễn Văn An", "Trần Thị Bình"}},
		"another on the page":          {leaderSubject, "CHỦ TỊCH Nguyễn Văn Bình", "Nguyễn Văn An", false, [2]string{"Nguyễn Văn An", "Nguyễn Văn Bình"}},
		"nobody on the page":           {leaderSubject, "Điều 1", "Nguyễn Văn An", false, [2]string{"Nguyễn Văn An", ""}},
		"the agency":                   {sealSubject, page, "Ủy ban nhân dân xã Thử Nghiệm", true, [2]string{}},
		"the agency, old spelling":     {sealSubject, "UỶ BAN NHÂN DÂN XÃ THỬ NGHIỆM", "UBND xã Thử Nghiệm", true, [2]string{}},
		"another agency in the header": {sealSubject, page, "UBND xã Khác", false, [2]string{"UBND xã Thử Nghiệm", "UBND xã Khác"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := exchange.Agree(signedBy(c.subject), strings.Fields(c.page), exchange.DocumentHeader{SignerName: c.header, FromName: c.header})
			if len(got) != 1 || got[0].Agrees != c.agrees {
				t.Fatalf("%+v", got)
			}
			for _, s := range c.differ {
				if !strings.Contains(got[0].Message.VI, s) || !strings.Contains(got[0].Message.EN, s) {
					t.Errorf("%q is not shown: %+v", s, got[0].Message)
				}
			}
		})
	}
}

func TestWhatDisagreesComesFirst(t *testing.T) {
	t.Parallel()
	got := exchange.Agree(signedBy(leaderSubject, sealSubject), strings.Fields("Nguyễn Văn An"), exchange.DocumentHeader{SignerName: "Nguyễn Văn An", FromName: "UBND xã Khác"})
	if len(got) != 2 || got[0].Of != exchange.AgreementAgency || got[0].Agrees || !got[1].Agrees {
		t.Errorf("%+v", got)
	}
}
