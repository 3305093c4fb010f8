package text

// verdictMessages are the five verdicts and what stands under each.
var verdictMessages = map[Key]Message{
	"verdict.valid":                    {"HỢP LỆ", "VALID"},
	"verdict.valid_with_notes":         {"HỢP LỆ, CÓ LƯU Ý", "VALID, WITH NOTES"},
	"verdict.inconclusive":             {"CHƯA KẾT LUẬN ĐƯỢC", "INCONCLUSIVE"},
	"verdict.invalid":                  {"KHÔNG HỢP LỆ", "NOT VALID"},
	"verdict.unsigned":                 {"KHÔNG CÓ CHỮ KÝ SỐ", "NO DIGITAL SIGNATURE"},
	"verdict.valid.explain":            {"Văn bản nguyên vẹn, chữ ký được tin cậy tại thời điểm ký.", "The document is intact and its signatures were trusted when made."},
	"verdict.valid_with_notes.explain": {"Dùng được; đọc các lưu ý bên dưới.", "Usable; read the notes below."},
	"verdict.inconclusive.explain":     {"Chưa đủ thông tin để kết luận.", "There is not enough information to decide."},
	"verdict.invalid.explain":          {"Nội dung đã bị sửa sau khi ký, hoặc chữ ký bị hỏng.", "The content was changed after signing, or a signature is broken."},
	"verdict.unsigned.explain":         {"Có thể có hình con dấu hay chữ ký, nhưng hình không phải chữ ký số.", "There may be pictures of seals or signatures, but a picture is not a digital signature."},
}
