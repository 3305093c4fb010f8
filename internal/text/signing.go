package text

// signingMessages are about approving, signing and sealing.
var signingMessages = map[Key]Message{
	"signing.by-other":          {"Lần ký này do “%s” chuẩn bị.", "This signing was prepared by “%s”."},
	"signing.key-elsewhere":     {"Khóa ký của bạn không nằm trong hệ thống: hãy tải tệp về, ký bằng thiết bị của bạn rồi tải lên.", "Your key is not held here: download the file, sign it with your own device, then upload it."},
	"signing.no-certificate":    {"Tài khoản của “%s” chưa được gắn chứng thư số.", "No certificate is bound to the account of “%s”."},
	"signing.other-certificate": {"Chứng thư này không phải chứng thư đã gắn với tài khoản của “%s”.", "This is not the certificate bound to the account of “%s”."},
	"signing.not-a-seal":        {"Chứng thư này không có trong danh sách con dấu số của %s.", "This certificate is not among the seals of %s."},
	"signing.no-seal-key":       {"Chưa khai báo khóa con dấu của cơ quan.", "No key of the agency's seal is configured."},
	"signing.number-first":      {"Cấp số trước, rồi mới đóng dấu.", "Give the number first, then seal."},
	"signing.numbered":          {"Văn bản đã có số %s.", "The document has the number %s already."},
	"signing.shown":             {"Thiếu mã SHA-256 của bản xem trước.", "The SHA-256 of the preview is missing."},
	"signing.preview-expired":   {"Bản xem trước đã quá 15 phút.", "The preview is older than 15 minutes."},
	"signing.not-the-draft":     {"Tệp tải lên không phải là văn bản này cộng thêm một chữ ký.", "The uploaded file is not this document plus one signature."},
	"signing.more-changed":      {"Ngoài chữ ký, tệp tải lên còn bị thay đổi: %s.", "Besides the signature something else changed: %s."},
	"signing.one-signature":     {"Tệp tải lên phải có thêm đúng một chữ ký; tệp này có thêm %d.", "The uploaded file must hold exactly one more signature; this one holds %d more."},
	"signing.field":             {"Chữ ký phải nằm trong ô “%s” của văn bản.", "The signature must be in the field “%s” of the document."},
	"signing.not-valid":         {"Chữ ký trong tệp tải lên chưa được xác nhận là hợp lệ: %s.", "The uploaded signature is not confirmed as valid: %s."},
	"signing.fields-unfilled":   {"Số và ngày trong tệp tải lên không đúng số đã cấp (%s).", "Number and date in the uploaded file are not those given (%s)."},
	"signing.returned":          {"Lãnh đạo trả lại: %s", "Returned by the competent person: %s"},

	"key.helper-answer":  {"Câu trả lời của bộ giữ khóa không đúng.", "The key helper's answer is not right."},
	"key.helper-refused": {"Bộ giữ khóa từ chối: %s.", "The key helper refused: %s."},
	"key.helper-code":    {"Bộ giữ khóa: %s.", "Key helper: %s."},

	"help.keyhelper":       {"Giữ khóa con dấu trong tiến trình riêng.", "Keep the seal's keys in a process of their own."},
	"help.keyhelper_run":   {"Chạy bộ giữ khóa (mặc định).", "Run the key helper (default)."},
	"help.keyhelper_check": {"Thử mở các khóa và kiểm tra nhật ký; không ký gì.", "Open the keys and check the log; nothing is signed."},
	"keyhelper.ready":      {"Bộ giữ khóa đang chạy tại %s, %d khóa.", "The key helper answers at %s, %d keys."},
	"keyhelper.socket":     {"Không mở được %s (%s).", "%s cannot be opened (%s)."},
	"keyhelper.log":        {"Nhật ký khóa bị sửa hoặc hỏng: %s. Giữ nguyên tệp, báo người phụ trách an toàn thông tin.", "The key log was changed or is damaged: %s. Leave it as it is and tell who is responsible for security."},
	"keyhelper.log_whole":  {"Nhật ký khóa nguyên vẹn, %d dòng.", "The key log is whole, %d lines."},
	"keyhelper.key":        {"Khóa “%[1]s”: %[2]s", "Key “%[1]s”: %[3]s"},
	"keyhelper.entry":      {"%s dòng %d: thiếu hoặc sai mục “%s”.", "%s line %d: “%s” is missing or wrong."},

	"event.signing.asked.person": {"Trình ký", "Submitted for signature"},
	"event.signing.asked.seal":   {"Đề nghị đóng dấu", "Seal asked for"},
	"event.signing.returned":     {"Lãnh đạo trả lại: %s", "Returned by the competent person: %s"},
}
