package sandbox

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// fileLife is how long a link to a file works; the vendor's are pre-signed for
// as long.
const fileLife = 900 * time.Second

// employmentFiles lists an account's papers with links that need no key and
// expire. A person without employment has none.
func (s *Server) employmentFiles(a *account, any bool, host string) []fileJSON {
	if !any {
		return []fileJSON{}
	}
	kind := "imss_employment_record"
	if a.Platform == "issste" {
		kind = "issste_employment_file"
	}
	return []fileJSON{{s.fileLink(host, a.ID, kind), kind, a.ID}}
}

// fileLink makes a link to a paper of an account or a verification. It names
// their id and not the person.
func (s *Server) fileLink(host, id, kind string) string {
	issued := s.now().Truncate(time.Second)
	path := "/_sandbox/files/" + id + "/" + kind + ".pdf"
	return fmt.Sprintf("%s%s?X-Amz-Date=%s&X-Amz-Expires=%d&X-Amz-Signature=%s", s.base(host), path,
		issued.Format("20060102T150405Z"), int(fileLife.Seconds()), s.fileSignature(path, issued))
}

// fileSignature binds a link to its path and its time; whoever changes either
// is refused.
func (s *Server) fileSignature(path string, issued time.Time) string {
	m := hmac.New(sha256.New, []byte(s.creds.FileKey))
	m.Write([]byte(path + " " + strconv.FormatInt(issued.Unix(), 10)))
	return hex.EncodeToString(m.Sum(nil))
}

// file serves a paper to whoever holds a link that is still good.
func (s *Server) file(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	issued, err := time.Parse("20060102T150405Z", q.Get("X-Amz-Date"))
	good := err == nil && hmac.Equal([]byte(q.Get("X-Amz-Signature")), []byte(s.fileSignature(r.URL.Path, issued)))
	if !good || s.now().After(issued.Add(fileLife)) {
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte("<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"))
		return
	}
	s.mu.Lock()
	var lines []string
	if a := s.st.accounts.get(r.PathValue("id")); a != nil {
		lines = record(a)
	} else if v := s.st.verifications.get(r.PathValue("id")); v != nil {
		lines = s.buroRecord(v, strings.TrimSuffix(r.PathValue("name"), ".pdf"))
	}
	s.mu.Unlock()
	if lines == nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/pdf")
	_, _ = w.Write(pdf(lines))
}

// record is the text of an account's paper: marked as invented on every page,
// since a PDF travels further than the screen it came from.
func record(a *account) []string {
	e := employment(a, false)
	lines := []string{"DOCUMENTO DE PRUEBA - SIN VALIDEZ / TEST DOCUMENT - NOT VALID", "CURP: " + a.Identifier, "Fecha: " + a.LastSuccess.Format(time.DateOnly)}
	if q := e.Info.Quoted; q != nil {
		lines = append(lines, fmt.Sprintf("Semanas cotizadas: %d   descontadas: %d   reintegradas: %d", *q, *e.Info.Discounted, *e.Info.Reintegrated))
	}
	for _, h := range e.History {
		end := "Vigente"
		if h.EndDate != nil {
			end = *h.EndDate
		}
		registration := ""
		if h.Registration != nil {
			registration = *h.Registration + "   "
		}
		base, _ := h.BaseSalary.MarshalJSON()
		lines = append(lines, "", h.Employer, fmt.Sprintf("%s%s   alta %s   baja %s   salario base $%s", registration, *h.FederalEntity, *h.StartDate, end, base))
	}
	return lines
}

// pdfLines is how many lines a page takes.
const pdfLines = 50

// pdf sets lines of text in a PDF 1.4 with the Helvetica that every reader has.
func pdf(lines []string) []byte {
	var pages [][]string
	for len(lines) > pdfLines {
		pages = append(pages, lines[:pdfLines])
		lines = append([]string{lines[0]}, lines[pdfLines:]...)
	}
	pages = append(pages, lines)
	var objects, kids []string
	for i, page := range pages {
		var text bytes.Buffer
		text.WriteString("BT /F1 9 Tf 40 800 Td 15 TL\n")
		for _, line := range page {
			text.WriteString("(" + latin1(line) + ") Tj T*\n")
		}
		text.WriteString("ET")
		n := 4 + 2*i
		kids = append(kids, fmt.Sprintf("%d 0 R", n))
		objects = append(objects,
			fmt.Sprintf("<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F1 3 0 R>>>>/Contents %d 0 R>>", n+1),
			fmt.Sprintf("<</Length %d>>\nstream\n%s\nendstream", text.Len(), text.String()))
	}
	objects = append([]string{
		"<</Type/Catalog/Pages 2 0 R>>",
		fmt.Sprintf("<</Type/Pages/Count %d/Kids[%s]>>", len(kids), strings.Join(kids, " ")),
		"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
	}, objects...)
	var out bytes.Buffer
	out.WriteString("%PDF-1.4\n")
	offsets := make([]int, len(objects))
	for i, o := range objects {
		offsets[i] = out.Len()
		fmt.Fprintf(&out, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	table := out.Len()
	fmt.Fprintf(&out, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, at := range offsets {
		fmt.Fprintf(&out, "%010d 00000 n \n", at)
	}
	fmt.Fprintf(&out, "trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, table)
	return out.Bytes()
}

// latin1 encodes a PDF string: one byte a letter, brackets escaped.
func latin1(s string) string {
	b := make([]byte, 0, len(s))
	for _, r := range s {
		switch {
		case r == '(' || r == ')' || r == '\\':
			b = append(b, '\\', byte(r))
		case r < 256:
			b = append(b, byte(r))
		default:
			b = append(b, '?')
		}
	}
	return string(b)
}
