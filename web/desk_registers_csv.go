package web

import (
	"bufio"
	"encoding/csv"
	"net/http"
	"strconv"
	"strings"

	"antin/exchange"
	"antin/internal/text"
)

// csvPage is how many lines of a register are held at a time while it is written.
const csvPage = 500

// registerCSV sends a whole year of a register as a table for a spreadsheet: UTF-8
// with the mark by which spreadsheets know it, no cell that they would run.
func (h *desk) registerCSV(w http.ResponseWriter, r *http.Request) {
	book, year, err := asked(r)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	lang, _ := text.ParseLang(r.URL.Query().Get("lang"))
	page := exchange.RegisterPage{Limit: csvPage}
	lines, err := h.books().Lines(r.Context(), h.Actor(r), book, year, page)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	head := w.Header()
	head.Set("Content-Type", "text/csv; charset=utf-8")
	head.Set("Content-Disposition", disposition("so-van-ban-"+string(book)+"-"+strconv.Itoa(year)+".csv"))
	head.Set("Cache-Control", "private, no-store")
	buffered := bufio.NewWriter(w)
	_, _ = buffered.WriteString("\ufeff")
	out := csv.NewWriter(buffered)
	out.UseCRLF = true
	_ = out.Write(columnsOf(lang, book))
	for len(lines) > 0 {
		for _, l := range lines {
			_ = out.Write(plainCells(cellsOf(lang, l)))
		}
		if len(lines) < csvPage {
			break
		}
		page.After = lines[len(lines)-1].Seq
		if lines, err = h.books().Lines(r.Context(), h.Actor(r), book, year, page); err != nil {
			h.site.report(traceOf(r), err)
			panic(http.ErrAbortHandler) // a register cut short must not look whole
		}
	}
	out.Flush()
	_ = buffered.Flush() // the client may be gone
}

// plainCells are cells that no spreadsheet takes for a formula: what begins like one
// gets an apostrophe, which spreadsheets read as "this is text".
func plainCells(cells []string) []string {
	out := make([]string, len(cells))
	for i, c := range cells {
		if strings.ContainsAny(firstOf(strings.TrimLeft(c, " \t\r\n")), "=+-@\uff1d\uff0b\uff0d\uff20") || strings.ContainsAny(firstOf(c), "\t\r\n") {
			c = "'" + c
		}
		out[i] = c
	}
	return out
}

// firstOf is the first character of s, empty for an empty s.
func firstOf(s string) string {
	for _, r := range s {
		return string(r)
	}
	return ""
}
