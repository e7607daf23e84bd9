package sandbox

import (
	"encoding/json"
	"flag"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files of testdata anew")

// golden compares JSON with a file; ids and links of a run are named in replace.
func golden(t *testing.T, name, text string, replace ...string) {
	t.Helper()
	text = strings.NewReplacer(replace...).Replace(text)
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	path := "testdata/" + name
	if *update {
		if err := os.WriteFile(path, []byte(text+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.TrimSpace(string(want)), text); diff != "" {
		t.Errorf("%s: %s", name, diff)
	}
}

// What an identifier's histories are is part of the product: demos, bench and
// screenshots rely on them. The files pin them to the byte.
func TestHistoriesAreAlwaysTheSame(t *testing.T) {
	t.Parallel()
	dir, c := t.TempDir(), newClock()
	b := open(t, Config{Dir: dir, Now: c.now})
	ids := map[string]string{}
	for _, curp := range []string{gata, "LALE870908HDFRPD02", "JITM910411HASMMR08", "ZUAL000827HMCXRSA8", "AATE910411HASLMG07", "SABC560626MDFLRN01"} {
		ids[curp] = b.create(curp).AccountID
	}
	var salud createdJSON
	b.do("POST", "/v1/users/accounts", strings.Replace(orderGata, "imss", "issste", 1)).data(t, &salud)
	ids["ISSSTE"] = salud.AccountID
	b.await(7, "login ended")
	check := func() {
		t.Helper()
		for name, id := range ids {
			for _, part := range []string{"profile", "employment"} {
				text := b.do("GET", "/v1/accounts/"+id+"/"+part, "").text
				if i := strings.Index(text, "?X-Amz-"); i > 0 { // a link is made anew at each call
					text = text[:i] + text[i+strings.IndexByte(text[i:], '"'):]
				}
				golden(t, part+"_"+name+".json", text, id, "ACCOUNT", b.http.URL, "http://sandbox")
			}
		}
	}
	check()
	b.stop()
	c.forward(400 * 24 * time.Hour) // what was extracted stays as it was
	b = open(t, Config{Dir: dir, Now: c.now})
	check()
}

func TestKeys(t *testing.T) {
	t.Parallel()
	b := open(t, Config{})
	for key, code := range map[string]string{"": "missing_api_key", "private_x": "invalid_api_key", b.creds.PublicKey: "invalid_api_key"} {
		r := b.do("GET", "/v1/widgets", "", "x-api-key", key)
		var e envelope
		if err := json.Unmarshal([]byte(r.text), &e); err != nil || r.status != 401 || e.Success || e.Data != nil || e.Error.Code != code {
			t.Errorf("key %q: %d %s", key, r.status, r.text)
		}
	}
	if !strings.HasPrefix(b.creds.APIKey, "private_") || strings.Contains(b.creds.APIKey, "-") || len(b.creds.APIKey) != len("private_")+36 {
		t.Errorf("form of the key: %s", b.creds.APIKey)
	}
	if r := b.do("GET", "/ping", "", "x-api-key", ""); r.status != 200 {
		t.Errorf("ping: %d", r.status)
	}
	one, two := b.do("GET", "/v1/widgets", ""), b.do("GET", "/v1/nothing", "")
	if a, z := one.header.Get("X-Request-Id"), two.header.Get("X-Request-Id"); a == "" || a == z {
		t.Errorf("request ids %q %q", a, z)
	}
	if two.status != 404 || two.text != `{"detail":"Not Found"}` {
		t.Errorf("unknown route: %d %s", two.status, two.text)
	}
}

func TestRateLimit(t *testing.T) {
	t.Parallel()
	c := newClock()
	b := open(t, Config{Now: c.now, Rate: 3})
	for i := range 5 {
		r := b.do("GET", "/v1/widgets", "")
		want, left := 200, max(2-i, 0)
		if i > 2 {
			want = 429
		}
		reset, _ := strconv.ParseInt(r.header.Get("X-RateLimit-Reset"), 10, 64)
		if r.status != want || r.header.Get("X-RateLimit-Limit") != "3" || r.header.Get("X-RateLimit-Remaining") != strconv.Itoa(left) || reset != c.now().Add(time.Minute).Unix() {
			t.Errorf("call %d: %d %v", i, r.status, r.header)
		}
		if want == 429 && !strings.Contains(r.text, `"code":"too_many_requests"`) {
			t.Error(r.text)
		}
	}
	if r := b.do("GET", "/v1/widgets", "", "x-api-key", "wrong"); r.status != 401 {
		t.Errorf("a stranger: %d", r.status)
	}
	c.forward(time.Minute)
	if r := b.do("GET", "/v1/widgets", ""); r.status != 200 || r.header.Get("X-RateLimit-Remaining") != "2" {
		t.Errorf("next window: %d", r.status)
	}
	b.set(`{"rate":0}`)
	if r := b.do("GET", "/v1/widgets", ""); r.header.Get("X-RateLimit-Limit") != "" {
		t.Error("headers of a limit that is off")
	}
}

func TestTwoKindsOf422(t *testing.T) {
	t.Parallel()
	b := open(t, Config{})
	for _, c := range []struct{ path, body, want string }{
		{"/v1/users/accounts", ``, `{"detail":[{"loc":["body"],"msg":"Field required","type":"missing"}]}`},
		{"/v1/users/accounts", `{`, `{"detail":[{"loc":["body",0],"msg":"JSON decode error","type":"json_invalid"}]}`},
		{"/v1/users/accounts", `[]`, `"type":"model_attributes_type"`},
		{"/v1/users/accounts", `{"identifier":7,"country":"mx","platform":"imss"}`, `{"detail":[{"loc":["body","identifier"],"msg":"Input should be a valid string","type":"string_type"}]}`},
		{"/v1/users/accounts", `{"identifier":"` + gata + `","country":"xx","platform":"imss"}`, `{"loc":["body","country"],"msg":"Input should be one of the listed values","type":"enum"}`},
		{"/v1/users/accounts", `{"identifier":"` + gata + `","country":"mx","platform":"imsss"}`, `"loc":["body","platform"]`},
		{"/v1/users/accounts", `{"identifier":"` + gata + `","country":"mx","platform":["imss","issste"]}`, `"loc":["body","platform"]`},
		{"/v1/users/accounts", `{"identifier":"` + gata + `","country":"mx","platform":"imss","widget_id":"x"}`, `"type":"uuid_parsing"`},
		{"/v1/users/accounts", `{"country":"mx","platform":"imss"}`, `{"success":false,"error":{"code":"bad_request","message":"Malformed or missing parameter","errors":[{"message":"Field required","location":"identifier"}]},"data":null}`},
		{"/v1/users/accounts", `{"identifier":null,"country":"mx"}`, `"errors":[{"message":"Field required","location":"identifier"},{"message":"Field required","location":"platform"}]`},
		{"/v1/users/accounts", `{"identifier":"GATA000408","country":"mx","platform":"imss"}`, `"errors":[{"message":"The identifier is not a valid CURP","location":"identifier"}]`},
		{"/v1/users/accounts", `{"identifier":"` + gata + `","country":"co","platform":"imss"}`, `"location":"country"`},
		{"/v1/accounts", orderGata, `"errors":[{"message":"Field required","location":"user_id"}]`},
		{"/v1/webhooks", `{"url":"nowhere","name":"n"}`, `"type":"url_parsing"`},
		{"/v1/webhooks", `{"url":"http://x/","name":"n"}`, `"errors":[{"message":"Field required","location":"widget_id"},{"message":"Field required","location":"is_sandbox"}]`},
		{"/v1/webhooks", `{"url":"http://x/","name":"n","is_sandbox":"si","events":"*"}`, `"type":"list_type"`},
		{"/v1/users/search", `{"start_date":"yesterday"}`, `"loc":["body","start_date"]`},
		{"/v1/users/search", `{"options":{"page":0}}`, `"loc":["body","options"]`},
		{"/v1/widgets", `{}`, `"location":"name"`},
	} {
		r := b.do("POST", c.path, c.body)
		if r.status != 422 || !strings.Contains(r.text, c.want) {
			t.Errorf("%s %s: %d %s", c.path, c.body, r.status, r.text)
		}
	}
	for _, path := range []string{"/v1/accounts", "/v1/accounts/find-by-identifier"} {
		if r := b.do("GET", path, ""); r.status != 422 || !strings.Contains(r.text, "bad_request") {
			t.Errorf("%s: %d %s", path, r.status, r.text)
		}
	}
	big := `{"identifier":"` + strings.Repeat("A", maxBody) + `"}`
	if r := b.do("POST", "/v1/users/accounts", big); r.status != 413 {
		t.Errorf("big body: %d", r.status)
	}
	if r := b.do("POST", "/v1/users/accounts", strings.Replace(orderGata, "imss", "uber", 1)); r.status != 503 || !strings.Contains(r.text, "platform_unavailable") {
		t.Errorf("a platform not played: %d %s", r.status, r.text)
	}
}

func TestNotFound(t *testing.T) {
	t.Parallel()
	b := open(t, Config{})
	const none = "5666d5d1-a01a-4261-8dfe-0f9d41f8dfc0"
	for _, route := range []string{
		"GET /v1/users/" + none, "DELETE /v1/users/" + none, "GET /v1/users/" + none + "/accounts",
		"GET /v1/accounts/" + none, "DELETE /v1/accounts/" + none, "GET /v1/accounts/" + none + "/profile", "GET /v1/accounts/" + none + "/employment",
		"GET /v1/accounts/" + none + "/logins", "GET /v1/accounts/" + none + "/last-login", "GET /v1/logins/" + none,
		"POST /v1/accounts/" + none + "/retry", "POST /v1/accounts/" + none + "/refresh", "POST /v1/accounts/" + none + "/resend-webhook",
		"POST /v1/logins/" + none + "/send-webhook", "GET /v1/webhooks/" + none, "DELETE /v1/webhooks/" + none, "GET /v1/widgets/" + none,
		"GET /v1/accounts/find-by-identifier?identifier=" + gata,
	} {
		method, path, _ := strings.Cut(route, " ")
		if r := b.do(method, path, ""); r.status != 404 || !strings.Contains(r.text, `"code":"not_found"`) {
			t.Errorf("%s: %d %s", route, r.status, r.text)
		}
	}
	for route, body := range map[string]string{
		"PUT /v1/webhooks/" + none:             `{}`,
		"POST /v1/users/" + none + "/accounts": orderGata,
		"POST /v1/accounts":                    strings.Replace(orderGata, "{", `{"user_id":"`+none+`",`, 1),
		"POST /v1/users/accounts":              strings.Replace(orderGata, "{", `{"widget_id":"`+none+`",`, 1),
		"POST /v1/users":                       `{"connect_flow_id":"` + none + `"}`,
		"POST /v1/webhooks":                    `{"url":"http://x/","name":"n","is_sandbox":true,"widget_id":"` + none + `"}`,
	} {
		method, path, _ := strings.Cut(route, " ")
		if r := b.do(method, path, body); r.status != 404 {
			t.Errorf("%s: %d %s", route, r.status, r.text)
		}
	}
}

func TestFilesExpire(t *testing.T) {
	t.Parallel()
	c := newClock()
	b := open(t, Config{Now: c.now})
	made := b.create(gata)
	b.await(1, "login ended")
	var e struct {
		Info infoJSON `json:"employment_info"`
	}
	b.do("GET", "/v1/accounts/"+made.AccountID+"/employment", "").data(t, &e)
	if len(e.Info.Files) != 1 || strings.Contains(e.Info.Files[0].URL, gata) {
		t.Fatalf("%+v", e.Info.Files)
	}
	path := strings.TrimPrefix(e.Info.Files[0].URL, b.http.URL)
	if r := b.do("GET", path, "", "x-api-key", ""); r.status != 200 || !strings.HasPrefix(r.text, "%PDF-1.4") || !strings.HasSuffix(r.text, "%%EOF\n") ||
		r.header.Get("Content-Type") != "application/pdf" || !strings.Contains(r.text, gata) {
		t.Errorf("%d %.200s", r.status, r.text)
	}
	if r := b.do("GET", path+"0", ""); r.status != 403 {
		t.Errorf("forged: %d", r.status)
	}
	c.forward(901 * time.Second)
	if r := b.do("GET", path, ""); r.status != 403 {
		t.Errorf("after 901 s: %d", r.status)
	}
}

func TestNoCURPInTheLog(t *testing.T) {
	t.Parallel()
	b, r := open(t, Config{}), receive(t, nil)
	b.subscribe(r.URL, "")
	made := b.create(gata)
	r.next(t)
	r.next(t)
	b.await(2, "webhook attempt")
	for _, path := range []string{"/v1/accounts?gov_id=" + gata, "/v1/accounts/find-by-identifier?identifier=" + gata, "/v1/accounts/" + gata,
		"/v1/accounts/" + made.AccountID + "/employment", "/v1/" + gata, "/" + gata} {
		b.do("GET", path, "")
	}
	if text := b.log.text(); strings.Contains(text, gata) || !strings.Contains(text, "GET /v1/accounts/find-by-identifier") {
		t.Error(text)
	}
}
