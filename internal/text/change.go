package text

// changeMessages say what a later revision of a signed document did.
var changeMessages = map[Key]Message{
	// What belongs to signing and to evidence.
	"change.signature.added":   {"Thêm chữ ký “%s”.", "Signature “%s” was added."},
	"change.timestamp.added":   {"Thêm dấu thời gian “%s” cho toàn văn bản.", "Document time-stamp “%s” was added."},
	"change.evidence.added":    {"Thêm bằng chứng kiểm tra lâu dài (chứng thư, OCSP, CRL).", "Long-term validation data (certificates, OCSP, CRL) were added."},
	"change.field.prepared":    {"Thêm ô chữ ký còn trống “%s”.", "The empty signature field “%s” was added."},
	"change.evidence.left_out": {"Một số chứng thư trong phần bằng chứng kiểm tra lâu dài không còn được dẫn tới.", "Some certificates among the long-term validation data are no longer referred to."},
	"change.evidence.removed":  {"Bằng chứng kiểm tra lâu dài bị gỡ bỏ.", "Long-term validation data were removed."},
	"change.evidence.content":  {"Phần bằng chứng kiểm tra lâu dài bị thay bằng dữ liệu khác.", "Long-term validation data were replaced or hold something else."},

	// Form fields.
	"change.field.filled":   {"Ô “%s” được điền: “%s”.", "Field “%s” was filled: “%s”."},
	"change.field.refilled": {"Ô “%s” đã có nội dung hoặc hình thức, nay bị đổi thành: “%s”.", "Field “%s”, which had a value or look already, was changed to: “%s”."},
	"change.field.replaced": {"Ô “%s”: “%s” bị đổi thành “%s”.", "Field “%s”: “%s” was changed to “%s”."},
	"change.field.issued": {"Ô “%[1]s” do văn thư điền: “%[2]s”; chữ ký “%[3]s” bảo vệ nội dung này, không phải chữ ký trước đó.",
		"Field “%[1]s” was filled by the clerk: “%[2]s”; signature “%[3]s” protects it, not the earlier one."},
	"change.field.signed":     {"Ô chữ ký “%s” đã ký nhưng bị sửa.", "Signature field “%s” was signed and then altered."},
	"change.field.empty":      {"Ô chữ ký “%s” bị đổi hình thức mà không có chữ ký.", "Signature field “%s” got a look without a signature."},
	"change.field.altered":    {"Thuộc tính của ô “%s” bị sửa.", "The properties of field “%s” were altered."},
	"change.field.removed":    {"Ô “%s” bị gỡ bỏ.", "Field “%s” was removed."},
	"change.field.added":      {"Thêm ô “%s” không phải là ô chữ ký thông thường.", "Field “%s” was added, which is no plain signature field."},
	"change.field.twin":       {"Thêm ô trùng tên với ô đã có: “%s”.", "A field was added under a name that exists already: “%s”."},
	"change.field.reused":     {"Ô “%s” được dựng từ đối tượng đã có sẵn trong văn bản.", "Field “%s” was made from objects that stood in the document already."},
	"change.signature.reused": {"Ô chữ ký “%s” nhận giá trị không phải là một chữ ký mới.", "Signature field “%s” was given something that is no new signature."},
	"change.form":             {"Biểu mẫu bị sửa (/%s).", "The form was altered (/%s)."},
	"change.appearance.shared": {"Hình thức của ô “%s” dùng chung với phần khác của văn bản (đối tượng %s), nên thay nó là sửa văn bản.",
		"The look of field “%s” is also used elsewhere in the document (object %s), so replacing it alters the document."},

	// How it reads now.
	"change.words.replaced": {"Trang %d: “%s” thành “%s”.", "Page %d: “%s” became “%s”."},
	"change.words.added":    {"Trang %d: thêm “%s”.", "Page %d: “%s” was added."},
	"change.words.removed":  {"Trang %d: mất “%s”.", "Page %d: “%s” is gone."},
	"change.words.shown":    {"Ô hiển thị “%s” trong khi giá trị là “%s”.", "The field shows “%s” while its value is “%s”."},
	"change.words.look":     {"Phần hiển thị “%s” thành “%s”, giá trị không đổi.", "What it shows, “%s”, became “%s”, with the same value."},
	"change.words.says":     {"Nội dung thêm: “%s”.", "It says: “%s”."},

	"change.overlap.seal": {"Con dấu “%s” nằm lên một phần chữ ký “%s”, đúng thể thức.", "Seal “%s” lies over a part of signature “%s”, as is the custom."},

	// Pages and annotations.
	"change.page":               {"Trang %d bị sửa (/%s).", "Page %d was altered (/%s)."},
	"change.annotation.added":   {"Trang %d: thêm chú thích (%s).", "Page %d: an annotation was added (%s)."},
	"change.annotation.removed": {"Trang %d: chú thích hoặc ô biểu mẫu bị gỡ hay đảo chỗ.", "Page %d: an annotation or form field was removed or moved."},

	// The file as a whole.
	"change.trailer":               {"Phần cuối tệp bị sửa (/%s).", "The trailer was altered (/%s)."},
	"change.catalog":               {"Danh mục gốc của văn bản bị sửa (/%s).", "The document catalog was altered (/%s)."},
	"change.info":                  {"Thông tin mô tả văn bản bị sửa (/%s).", "The document information was altered (/%s)."},
	"change.structure.chain":       {"Phần thêm sau không nối tiếp đúng phiên bản đã ký.", "What was appended does not follow the signed revision."},
	"change.structure.resurrected": {"Phần thêm sau làm hiện đối tượng %s vốn bị giấu trong phần đã ký.", "What was appended brings to light object %s, which was hidden in the signed part."},

	"change.forbidden":              {"Ngoài các trang: %[1]s bị sửa (đối tượng %[2]s).", "Outside the pages: %[1]s was altered (object %[2]s)."},
	"change.forbidden.page":         {"Trang %[3]d: %[1]s bị sửa (đối tượng %[2]s).", "Page %[3]d: %[1]s was altered (object %[2]s)."},
	"change.forbidden.removed":      {"Ngoài các trang: %[1]s bị gỡ bỏ (đối tượng %[2]s).", "Outside the pages: %[1]s was removed (object %[2]s)."},
	"change.forbidden.page.removed": {"Trang %[3]d: %[1]s bị gỡ bỏ (đối tượng %[2]s).", "Page %[3]d: %[1]s was removed (object %[2]s)."},

	"change.what.object":     {"một đối tượng", "an object"},
	"change.what.page":       {"trang hoặc cây trang", "a page or the page tree"},
	"change.what.font":       {"phông chữ", "a font"},
	"change.what.catalog":    {"danh mục gốc", "the catalog"},
	"change.what.signature":  {"giá trị chữ ký", "a signature value"},
	"change.what.field":      {"ô biểu mẫu", "a form field"},
	"change.what.annotation": {"chú thích", "an annotation"},
	"change.what.image":      {"hình ảnh", "an image"},
	"change.what.appearance": {"hình vẽ", "a drawing"},
	"change.what.content":    {"nội dung trang", "the page's content"},
	"change.what.stream":     {"một khối dữ liệu", "a data stream"},
}
