package text

// accessMessages are what accounts, sessions and keys say.
var accessMessages = map[Key]Message{
	// What went wrong, in detail.
	"access.login": {"Tên đăng nhập có 2–64 ký tự: chữ a–z không dấu, số và các dấu . _ - @; bắt đầu bằng chữ hoặc số.",
		"A login name has 2 to 64 characters: letters a–z, digits and . _ - @, beginning with a letter or digit."},
	"access.name":              {"Họ tên cần có, trên một dòng, tối đa %d ký tự.", "A name is needed, on one line, of at most %d characters."},
	"access.position":          {"Chức vụ viết trên một dòng, tối đa %d ký tự; với lãnh đạo thì bắt buộc.", "A position is one line of at most %d characters; a lãnh đạo needs one."},
	"access.competence":        {"Thẩm quyền ký viết trên một dòng, tối đa %d ký tự.", "A competence is one line of at most %d characters."},
	"access.role":              {"Vai trò phải là một trong các vai trò được nêu.", "The role must be one of those offered."},
	"access.key-name":          {"Tên hệ thống cần có, trên một dòng, tối đa %d ký tự.", "A name for the system is needed, on one line, of at most %d characters."},
	"access.no-scope":          {"Chọn ít nhất một quyền.", "Choose at least one scope."},
	"access.login-taken":       {"Tên đăng nhập “%s” đã có người dùng.", "The login name “%s” is taken."},
	"access.self":              {"Không thể tự vô hiệu hóa hoặc đổi vai trò của chính mình; cần một quản trị khác.", "Nobody disables themselves or changes their own role; another operator can."},
	"access.disabled":          {"Tài khoản đã bị vô hiệu hóa; hãy hỏi quản trị.", "The account is disabled; ask the operator."},
	"access.locked-until":      {"Khóa đến %s (giờ Việt Nam).", "Locked until %s (Vietnam time)."},
	"access.password-length":   {"Mật khẩu có từ %d đến %d ký tự; nên là một câu dễ nhớ.", "A password has %d to %d characters; a sentence is easy to remember."},
	"access.password-own":      {"Mật khẩu không được là tên đăng nhập hoặc họ tên.", "The password must not be the login name or the person's name."},
	"access.password-guessed":  {"Mật khẩu này dễ đoán: nó gồm những từ, dãy phím, năm hoặc tên thường gặp. Hãy dùng một câu của riêng bạn, ít nhất vài từ không liên quan.", "This password is easily guessed: it is made of common words, runs of keys, years or names. Use a sentence of your own, a few unrelated words at least."},
	"access.password-same":     {"Mật khẩu mới phải khác mật khẩu cũ.", "The new password must differ from the old one."},
	"access.ticket":            {"Liên kết mở phiên chỉ dùng được một lần, trong 10 phút.", "A link that opens a session works once, within 10 minutes."},
	"access.certificate-role":  {"Chỉ tài khoản lãnh đạo mới gắn chứng thư ký.", "Only the account of a lãnh đạo has a signing certificate."},
	"access.certificate-file":  {"Tệp không phải chứng thư (.cer, .crt, .pem, .p7b) đọc được.", "The file is not a readable certificate (.cer, .crt, .pem, .p7b)."},
	"access.certificate-ca":    {"Đây là chứng thư của nơi cấp, không phải của người ký.", "This is a CA's certificate, not a person's."},
	"access.certificate-many":  {"Tệp có nhiều hơn một chứng thư cá nhân; hãy tách riêng.", "The file holds more than one person's certificate; give them one by one."},
	"access.certificate-taken": {"Chứng thư này (hoặc khóa của nó) đã gắn với tài khoản khác.", "This certificate, or its key, is bound to another account."},
	"access.key-expiry":        {"Hạn của khóa API phải ở tương lai và không quá một năm.", "An API key ends in the future, at most a year ahead."},
	"access.scope":             {"Không có quyền tên “%s”.", "There is no scope “%s”."},
	"access.overlap":           {"Thời gian dùng song song khóa cũ tối đa 30 ngày.", "The old secret may go on for at most 30 days."},
	"access.key-revoked":       {"Khóa API đã bị thu hồi; hãy tạo khóa mới.", "The API key is revoked; make a new one."},
	"access.no-database":       {"Thư mục %s chưa có dữ liệu; chạy `antin init` trước.", "There is no data in %s yet; run `antin init` first."},
	"access.database-older":    {"Cơ sở dữ liệu của phiên bản cũ; khởi động `antin serve` một lần để nâng cấp.", "The database is of an earlier version; start `antin serve` once to bring it up to date."},

	// The roles.
	"role.van_thu":  {"Văn thư", "Văn thư (clerical officer)"},
	"role.lanh_dao": {"Lãnh đạo", "Lãnh đạo (competent person)"},
	"role.mot_cua":  {"Một cửa", "Một cửa officer"},
	"role.it":       {"Quản trị", "Operator"},

	// The facts of the evidence log.
	"event.account.created":      {"Tạo tài khoản %s (%s)", "Account %s created (%s)"},
	"event.account.changed":      {"Sửa tài khoản %s (%s)", "Account %s changed (%s)"},
	"event.account.password":     {"Đặt lại mật khẩu của %s", "Password of %s reset"},
	"event.account.password.own": {"%s tự đổi mật khẩu", "%s changed their password"},
	"event.account.certificate":  {"Đổi chứng thư gắn với %s", "Certificate bound to %s changed"},
	"event.account.disabled":     {"Vô hiệu hóa tài khoản %s", "Account %s disabled"},
	"event.account.enabled":      {"Mở lại tài khoản %s", "Account %s enabled again"},
	"event.account.login":        {"%s đăng nhập", "%s logged in"},
	"event.account.locked":       {"Tạm khóa %s vì nhập sai mật khẩu nhiều lần", "%s locked after wrong passwords"},
	"event.apikey.created":       {"Tạo khóa API “%s”", "API key “%s” made"},
	"event.apikey.rotated":       {"Đổi khóa API “%s”", "API key “%s” rotated"},
	"event.apikey.revoked":       {"Thu hồi khóa API “%s”", "API key “%s” revoked"},
}
