package text

// wireMessages are about what gateways tell one another beside transfers.
var wireMessages = map[Key]Message{
	"event.upload.failed":        {"Dữ liệu tải lên của %s không đúng bản kê; bắt đầu lại", "Uploaded bytes of %s are not those of the manifest; it begins anew"},
	"event.reconcile.difference": {"CẢNH BÁO: đối soát với %s ngày %s có chênh lệch: chỉ có ở đây %s, chỉ có ở bên kia %s, khác biên nhận %s", "ALARM: reconciling with %s for %s shows a difference: only here %s, only there %s, other receipts %s"},
	"event.reinstated":           {"Lấy lại từ %s gói tin đã từng ký biên nhận", "Taken back from %s what a receipt had been given for"},
	"event.peer.non-delivery":    {"%s tuyên bố không chuyển được tới đây", "%s states that it could not deliver here"},
	"event.peer.correction":      {"%s rút lại tuyên bố không chuyển được", "%s takes its statement of non-delivery back"},
	"event.peer.skip":            {"%s bỏ qua số thứ tự trong kênh gửi tới đây", "%s gives up places in its lane to here"},

	"exchange.carried":     {"Tệp không phải là tệp chuyển tay (.xpk) nguyên vẹn.", "The file is not an intact carried file (.xpk)."},
	"exchange.own-receipt": {"Biên nhận do %s gửi trả không phải do cơ quan này ký.", "The receipt that %s returned was not signed by this agency."},

	"help.carry":          {"Chuyển tay khi không có đường truyền.", "Carry by hand where there is no line."},
	"help.carry_export":   {"Ghi ra tệp những gì đang chờ gửi tới một cơ quan và biên nhận cho cơ quan đó.", "Write to a file what waits for an agency, and the receipts for it."},
	"help.carry_import":   {"Nhận tệp do cơ quan khác ghi ra.", "Take in files that another agency wrote."},
	"help.carry_to":       {"Mã định danh cơ quan nhận.", "Identifier of the receiving agency."},
	"help.carry_output":   {"Tệp .xpk ghi ra.", "The .xpk file to write."},
	"help.carry_file":     {"Tệp .xpk.", "The .xpk file."},
	"carry.exported":      {"Đã ghi %s: %d lần chuyển, %d biên nhận cho %s.", "Wrote %s: %d transfers, %d receipts for %s."},
	"carry.more":          {"Chưa ghi hết: ghi lại sau khi biên nhận đã về.", "Not everything found room: export again when receipts have come back."},
	"carry.imported":      {"Đã nhận %s từ %s: %d lần chuyển, %d biên nhận.", "Took in %s from %s: %d transfers, %d receipts."},
	"carry.refused":       {"Không nhận %s: %s", "Not taken: %s: %s"},
	"carry.waiting":       {"Antin đang chạy: tệp đã để vào %s, chờ nhận.", "Antin is running: the file lies in %s, waiting to be taken in."},
	"carry.still_waiting": {"Tệp vẫn chờ trong %s; Antin sẽ nhận khi rảnh.", "The file still waits in %s; Antin takes it in when it can."},
}
