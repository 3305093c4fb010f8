package text

// trustMessages are the messages of `antin trust`, of the settings below trust and
// of the flags that say where evidence comes from.
var trustMessages = map[Key]Message{
	"help.trust_cmd":           {"Xem, nạp, gỡ các gốc tin cậy.", "See, load and remove trust anchors."},
	"help.trust_list":          {"In mọi gốc tin cậy và chứng thư trung gian đã biết.", "Print every trust anchor and every known intermediate."},
	"help.trust_load":          {"Nạp chứng thư CA vào kho tin cậy: in phần sẽ thay đổi, chỉ ghi khi có --yes.", "Load CA certificates into the trust store: print what would change, and write with --yes only."},
	"help.trust_remove":        {"Gỡ một chứng thư khỏi kho tin cậy, hoặc ngừng tin từ một thời điểm.", "Remove a certificate from the trust store, or end the trust at a time."},
	"help.trust_files":         {"Tệp PEM, DER, .p7b hoặc thư mục.", "PEM, DER or .p7b files, or folders."},
	"help.trust_domain":        {"Miền tin cậy của gốc chưa biết: official (chuyên dùng công vụ), public (CA công cộng), own (của cơ quan).", "Domain of an anchor that is not known: official (state bodies), public (public CAs), own (the agency's)."},
	"help.trust_sha256":        {"Dấu vân tay SHA-256 của gốc, lấy từ nơi khác để đối chiếu; lặp lại được.", "SHA-256 fingerprint of the anchor, obtained by another way; may be repeated."},
	"help.trust_yes":           {"Ghi thay đổi.", "Write the change."},
	"help.trust_remove_sha256": {"Dấu vân tay SHA-256 của chứng thư.", "SHA-256 fingerprint of the certificate."},
	"help.trust_until":         {"Vẫn tin cho những gì ký trước thời điểm này.", "Keep trusting for what was signed before this time."},
	"help.rewrite-host":        {"Hỏi máy TO thay cho máy FROM ghi trong chứng thư: FROM=TO; lặp lại được.", "Ask host TO in place of the host FROM in certificates: FROM=TO; may be repeated."},
	"help.crls":                {"Thư mục CRL có sẵn (.crl, .der, .pem); xét theo ngày ghi trong CRL, dùng được cả khi --offline.", "Folder of CRLs at hand (.crl, .der, .pem); judged by the dates in them, also with --offline."},
	"help.cache":               {"Thư mục giữ câu trả lời OCSP, CRL, AIA cho lần sau; dùng được cả khi --offline.", "Folder that keeps OCSP, CRL and AIA answers for the next time; also used with --offline."},
	"help.intermediates":       {"Chứng thư CA trung gian đã biết (không vì thế mà được tin): tệp hoặc thư mục; lặp lại được.", "Known intermediate CA certificates (not trusted for that): files or folders; may be repeated."},

	"setting.trust.intermediates": {"Chứng thư CA trung gian đã biết; chữ ký thực tế thường chỉ kèm chứng thư người ký.", "Known intermediate CA certificates; real signatures mostly hold the signer's alone."},
	"setting.trust.store":         {"Kho tin cậy (YAML) do “antin trust load” ghi.", "Trust store (YAML) that “antin trust load” writes."},
	"setting.trust.rewrite_hosts": {"FROM=TO: hỏi máy TO thay cho máy FROM ghi trong chứng thư (ocsp.ca.ptc=ocsp.ca.gov.vn).", "FROM=TO: ask host TO in place of the host FROM in certificates (ocsp.ca.ptc=ocsp.ca.gov.vn)."},
	"setting.trust.crls":          {"Thư mục CRL mang từ nơi khác tới; đọc lại khi tệp thay đổi.", "Folder of CRLs carried here; read again when files change."},
	"setting.trust.policy":        {"Chính sách kiểm tra: tên có sẵn hoặc tệp YAML; bỏ trống là vn-2026.", "The validation policy: a built-in name or a YAML file; vn-2026 when empty."},
	"setting.trust.ocsp_nonce":    {"Gửi số ngẫu nhiên trong câu hỏi OCSP.", "Send a nonce in OCSP questions."},
	"config.want.rewrite":         {"phải là danh sách FROM=TO", "must be a list of FROM=TO"},

	"cli.bad_rewrite": {"--rewrite-host %q không đúng dạng FROM=TO.", "--rewrite-host %q is not of the form FROM=TO."},
	"cli.bad_fetch":   {"Thiết lập mạng không dùng được: %v.", "The network settings cannot be used: %v."},

	"trust.domain.official":   {"Gốc chuyên dùng công vụ", "Official-duty root"},
	"trust.domain.public":     {"Gốc của các CA công cộng", "Root of public CAs"},
	"trust.domain.own":        {"Gốc của cơ quan", "Agency's own root"},
	"trust.kind.intermediate": {"CA trung gian", "Intermediate CA"},
	"trust.pinned":            {"(vân tay đã biết)", "(known fingerprint)"},
	"trust.withdrawn":         {"(chỉ tin đến %s)", "(trusted until %s only)"},
	"trust.entry":             {"%s: mục %s không khớp với chứng thư ghi ở đó.", "%s: entry %s does not fit the certificate in it."},
	"trust.no_store":          {"Cấu hình chưa đặt trust.store.", "The configuration does not set trust.store."},
	"trust.not_ca":            {"%s không phải là chứng thư CA.", "%s is no CA certificate."},
	"trust.unknown_anchor":    {"Gốc %s có vân tay SHA-256 %s chưa biết; đối chiếu với nơi cấp rồi thêm --sha256.", "Anchor %s has the unknown SHA-256 fingerprint %s; compare it with what its issuer says, then add --sha256."},
	"trust.not_there":         {"Kho tin cậy không có chứng thư %s.", "The trust store has no certificate %s."},
	"trust.bad_until":         {"--until phải là thời điểm theo RFC 3339.", "--until must be a time as in RFC 3339."},
	"trust.same":              {"Không có gì thay đổi.", "Nothing changes."},
	"trust.shown":             {"Chưa ghi gì; chạy lại với --yes để ghi.", "Nothing is written; run again with --yes to write."},
	"trust.written":           {"Đã ghi %s; khởi động lại antin serve để dùng.", "Wrote %s; restart antin serve to use it."},
}
