package web_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"cotejo/web"
)

func TestFormValues(t *testing.T) {
	t.Parallel()
	f, err := web.ParseForm(postForm("/?curp=from-query&only=query", "curp=++abc+&password=+p%20w+&note=a%0D%0Ab&on=on&t=true&off=no&n=12&big=99&x=1&x=+2+&empty=&&%C3%B1=%C3%B1"), web.FormLimits{})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"curp": "abc", "note": "a\nb", "only": "", "empty": "", "ñ": "ñ", "x": "1"} {
		if got := f.Get(name); got != want {
			t.Errorf("Get(%q) = %q, want %q", name, got, want)
		}
	}
	if got := f.Raw("password"); got != " p w " {
		t.Errorf("password %q", got)
	}
	if diff := cmp.Diff([]string{"1", "2"}, f.All("x")); diff != "" {
		t.Error(diff)
	}
	if len(f.All("absent")) != 0 || f.Has("absent") || f.Has("only") || !f.Has("empty") {
		t.Error("presence is wrong")
	}
	if !f.Bool("on") || !f.Bool("t") || !f.Bool("x") || f.Bool("off") || f.Bool("absent") {
		t.Error("check boxes are wrong")
	}
	if f.Int("n", 1, 50) != 12 || f.Errors.Any() {
		t.Errorf("n: %v", f.Errors)
	}
	for _, name := range []string{"big", "curp", "absent"} {
		if got := f.Int(name, 1, 50); got != 1 {
			t.Errorf("Int(%q) = %d", name, got)
		}
	}
	f.Errors.Add("big", "later")
	want := web.FieldErrors{}
	for _, name := range []string{"big", "curp", "absent"} {
		want[name] = web.FieldError{Field: name, ID: web.MsgFormNumber, Args: []any{"Lowest", int64(1), "Highest", int64(50)}}
	}
	if diff := cmp.Diff(want, f.Errors); diff != "" {
		t.Error(diff)
	}
}

func TestFormRefusals(t *testing.T) {
	t.Parallel()
	small := web.FormLimits{Bytes: 40, Fields: 3, Value: 10}
	cases := map[string]struct {
		body   string
		status int
		msg    string
	}{
		"at its limits":     {"a=0123456789&b=&c=", 0, ""},
		"too many bytes":    {strings.Repeat("a", 41), 413, ""},
		"too many fields":   {"a=&b=&c=&d=", 413, ""},
		"empty fields too":  {"&&&", 413, ""},
		"value too long":    {"a=01234567890", 413, ""},
		"bad escape":        {"a=%zz", 400, web.MsgFormUnreadable},
		"bad escape, name":  {"%zz=a", 400, web.MsgFormUnreadable},
		"NUL":               {"a=x%00y", 400, web.MsgFormText},
		"NUL, name":         {"a%00=x", 400, web.MsgFormText},
		"not UTF-8":         {"a=%ff", 400, web.MsgFormText},
		"overlong UTF-8":    {"a=%c0%af", 400, web.MsgFormText},
		"surrogate":         {"a=%ed%a0%80", 400, web.MsgFormText},
		"empty is no error": {"", 0, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := web.ParseForm(postForm("/", c.body), small)
			var got *web.Error
			errors.As(err, &got)
			if got == nil {
				got = &web.Error{}
			}
			if got.Status != c.status || got.MessageID != c.msg {
				t.Errorf("%d %q, want %d %q", got.Status, got.MessageID, c.status, c.msg)
			}
		})
	}
}

func TestOnlyAFormIsAForm(t *testing.T) {
	t.Parallel()
	for contentType, ok := range map[string]bool{
		"application/x-www-form-urlencoded":                true,
		"application/x-www-form-urlencoded; charset=UTF-8": true,
		"application/json":                                 false,
		"multipart/form-data; boundary=":                   false,
		"text/plain":                                       false,
		"":                                                 false,
	} {
		r := postForm("/", "a=1")
		r.Header.Set("Content-Type", contentType)
		if _, err := web.ParseForm(r, web.FormLimits{}); (err == nil) != ok {
			t.Errorf("%q: %v", contentType, err)
		}
	}
}

func TestMaxBodyCountsForForms(t *testing.T) {
	t.Parallel()
	a := &web.Adapter{Log: quiet()}
	h := web.MaxBody(5)(a.Handle(func(w http.ResponseWriter, r *http.Request) error {
		_, err := web.ParseForm(r, web.FormLimits{})
		return err
	}))
	if rec := do(h, postForm("/", "a=12345")); rec.Code != 413 {
		t.Errorf("status %d", rec.Code)
	}
}

func TestMessageIDsAreDistinct(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, id := range web.MessageIDs() {
		if id == "" || seen[id] {
			t.Errorf("id %q", id)
		}
		seen[id] = true
	}
}

// What is accepted is text, within its limits, and the same as the standard library reads.
func FuzzParseForm(f *testing.F) {
	for _, s := range []string{"a=1&b=2", "a=%00", "%ff=1", "a=1&a=2;c", "=", "&", "a==b", "+=+", "a=%F0%9F%98%80"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		form, err := web.ParseForm(postForm("/", body), web.FormLimits{Bytes: 1 << 10, Fields: 10, Value: 100})
		if err != nil {
			var kind *web.Error
			if !errors.As(err, &kind) || kind.Status != 400 && kind.Status != 413 {
				t.Errorf("kind of %v", err)
			}
			return
		}
		want, stdErr := url.ParseQuery(body)
		if stdErr != nil {
			if !strings.Contains(body, ";") { // the library refuses these; browsers escape them
				t.Fatalf("accepted what is no form: %v", stdErr)
			}
			return
		}
		n := 0
		for name, values := range want {
			n += len(values)
			if form.Raw(name) != values[0] || len(form.All(name)) != len(values) {
				t.Errorf("%q read differently", name)
			}
			for _, v := range append(form.All(name), name) {
				if !utf8.ValidString(v) || strings.Contains(v, "\x00") || strings.Contains(v, "\r\n") {
					t.Errorf("%q is no text", v)
				}
			}
		}
		if n > 10 {
			t.Errorf("%d fields", n)
		}
	})
}
