package text

// frontMessages are the pages of incoming documents, verification and the public.
var frontMessages = map[Key]Message{
	"web.origin": {"Yêu cầu không đến từ trang của hệ thống này.", "The request does not come from a page of this system."},
	"web.role":   {"Trang này không thuộc nhiệm vụ của tài khoản đang dùng.", "This page is not part of the duties of this account."},

	// The main pages.
	"web.nav.home":      {"Hôm nay", "Today"},
	"web.nav.sign":      {"Chờ ký", "To sign"},
	"web.nav.registers": {"Sổ văn bản", "Registers"},
	"web.nav.verify":    {"Kiểm tra tệp", "Check a file"},
	"web.nav.search":    {"Tra cứu", "Search"},
	"web.nav.people":    {"Tài khoản", "Accounts"},
	"web.nav.keys":      {"Khóa API", "API keys"},
	"web.nav.roles":     {"Đổi vai", "Change role"},
	"web.nav.logout":    {"Đăng xuất", "Log out"},
	"web.nav.peers":     {"Cơ quan liên thông", "Peers"},

	// Lists.
	"web.tabs":           {"Lọc danh sách", "Filter the list"},
	"web.search.do":      {"Tìm", "Search"},
	"web.search.clear":   {"Bỏ tìm", "Clear"},
	"web.search.nothing": {"Không tìm thấy gì cho “%s”.", "Nothing was found for “%s”."},

	// Incoming documents.
	"web.inbox.find":           {"Tìm số, trích yếu, cơ quan gửi", "Find a number, subject or sender"},
	"web.inbox.tab.open":       {"Chờ xử lý", "Waiting"},
	"web.inbox.tab.accepted":   {"Đã tiếp nhận", "Accepted"},
	"web.inbox.tab.returned":   {"Đã trả lại", "Returned"},
	"web.inbox.tab.all":        {"Tất cả", "All"},
	"web.inbox.empty.open":     {"Không có văn bản nào chờ. Văn bản mới tự hiện ở đây.", "Nothing waits. New documents appear here by themselves."},
	"web.inbox.empty.accepted": {"Chưa tiếp nhận văn bản nào.", "No document was accepted yet."},
	"web.inbox.empty.returned": {"Chưa trả lại văn bản nào.", "No document was returned yet."},
	"web.inbox.empty.all":      {"Chưa có văn bản đến nào.", "No document has come in yet."},
	"web.record.open":          {"Ghi văn bản giấy", "Enter a paper document"},
	"web.item.skip":            {"Đến phần xử lý", "Skip to the decision"},
	"web.item.due":             {"Hạn xử lý %s", "Due %s"},
	"web.handle":               {"Tình hình xử lý", "Handling"},
	"web.handle.assignee":      {"Người hoặc phòng xử lý", "Person or unit that handles it"},
	"web.handle.explain":       {"Nơi gửi được báo trạng thái vừa chọn.", "The sender is told the status you choose."},
	"web.recall.asked":         {"%s đề nghị lấy lại văn bản này", "%s asks for this document back"},
	"web.recall.explain":       {"Đây là đề nghị; bạn đồng ý hoặc từ chối. Nơi gửi đọc đúng lý do bạn ghi.", "This is a request; agree or refuse. The sender reads your reason as written."},
	"web.recall.reason":        {"Lý do (bắt buộc khi không đồng ý)", "Reason (required when refusing)"},
	"web.recall.agree":         {"Đồng ý cho lấy lại (15)", "Agree (15)"},
	"web.recall.disagree":      {"Không đồng ý (16)", "Refuse (16)"},
	"web.recall.choose":        {"Chưa chọn đồng ý hay không đồng ý.", "Neither agreement nor refusal was chosen."},
	"web.recall.needs_reason":  {"Không đồng ý thì phải ghi lý do cho nơi gửi.", "A refusal needs a reason for the sender."},
	"web.recall.said":          {"Trả lời đề nghị lấy lại: %s", "Answer to the recall request: %s"},

	// Roles, and the demo's start page.
	"web.start.closed":        {"Trang này mở bằng liên kết dùng một lần mà lệnh “antin demo” in ra. Chạy lại lệnh để có liên kết mới.", "This page opens by the one-time link that “antin demo” prints. Run the command again for a new one."},
	"web.start.roles":         {"Làm việc trong một vai", "Work in a role"},
	"web.start.roles.explain": {"Bản chạy thử không có mật khẩu: chọn vai là vào ngay. Bản thật yêu cầu đăng nhập.", "The demo has no passwords: choosing a role opens it at once. The real one asks for a log-in."},

	// What a QR leads to.
	"web.q.replaced":          {"ĐÃ ĐƯỢC THAY THẾ bởi một kết quả khác", "REPLACED by another result"},
	"web.q.replaced.by":       {"ĐÃ ĐƯỢC THAY THẾ bởi số %s ngày %s", "REPLACED by number %s of %s"},
	"web.q.replaced.explain":  {"Tờ giấy này không còn dùng được. Hỏi %s để nhận bản thay thế.", "This sheet is no longer in force. Ask %s for the one in its place."},
	"web.q.withdrawn":         {"ĐÃ BỊ THU HỒI ngày %s", "WITHDRAWN on %s"},
	"web.q.withdrawn.explain": {"%s đã thu hồi kết quả này; tờ giấy không còn giá trị.", "%s took this result back; the sheet has no force any more."},
	"web.chain.by":            {"Văn bản này đã được thay thế bởi", "This document was replaced by"},
	"web.chain.of":            {"Văn bản này thay thế", "This document replaces"},

	// Checking a file inside the desk.
	"web.check.title":   {"Kiểm tra tệp %s", "Check of %s"},
	"web.check.privacy": {"Tối đa %d MB. Báo cáo được giữ lại cho cơ quan. Tệp không được lưu: chỉ nằm trong bộ nhớ nhiều nhất 15 phút để hiện các trang.", "At most %d MB. The report is kept for the agency. The file is not stored: it stays in memory for at most 15 minutes, to show its pages."},
	"web.check.gone":    {"Tệp không được lưu nên không còn hiện được trang. Chọn lại tệp ở trên để xem các trang và so với bản đã ký.", "The file was not kept, so its pages cannot be shown any more. Choose it again above to see them and to compare with the signed version."},
	"web.check.paper":   {"Báo cáo (PDF)", "Report (PDF)"},
	"web.check.xml":     {"Báo cáo ETSI (XML)", "ETSI report (XML)"},
	"web.check.kept":    {"Báo cáo đã lưu, người kiểm tra: %s,", "Report kept; checked by %s,"},

	// The operator's pages.
	"web.home.title":            {"Việc cần làm hôm nay", "To do today"},
	"web.home.nothing":          {"Không có việc gì cần làm.", "Nothing needs doing."},
	"web.home.good":             {"%d mục đã kiểm tra, đều tốt", "%d checks, all good"},
	"web.home.asked":            {"Kiểm tra lúc %s", "Checked at %s"},
	"web.find.title":            {"Diễn biến %s", "What happened to %s"},
	"web.find.label":            {"Số, cơ quan, người hoặc mã", "Number, agency, person or id"},
	"web.find.answer.accepted":  {"Đã nhận đủ; chưa đọc xong", "Taken in; not read yet"},
	"web.find.answer.rejected":  {"Gói tin bị từ chối, không giữ lại gì", "The transfer was refused; nothing of it was kept"},
	"web.find.answer.closed":    {"Bên gửi đã thôi gửi gói tin này; không nhận được gì", "The sender gave this transfer up; nothing arrived"},
	"web.find.trouble":          {"Lỗi của hệ thống, mã %s", "A failure of this system, id %s"},
	"web.find.trouble.help":     {"Người gặp lỗi chỉ thấy mã này. Nhật ký của máy chủ có thêm chi tiết dưới cùng mã.", "Whoever met it saw only this id. The server's log has more under the same id."},
	"web.find.explain":          {"Tìm theo số văn bản, cơ quan, người, mã trong hệ thống (vb_…, vd_…, kq_…, dl_…), mã gói tin, hoặc mã lỗi mà ai đó đọc cho bạn. Trang này không hiện nội dung văn bản.", "Search by number, agency, person, an id (vb_…, vd_…, kq_…, dl_…), a transfer id, or the id of an error that someone reads out. Contents of documents are not shown here."},
	"web.find.kind":             {"Loại", "Kind"},
	"web.find.peers":            {"Cơ quan kia", "The other agency"},
	"web.home.since":            {"Từ %s", "Since %s"},
	"web.home.nocertificate":    {"Tài khoản lãnh đạo %s chưa gắn chứng thư nên chưa ký được", "%s has no certificate bound and cannot sign"},
	"web.home.certificate.soon": {"Chứng thư ký của %s hết hạn ngày %s", "The signing certificate of %s expires on %s"},
	"web.home.certificate.over": {"Chứng thư ký của %s đã hết hạn ngày %s", "The signing certificate of %s expired on %s"},
	"web.find.deliveries":       {"Các lần gửi", "Deliveries"},
	"web.find.do":               {"Việc cần làm", "To do"},
	"web.find.resume":           {"Gửi lại ngay (cùng mã)", "Try again now (same id)"},
	"web.home.open.account":     {"Mở tài khoản", "Open the account"},
	"web.home.open.accounts":    {"Mở danh sách tài khoản", "Open the accounts"},
	"web.home.open.keys":        {"Mở danh sách khóa API", "Open the API keys"},
}
