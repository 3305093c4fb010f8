package text

// benchMessages are what `antin bench` says.
var benchMessages = map[Key]Message{
	"help.bench":                 {"Đo tốc độ trên chính máy này.", "Measure speed on this very machine."},
	"help.bench_serve":           {"Nhiều văn thư cùng làm việc với một máy chủ đầy dữ liệu thử.", "Many clerks work with one gateway full of test data."},
	"help.bench_serve_clerks":    {"Số văn thư.", "Number of clerks."},
	"help.bench_serve_minutes":   {"Đo bao nhiêu phút.", "How many minutes to measure."},
	"help.bench_serve_documents": {"Số văn bản có sẵn trong cơ sở dữ liệu.", "Documents in the database beforehand."},
	"help.bench_serve_limit":     {"95 % số trang phải nhanh hơn bấy nhiêu mili giây.", "95 of 100 pages must be faster than this, in milliseconds."},
	"help.bench_serve_json":      {"In một đối tượng JSON trên mỗi dòng.", "Print one JSON object a line."},
	"help.bench_sign":            {"Ký nhanh đến đâu so với SHA-256 và phép ký của riêng khóa.", "How fast signing is beside SHA-256 and the bare key operation."},
	"help.bench_sign_seconds":    {"Đo mỗi việc bao nhiêu giây.", "How many seconds to measure each job."},
	"help.bench_sign_part":       {"Đo phần nào: library trong bộ nhớ; program trên đĩa và cả tiến trình (cần khoảng 5 GB trống).", "Which part: library in memory; program on the disk and whole processes (needs some 5 GB of free space)."},
	"help.bench_sign_json":       {"In một đối tượng JSON trên mỗi dòng.", "Print one JSON object a line."},
	"help.bench_verify":          {"Kiểm tra chữ ký nhanh đến đâu so với SHA-256 và phép kiểm của riêng khóa công khai.", "How fast validating is beside SHA-256 and the bare public-key operations."},
	"bench.filling":              {"Đang tạo %d văn bản thử…", "Making %d test documents…"},
	"bench.filled":               {"Xong sau %s. %d văn thư làm việc trong %s, mỗi người cứ 3 giây một việc.", "Done after %s. %d clerks work for %s, each acting every 3 seconds."},
	"bench.machine":              {"Máy: %d nhân, %.0f lần ghi chắc (fsync)/s, %.0f chữ ký RSA-2048/s.", "Machine: %d cores, %.0f fsync/s, %.0f RSA-2048 signatures/s."},
	"bench.job":                  {"Việc", "Job"},
	"bench.number":               {"số lần", "n"},
	"bench.errors":               {"lỗi", "errors"},
	"bench.process":              {"Máy chủ: %.1f giây CPU (%.0f %% một nhân), tối đa %d MB.", "Gateway: %.1f s of CPU (%.0f %% of one core), at most %d MB."},
	"bench.held":                 {"%d việc đã xác nhận được kiểm lại trong cơ sở dữ liệu: mất %d.", "%d acknowledged acts were looked up afterwards: %d lost."},
	"bench.pages":                {"p95 của trang: %.0f ms (phải dưới %.0f ms).", "p95 of pages: %.0f ms (must be below %.0f ms)."},
	"bench.wrong":                {"Việc đo cho thấy điều sai: %s", "The measurement found something wrong: %s"},
	"bench.child":                {"Máy chủ đem đo đã dừng: %s", "The gateway that is measured stopped: %s"},
}
