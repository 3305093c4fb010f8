package text

// keyMessages are the details about signing keys and time-stamping services.
var keyMessages = map[Key]Message{
	"key.empty_password": {"Tệp khóa có mật khẩu nhưng chưa được cung cấp.", "The key file has a password, but none was given."},
	"key.wrong_password": {"Mật khẩu của tệp khóa không đúng, hoặc tệp đã bị hỏng.", "The key file's password is wrong, or the file is damaged."},
	"key.unreadable":     {"Tệp khóa không đúng định dạng PKCS#12 hoặc PEM, hoặc dùng kiểu mã hóa chưa hỗ trợ.", "The key file is not PKCS#12 or PEM, or uses an unsupported encryption."},
	"key.none":           {"Tệp không chứa khóa ký nào.", "The file holds no signing key."},
	"key.no_certificate": {"Tệp không chứa chứng thư số nào của khóa.", "The file holds no certificate for the key."},
	"key.mismatch":       {"Chứng thư “%s” không thuộc về khóa này.", "Certificate %q does not belong to this key."},
	"key.kind":           {"Loại khóa này không ký được.", "Keys of this kind cannot sign."},
	"key.unknown":        {"Khóa: “%s”.", "Key: %q."},

	"tsa.none":        {"Chưa khai máy chủ dấu thời gian nào.", "No time-stamping service is configured."},
	"tsa.url":         {"Địa chỉ máy chủ dấu thời gian không đúng: %q.", "Not a time-stamping address: %q."},
	"tsa.unreachable": {"%s: không kết nối được.", "%s: cannot be reached."},
	"tsa.timeout":     {"%s: không trả lời trong %d giây.", "%s: did not answer within %d seconds."},
	"tsa.status":      {"%s: trả lời lỗi HTTP %d.", "%s: answered with HTTP error %d."},
	"tsa.too_large":   {"%s: câu trả lời quá lớn.", "%s: the answer is too large."},
	"tsa.not_a_token": {"%s: câu trả lời không phải là dấu thời gian (%q).", "%s: the answer is no time-stamp (%q)."},
	"tsa.refused":     {"%s: từ chối cấp dấu thời gian (trạng thái %d: %q).", "%s: refused to issue a time-stamp (status %d: %q)."},
	"tsa.imprint":     {"%s: dấu thời gian không đúng nội dung đã gửi.", "%s: the time-stamp is not over what was sent."},
	"tsa.nonce":       {"%s: dấu thời gian trả lời cho một yêu cầu khác.", "%s: the time-stamp answers another request."},
	"tsa.policy":      {"%s: dấu thời gian theo chính sách khác với yêu cầu.", "%s: the time-stamp was issued under another policy."},
	"tsa.certificate": {"%s: chứng thư của máy chủ không được phép cấp dấu thời gian.", "%s: its certificate may not issue time-stamps."},
	"tsa.rules":       {"%s: dấu thời gian không theo đúng RFC 3161.", "%s: the time-stamp breaks the rules of RFC 3161."},
	"tsa.signature":   {"%s: chữ ký trên dấu thời gian không đúng.", "%s: the time-stamp's signature is wrong."},
	"tsa.algorithm":   {"%s: dấu thời gian dùng thuật toán chưa hỗ trợ.", "%s: the time-stamp uses an unsupported algorithm."},
	"tsa.clock":       {"%s: giờ trong dấu thời gian (%s) lệch quá xa đồng hồ máy này.", "%s: the time in the time-stamp (%s) is too far from this machine's clock."},
	"tsa.resting":     {"%s: tạm ngừng hỏi vì vừa lỗi nhiều lần.", "%s: not asked for a while after repeated failures."},
}
