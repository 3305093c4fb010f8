package api

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"antin/exchange"
	"antin/internal/text"
)

const csvType = "text/csv; charset=utf-8"

type linesIn struct {
	Register exchange.Book `path:"register" enum:"di,den"`
	Year     int           `query:"year" minimum:"1945" maximum:"9999"`
	After    int           `query:"after" minimum:"0" maximum:"9999999"`
	Limit    int           `query:"limit" minimum:"1" maximum:"500" default:"100"`
	Accept   string        `header:"Accept" maxLength:"1000"`
}

type lineBody struct {
	Number     int         `json:"number"`
	Year       int         `json:"year"`
	Subject    exchange.ID `json:"subject_id,omitempty"`
	At         time.Time   `json:"at"`
	By         actorBody   `json:"by"`
	FullNumber string      `json:"full_number,omitempty"`
	Date       string      `json:"date,omitempty" format:"date"`
	Kind       string      `json:"document_kind,omitempty"`
	Title      string      `json:"subject,omitempty"`
	Signer     string      `json:"signer_name,omitempty"`
	Receivers  string      `json:"receivers,omitempty"`
	Keeper     string      `json:"keeper,omitempty"`
	Copies     int         `json:"copies,omitempty"`
	Arrived    string      `json:"arrived_on,omitempty" format:"date"`
	From       string      `json:"from,omitempty"`
	Handler    string      `json:"handler,omitempty"`
	Moved      string      `json:"moved_on,omitempty" format:"date"`
	Remark     string      `json:"remark,omitempty"`
	ByHand     bool        `json:"by_hand"`
	Void       string      `json:"void,omitempty"`
}

func lineOf(l exchange.Line) lineBody {
	c := l.Columns
	b := lineBody{Number: l.Seq, Year: l.Year, Subject: l.Subject, At: local(l.At), By: actorOf(l.By), FullNumber: c.Number,
		Date: day(c.Date), Kind: c.Kind, Title: c.Subject, Signer: c.Signer, Receivers: c.Receivers, Keeper: c.Keeper, Copies: c.Copies,
		Arrived: day(c.Arrived), From: c.From, Handler: c.Handler, Moved: day(c.Moved), Remark: c.Note, ByHand: l.ByHand}
	if l.Void != nil {
		b.Void = l.Void.Reason
	}
	return b
}

type linesBody struct {
	Items []lineBody `json:"items"`
	Next  int        `json:"next,omitempty"`
}

// linesOut is JSON or CSV, written by the handler.
type linesOut struct {
	ContentType string `header:"Content-Type"`
	Vary        string `header:"Vary"`
	Link        string `header:"Link"`
	Body        []byte
}

func (s *Server) registerRoutes(b *builder) {
	register(b, route{id: "list-numbers", method: http.MethodGet, path: "/v1/registers/{register}/numbers", tag: "registers", scope: ScopeRegistersRead}, s.listNumbers)
	register(b, route{id: "take-number", method: http.MethodPost, path: "/v1/registers/{register}/numbers", tag: "registers", scope: ScopeRegistersWrite, legal: true,
		status: http.StatusCreated, maxJSON: maxSmallJSON}, s.takeNumber)
	register(b, route{id: "void-number", method: http.MethodPost, path: "/v1/registers/{register}/numbers/{year}/{number}:void", tag: "registers",
		people: true, roles: clerk, legal: true, maxJSON: maxSmallJSON}, s.voidNumber)
	register(b, route{id: "start-register", method: http.MethodPost, path: "/v1/registers/{register}:start", tag: "registers",
		people: true, roles: clerk, legal: true, maxJSON: maxSmallJSON}, s.startRegister)
}

// listNumbers gives the lines of a register in the columns that the statute prints.
func (s *Server) listNumbers(ctx context.Context, in *linesIn) (*linesOut, error) {
	year := in.Year
	if year == 0 {
		year = s.Now().In(exchange.Vietnam).Year()
	}
	lines, err := s.Registers.Lines(ctx, actor(ctx), in.Register, year, exchange.RegisterPage{After: in.After, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	body := linesBody{Items: []lineBody{}}
	for _, l := range lines {
		body.Items = append(body.Items, lineOf(l))
	}
	out := &linesOut{Vary: "Accept"}
	if len(lines) == in.Limit {
		body.Next = lines[len(lines)-1].Seq
		out.Link = fmt.Sprintf(`<%s/v1/registers/%s/numbers?year=%d&limit=%d&after=%d>; rel="next"`, s.Prefix, in.Register, year, in.Limit, body.Next)
	}
	if wantsCSV(in.Accept) {
		out.ContentType = csvType
		out.Body, err = linesCSV(body.Items)
		return out, err
	}
	out.ContentType = jsonType
	out.Body, err = json.Marshal(body)
	return out, err
}

// wantsCSV reports whether an Accept header names CSV and not JSON before it.
func wantsCSV(accept string) bool {
	for part := range strings.SplitSeq(accept, ",") {
		t, _, _ := strings.Cut(strings.TrimSpace(part), ";")
		switch strings.ToLower(strings.TrimSpace(t)) {
		case "text/csv":
			return true
		case jsonType, "*/*", "application/*":
			return false
		}
	}
	return false
}

// linesCSV writes the lines for a spreadsheet: with the mark that makes it read
// UTF-8, and nothing that it would take for a formula.
func linesCSV(lines []lineBody) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("\ufeff")
	w := csv.NewWriter(&b)
	rows := [][]string{strings.Split("number,year,full_number,date,document_kind,subject,signer_name,receivers,keeper,copies,arrived_on,from,handler,moved_on,remark,by_hand,void,subject_id", ",")}
	for _, l := range lines {
		row := []string{strconv.Itoa(l.Number), strconv.Itoa(l.Year), l.FullNumber, l.Date, l.Kind, l.Title, l.Signer, l.Receivers, l.Keeper, strconv.Itoa(l.Copies),
			l.Arrived, l.From, l.Handler, l.Moved, l.Remark, strconv.FormatBool(l.ByHand), l.Void, string(l.Subject)}
		for i := range row {
			row[i] = harmless(row[i])
		}
		rows = append(rows, row)
	}
	if err := w.WriteAll(rows); err != nil {
		return nil, fmt.Errorf("writing register: %w", err)
	}
	return b.Bytes(), nil
}

// harmless keeps a spreadsheet from running what a sender wrote.
func harmless(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

type takeRequest struct {
	Subject      string `json:"subject_id" minLength:"1" maxLength:"64"`
	Number       int    `json:"number,omitempty" minimum:"1" maximum:"9999999"`
	ActingPerson string `json:"acting_person,omitempty" maxLength:"200"`
}

type takeIn struct {
	Register       exchange.Book `path:"register" enum:"di,den"`
	IdempotencyKey string        `header:"Idempotency-Key" required:"true" minLength:"1" maxLength:"200" pattern:"^[!-~]+$"`
	Body           takeRequest
}

// takeNumber takes the next number of the register for a document or a result, or
// enters the one that the agency's own register gave. An incoming document gets its
// number when it is accepted.
func (s *Server) takeNumber(ctx context.Context, in *takeIn) (*paperOut, error) {
	if in.Register != exchange.BookOutgoing {
		return nil, &refusal{err: text.Detailed(text.InvalidInput, nil, "api.arrival-number"), fields: []fault{newFault("path/register", faultValue)}}
	}
	id, err := paperID(in.Body.Subject, "/subject_id")
	if err != nil {
		return nil, err
	}
	who, err := acting(ctx, in.Body.ActingPerson)
	if err != nil {
		return nil, err
	}
	if _, err := s.Press.Number(ctx, who, id, in.Body.Number); err != nil {
		return nil, err
	}
	return papers{Server: s}.state(ctx, id)
}

type voidIn struct {
	Register       exchange.Book `path:"register" enum:"di,den"`
	Year           int           `path:"year" minimum:"1945" maximum:"9999"`
	Number         int           `path:"number" minimum:"1" maximum:"9999999"`
	IdempotencyKey string        `header:"Idempotency-Key" required:"true" minLength:"1" maxLength:"200" pattern:"^[!-~]+$"`
	Body           returnRequest
}

type voidOut struct {
	Body struct {
		Number int    `json:"number"`
		Year   int    `json:"year"`
		Void   string `json:"void"`
	}
}

// voidNumber explains a number that stands for no document. It stays in the register.
func (s *Server) voidNumber(ctx context.Context, in *voidIn) (*voidOut, error) {
	who, err := acting(ctx, "")
	if err != nil {
		return nil, err
	}
	if err := s.Registers.Void(ctx, who, in.Register, in.Year, in.Number, in.Body.Reason); err != nil {
		return nil, err
	}
	var out voidOut
	out.Body.Number, out.Body.Year, out.Body.Void = in.Number, in.Year, in.Body.Reason
	return &out, nil
}

type startRequest struct {
	Year  int `json:"year" minimum:"1945" maximum:"9999"`
	First int `json:"first" minimum:"1" maximum:"9999999"`
}

type startIn struct {
	Register       exchange.Book `path:"register" enum:"di,den"`
	IdempotencyKey string        `header:"Idempotency-Key" required:"true" minLength:"1" maxLength:"200" pattern:"^[!-~]+$"`
	Body           startRequest
}

type startOut struct{ Body startRequest }

// startRegister sets the first number of a year, once, before any is given.
func (s *Server) startRegister(ctx context.Context, in *startIn) (*startOut, error) {
	who, err := acting(ctx, "")
	if err != nil {
		return nil, err
	}
	if err := s.Registers.SetFirst(ctx, who, in.Register, in.Body.Year, in.Body.First); err != nil {
		return nil, err
	}
	return &startOut{Body: in.Body}, nil
}
