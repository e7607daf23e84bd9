package webhook

import (
	"strings"
	"testing"
)

func TestMask(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, body, want string
		masked           int
	}{
		{"nothing personal", `{"data":{"external_id":"None","n":1044.970}}`, `{"data":{"external_id":"None","n":1044.970}}`, 0},
		{"identifier", `{"identifier": "OICE940722HGFRST08"}`, `{"identifier": "••••••••"}`, 1},
		{"a CURP anywhere", `x GATA000408HTLRLLA7 y`, `x •••••••• y`, 1},
		{"in lower case", `gata000408htlrlla7`, `••••••••`, 1},
		{"escaped quote in a name", `{"first_name":"A \"B\" C","x":1}`, `{"first_name":"••••••••","x":1}`, 1},
		{"empty and null stay", `{"nss":"","rfc":null}`, `{"nss":"","rfc":null}`, 0},
		{"our address", `{"webhook_url":"http://h:1/hooks/AbCdEfGhIjKlMnOp4c1e"}`, `{"webhook_url":"http://h:1/hooks/••••••••4c1e"}`, 1},
		{"our address, escaped slashes", `"http:\/\/h\/hooks\/AbCdEfGhIjKlMnOp4c1e"`, `"http:\/\/h\/hooks\/••••••••4c1e"`, 1},
		{"no JSON", "\x00\xff{", "\x00\xff{", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, masked := Mask([]byte(c.body))
			if string(got) != c.want || masked != c.masked {
				t.Errorf("got %q and %d, want %q and %d", got, masked, c.want, c.masked)
			}
		})
	}
}

// A body that was cut anywhere, as those of refused deliveries are, shows no more of what its end begins than of the rest.
func TestMaskOfWhatIsCut(t *testing.T) {
	t.Parallel()
	const body = `{"first_name":"ALEJANDRA \"ALE\"","nss":"02189216878","note":"GATA000408HTLRLLA7 y gata000408HTLRLLA7","curp" : "LALE870908HDFRPD02"}`
	for end := range len(body) + 1 {
		shown, _ := Mask([]byte(body[:end]))
		for _, begins := range []string{"AL", "02", "GATA00", "gata00", "LA"} {
			if strings.Contains(string(shown), begins) {
				t.Errorf("cut after %d bytes: %s", end, shown)
			}
		}
	}
	if shown, masked := MaskAnswer([]byte(`{"street":"Calle 1`), true); string(shown) != `{"street":"••••••••` || masked != 1 {
		t.Errorf("a cut answer shows %s", shown)
	}
}

func FuzzMask(f *testing.F) {
	f.Add([]byte(`{"identifier":"GATA000408HTLRLLA7","webhook_url":"/hooks/AbCdEfGhIjKlMnOp4c1e"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		shown, masked := Mask(body)
		if masked == 0 && string(shown) != string(body) {
			t.Fatalf("changed without masking: %q → %q", body, shown)
		}
		if curpForm.Match(shown) {
			t.Fatalf("a CURP is left in %q", shown)
		}
	})
}

func TestIsCredential(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"Authorization": true, "X-Signature": true, "x-api-key": true, "X-Client-Secret": true, "X-Auth-Token": true,
		"Content-Type": false, "User-Agent": false, "X-Request-Id": false,
	} {
		if got := IsCredential(name); got != want {
			t.Errorf("IsCredential(%s) = %v", name, got)
		}
	}
	if IsCredential(strings.Repeat("a", 100)) {
		t.Error("a long name is no credential")
	}
}

// An answer hides what a delivery's body does, the values of identifiers in a profile, and what is known of the person
// wherever it stands.
func TestMaskAnswer(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body string
		profile    bool
		known      []string
		want       string
		masked     int
	}{
		{"identifiers of a profile", `{"ids_info":[{"type":"tax","value":"GATA000408AB1"},{"type":"x","value":""}]}`, true, nil,
			`{"ids_info":[{"type":"tax","value":"••••••••"},{"type":"x","value":""}]}`, 1},
		{"values elsewhere stay", `{"total":{"value":"12.50"}}`, false, nil, `{"total":{"value":"12.50"}}`, 0},
		{"what is known, anywhere", `{"note":"NSS 12345674417, otra vez 12345674417"}`, false, []string{"", "12345674417"}, `{"note":"NSS ••••••••, otra vez ••••••••"}`, 2},
		{"where somebody lives", `{"address":{"street":"Calle 1 \"B\"","zip_code":"90000","state":"TLAXCALA"}}`, true, nil,
			`{"address":{"street":"••••••••","zip_code":"••••••••","state":"TLAXCALA"}}`, 2},
		{"salaries stay digit for digit", `{"base_salary":512.600000000}`, false, []string{""}, `{"base_salary":512.600000000}`, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			shown, masked := MaskAnswer([]byte(tt.body), tt.profile, tt.known...)
			if string(shown) != tt.want || masked != tt.masked {
				t.Errorf("%d masked: %s", masked, shown)
			}
		})
	}
}
