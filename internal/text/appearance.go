package text

var appearanceMessages = map[Key]Message{
	"appearance.glyph":  {"Ký tự thiếu: “%[1]s” (%[2]s).", "Missing character: “%[1]s” (%[2]s)."},
	"appearance.image":  {"Ảnh chữ ký phải là PNG hoặc JPEG, không quá %[1]d × %[1]d điểm ảnh và %[2]d MB.", "The signature image has to be a PNG or JPEG of at most %[1]d × %[1]d pixels and %[2]d MB."},
	"appearance.empty":  {"Hình chữ ký không có nội dung hoặc không có chỗ để vẽ.", "The signature's appearance has no content or no room."},
	"appearance.signer": {"Ký bởi: %s", "Signed by: %s"},
	"appearance.agency": {"Cơ quan: %s", "Agency: %s"},
	"appearance.time":   {"Thời gian ký: %s", "Signing time: %s"},
	"appearance.number": {"Số, ký hiệu: %s", "Number and notation: %s"},
	"appearance.reason": {"Lý do: %s", "Reason: %s"},
}
