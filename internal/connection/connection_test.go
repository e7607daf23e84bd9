package connection_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cotejo/internal/connection"
	"cotejo/internal/lookup"
)

// A key for tests never goes to the live host, nor a live key to a test one, however the address is written.
func TestCheckBaseURL(t *testing.T) {
	t.Parallel()
	const bad, plain, live, test = "admin.connection.url_bad", "admin.connection.url_plain", "admin.connection.url_is_live", "admin.connection.url_is_test"
	for _, c := range []struct{ url, sandbox, production string }{
		{"https://sandbox.palenca.com/v1", "", test},
		{"https://api.palenca.com/v1", live, ""},
		{"https://api.palenca.com./v1", live, ""},
		{"https://sandbox.palenca.com./v1", "", test},
		{"https://:443/v1", bad, bad},
		{"HTTPS://API.Palenca.COM:443/v1", live, ""},
		{"https://SANDBOX.palenca.com:443", "", test},
		{"https://gateway.bank.mx/palenca", "", ""},
		{"http://127.0.0.1:8090", "", test},
		{"http://localhost:8090/v1", "", test},
		{"http://[::1]:8090", "", test},
		{"https://127.0.0.2", "", test},
		{"http://sandbox.palenca.com", plain, plain},
		{"http://api.palenca.com", plain, plain},
		{"http://10.0.0.1", plain, plain},
		{"http://127.0.0.1.nip.io", plain, plain},
		{"", bad, bad},
		{"api.palenca.com", bad, bad},
		{"//api.palenca.com", bad, bad},
		{"https://", bad, bad},
		{"https://user:pass@api.palenca.com", bad, bad},
		{"https://api.palenca.com@evil.example", bad, bad},
		{"https://api.palenca.com?key=1", bad, bad},
		{"https://api.palenca.com#x", bad, bad},
		{"ftp://api.palenca.com", bad, bad},
		{"file:///etc/passwd", bad, bad},
		{"javascript:alert(1)", bad, bad},
		{"https://exa mple", bad, bad},
		{"https://%zz", bad, bad},
		{"https://api.burodeingresos.com", "admin.connection.url_is_other", "admin.connection.url_is_other"},
	} {
		if got := connection.CheckBaseURL(c.url, lookup.Sandbox, lookup.Palenca, false); got != c.sandbox {
			t.Errorf("%q for sandbox: %q, want %q", c.url, got, c.sandbox)
		}
		if got := connection.CheckBaseURL(c.url, lookup.Production, lookup.Palenca, false); got != c.production {
			t.Errorf("%q for production: %q, want %q", c.url, got, c.production)
		}
	}
}

// Buró has one host for both, so a sandbox reaches it only with the header that is said to make a request a test.
func TestCheckBaseURLOfBuro(t *testing.T) {
	t.Parallel()
	const live, test, other = "admin.connection.url_is_live", "admin.connection.url_is_test", "admin.connection.url_is_other"
	for _, c := range []struct{ url, sandbox, header, production string }{
		{"https://api.burodeingresos.com", live, "", ""},
		{"https://API.burodeingresos.com.", live, "", ""},
		{"https://gateway.bank.mx/buro", "", "", ""},
		{"http://127.0.0.1:8090", "", "", test},
		{"http://api.burodeingresos.com", "admin.connection.url_plain", "admin.connection.url_plain", "admin.connection.url_plain"},
		{"https://api.palenca.com/v1", other, other, other},
		{"https://sandbox.palenca.com", other, other, other},
		{"https://palenca.com", other, other, other},
		{"https://notpalenca.com", "", "", ""},
	} {
		if got := connection.CheckBaseURL(c.url, lookup.Sandbox, lookup.Buro, false); got != c.sandbox {
			t.Errorf("%q for sandbox: %q, want %q", c.url, got, c.sandbox)
		}
		if got := connection.CheckBaseURL(c.url, lookup.Sandbox, lookup.Buro, true); got != c.header {
			t.Errorf("%q for sandbox with its header: %q, want %q", c.url, got, c.header)
		}
		if got := connection.CheckBaseURL(c.url, lookup.Production, lookup.Buro, false); got != c.production {
			t.Errorf("%q for production: %q, want %q", c.url, got, c.production)
		}
	}
}

func TestFormCheck(t *testing.T) {
	t.Parallel()
	good := connection.Form{Name: "Palenca", Dialect: lookup.Palenca, BaseURL: "https://sandbox.palenca.com/v1", Key: "private_key", WidgetID: "6a3b1c9e-2b5f-4c7d-9e1a-0f2b4d6c8e10", CallsPerMinute: "120"}
	for _, test := range []struct {
		name   string
		stored bool
		change func(*connection.Form)
		want   []string
	}{
		{"good", false, func(f *connection.Form) {}, nil},
		{"no widget", false, func(f *connection.Form) { f.WidgetID = "" }, nil},
		{"key kept", true, func(f *connection.Form) { f.Key = "" }, nil},
		{"key missing", false, func(f *connection.Form) { f.Key = "" }, []string{"key admin.connection.key_missing"}},
		{"key of the widget", true, func(f *connection.Form) { f.Key = "public_x" }, []string{"key admin.connection.key_public"}},
		{"key with a line break", false, func(f *connection.Form) { f.Key = "private\r\nX: y" }, []string{"key admin.connection.key_bad"}},
		{"key too long", false, func(f *connection.Form) { f.Key = strings.Repeat("k", 513) }, []string{"key admin.connection.key_bad"}},
		{"key not ASCII", false, func(f *connection.Form) { f.Key = "privatë" }, []string{"key admin.connection.key_bad"}},
		{"no name", false, func(f *connection.Form) { f.Name = "  " }, []string{"name admin.connection.name_missing"}},
		{"longest name", false, func(f *connection.Form) { f.Name = strings.Repeat("ñ", 80) }, nil},
		{"long name", false, func(f *connection.Form) { f.Name = strings.Repeat("ñ", 81) }, []string{"name admin.connection.name_long"}},
		{"live host", false, func(f *connection.Form) { f.BaseURL = "https://api.palenca.com/v1" }, []string{"base_url admin.connection.url_is_live"}},
		{"widget", false, func(f *connection.Form) { f.WidgetID = "mine" }, []string{"widget_id admin.connection.widget_bad"}},
		{"no calls", false, func(f *connection.Form) { f.CallsPerMinute = "0" }, []string{"calls_per_minute admin.connection.calls_bad"}},
		{"too many calls", false, func(f *connection.Form) { f.CallsPerMinute = "121" }, []string{"calls_per_minute admin.connection.calls_bad"}},
		{"calls in words", false, func(f *connection.Form) { f.CallsPerMinute = "many" }, []string{"calls_per_minute admin.connection.calls_bad"}},
		{"a price", false, func(f *connection.Form) { f.Price, f.Currency = " 12.5075 ", "usd" }, nil},
		{"a price of nothing", false, func(f *connection.Form) { f.Price = "0" }, nil},
		{"a price in words", false, func(f *connection.Form) { f.Price = "doce" }, []string{"price admin.connection.price_bad"}},
		{"a price with a sign", false, func(f *connection.Form) { f.Price = "-1" }, []string{"price admin.connection.price_bad"}},
		{"a price with a comma", false, func(f *connection.Form) { f.Price = "12,50" }, []string{"price admin.connection.price_bad"}},
		{"a price as a power", false, func(f *connection.Form) { f.Price = "1e3" }, []string{"price admin.connection.price_bad"}},
		{"a price as a fraction", false, func(f *connection.Form) { f.Price = "1/2" }, []string{"price admin.connection.price_bad"}},
		{"five places", false, func(f *connection.Form) { f.Price = "0.00001" }, []string{"price admin.connection.price_bad"}},
		{"a milliard", false, func(f *connection.Form) { f.Price = "1000000000" }, []string{"price admin.connection.price_bad"}},
		{"no currency", false, func(f *connection.Form) { f.Price, f.Currency = "1", "pesos" }, []string{"currency admin.connection.currency_bad"}},
		{"a key and a widget of Buró", false, func(f *connection.Form) {
			f.Dialect, f.BaseURL, f.Key, f.WidgetID = lookup.Buro, "https://gateway.bank.mx", "public_x", "not read"
		}, nil},
		{"the header for Palenca", false, func(f *connection.Form) { f.SandboxHeader = true }, []string{"sandbox_header admin.connection.header_live"}},
		{"nothing", false, func(f *connection.Form) { *f = connection.Form{} }, []string{"name admin.connection.name_missing",
			"base_url admin.connection.url_bad", "key admin.connection.key_missing", "calls_per_minute admin.connection.calls_bad"}},
	} {
		f := good
		test.change(&f)
		var got []string
		for _, p := range f.Check(lookup.Sandbox, test.stored) {
			got = append(got, p.Field+" "+p.ID)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestPaused(t *testing.T) {
	t.Parallel()
	if (connection.Connection{}).Paused() || !(connection.Connection{PausedAt: time.Unix(1, 0)}).Paused() {
		t.Error("a connection is paused from the moment given")
	}
}

// A cost is exact, however many lookups there are.
func TestPriceTimes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		price string
		n     int
		want  string
	}{
		{"12.50", 3, "37.50"}, {"12.5", 3, "37.50"}, {"12", 10_000, "120000.00"}, {"0", 7, "0.00"}, {"0.1", 3, "0.30"}, {"0.0075", 3, "0.0225"},
		{"0.1250", 8, "1.00"}, {"999999999.9999", 10_000, "9999999999999.00"}, {"1.1", 0, "0.00"}, {"", 3, ""}, {"1e3", 3, ""}, {"1/3", 3, ""},
	} {
		if got := (connection.Price{Amount: test.price}).Times(test.n); got != test.want {
			t.Errorf("%d at %q: %q, want %q", test.n, test.price, got, test.want)
		}
	}
}
