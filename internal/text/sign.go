package text

// signMessages are the details of refusals at signing.
var signMessages = map[Key]Message{
	"sign.field":               {"Ô: “%s”.", "Field: %q."},
	"sign.page":                {"Trang: %d.", "Page: %d."},
	"sign.docmdp-no-changes":   {"Chữ ký “%s” không cho phép thay đổi gì thêm.", "Signature %q allows no further change."},
	"sign.docmdp-no-new-field": {"Sau chữ ký chứng nhận “%s” chỉ ký được vào ô có sẵn.", "After certification %q only fields that are already there can be signed."},
	"sign.certify-first":       {"Đã có chữ ký “%s”; chữ ký chứng nhận phải là chữ ký đầu tiên.", "There is signature %q already; a certification must come first."},
	"sign.locked-by":           {"Ô “%s” bị chữ ký “%s” khóa.", "Field %q is locked by signature %q."},
	"sign.filled":              {"Ô “%s” đã được điền.", "Field %q is already filled."},
	"sign.seed":                {"Điều kiện không đáp ứng: %s.", "Unmet condition: %s."},
	"sign.new-signature":       {"Kết quả tự kiểm tra: %s.", "Result of the check: %s."},
	"sign.earlier-signature":   {"Chữ ký trước “%s” bị ảnh hưởng.", "Earlier signature %q would be affected."},
	"sign.wrong-revision":      {"Tệp không còn đúng như khi chuẩn bị ký.", "The file is no longer what it was when signing was prepared."},
	"sign.prepared-expired":    {"Lượt ký đã quá hạn; chuẩn bị ký lại.", "This signing has expired; prepare it again."},
	"sign.value-wrong":         {"Giá trị chữ ký không khớp với chứng thư số.", "The signature value does not match the certificate."},
	"sign.cms-unfit":           {"Chữ ký đưa vào không dùng được: %s.", "The signature given cannot be used: %s."},
	"sign.algorithm":           {"Loại khóa hoặc thuật toán không dùng được.", "The key type or algorithm cannot be used."},
	"sign.key-usage":           {"Chứng thư không có quyền ký văn bản (key usage).", "The certificate's key usage does not allow signing documents."},
	"sign.timestamp-unfit":     {"Dấu thời gian nhận được không dùng được.", "The time-stamp received cannot be used."},
	"sign.level":               {"Không nâng được lên mức %s.", "Level %s cannot be reached from here."},
}
