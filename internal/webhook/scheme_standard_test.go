package webhook_test

import (
	"strings"
	"testing"
	"time"

	"cotejo/internal/webhook"
)

func standard(id, stamp, list string) []string {
	return []string{"webhook-id", id, "webhook-timestamp", stamp, "webhook-signature", list}
}

func TestStandard(t *testing.T) {
	t.Parallel()
	const stamp = "1767323045"
	v := load(t)
	key, other := v.secret(t, "key"), v.secret(t, "other")
	good, foreign := "v1,"+v.get(t, "standard.signature"), "v1,"+v.get(t, "standard.other")
	for name, c := range map[string]struct {
		headers   []string
		secrets   []webhook.Secret
		late      time.Duration // of the receipt, after the signed time
		tolerance time.Duration
		cause     webhook.Cause
		reason    string
	}{
		"good":                    {headers: standard("msg_1", stamp, good), reason: "ok"},
		"second signature":        {headers: standard("msg_1", stamp, foreign+" "+good), reason: "ok"},
		"other versions beside":   {headers: standard("msg_1", stamp, "v1a,AAAA v2,x "+good+" v1,?"), reason: "ok"},
		"second secret":           {headers: standard("msg_1", stamp, good), secrets: []webhook.Secret{other, key}, reason: "ok"},
		"at the tolerance":        {headers: standard("msg_1", stamp, good), late: 5*time.Minute + 999*time.Millisecond, reason: "ok"},
		"beyond the tolerance":    {headers: standard("msg_1", stamp, good), late: 5*time.Minute + time.Second, cause: webhook.CauseTimestampOld, reason: "old"},
		"ahead at the tolerance":  {headers: standard("msg_1", stamp, good), late: -5 * time.Minute, reason: "ok"},
		"ahead beyond it":         {headers: standard("msg_1", stamp, good), late: -5*time.Minute - time.Second, cause: webhook.CauseTimestampAhead, reason: "ahead"},
		"own tolerance":           {headers: standard("msg_1", stamp, good), late: 6 * time.Minute, tolerance: 10 * time.Minute, reason: "ok"},
		"wrong and old":           {headers: standard("msg_1", stamp, foreign), late: time.Hour, cause: webhook.CauseSignatureMismatch, reason: "mismatch"},
		"another id":              {headers: standard("msg_2", stamp, good), cause: webhook.CauseSignatureMismatch, reason: "mismatch"},
		"another time":            {headers: standard("msg_1", "1767323046", good), cause: webhook.CauseSignatureMismatch, reason: "mismatch"},
		"time with a zero before": {headers: standard("msg_1", "01767323045", good), cause: webhook.CauseSignatureMismatch, reason: "mismatch"},
		"retired secret":          {headers: standard("msg_1", stamp, good), secrets: []webhook.Secret{retired(key)}, cause: webhook.CauseSignatureMismatch, reason: "retired"},
		"no secret":               {headers: standard("msg_1", stamp, good), secrets: []webhook.Secret{}, cause: webhook.CauseSignatureMismatch, reason: "no_secret"},
		"full stop in the id":     {headers: standard("msg.1", stamp, good), cause: webhook.CauseSignatureMalformed, reason: "bad_id"},
		"long id":                 {headers: standard(strings.Repeat("x", 300), stamp, good), cause: webhook.CauseSignatureMalformed, reason: "bad_id"},
		"asymmetric":              {headers: standard("msg_1", stamp, "v1a,AAAA"), cause: webhook.CauseSignatureMalformed, reason: "asymmetric"},
		"no version":              {headers: standard("msg_1", stamp, good[3:]), cause: webhook.CauseSignatureMalformed, reason: "malformed"},
		"hex":                     {headers: standard("msg_1", stamp, "v1,"+v.get(t, "signature.hex")), cause: webhook.CauseSignatureMalformed, reason: "malformed"},
		"huge list":               {headers: standard("msg_1", stamp, strings.Repeat(good+" ", 1000)), cause: webhook.CauseSignatureMalformed, reason: "malformed"},
		"milliseconds":            {headers: standard("msg_1", stamp+"000", good), cause: webhook.CauseTimestampMalformed, reason: "timestamp"},
		"date":                    {headers: standard("msg_1", "2026-01-02T03:04:05Z", good), cause: webhook.CauseTimestampMalformed, reason: "timestamp"},
		"negative":                {headers: standard("msg_1", "-1", good), cause: webhook.CauseTimestampMalformed, reason: "timestamp"},
		"space in the time":       {headers: standard("msg_1", " "+stamp, good), cause: webhook.CauseTimestampMalformed, reason: "timestamp"},
		"no headers":              {cause: webhook.CauseSignatureMissing, reason: "missing"},
		"no signature":            {headers: standard("msg_1", stamp, good)[:4], cause: webhook.CauseSignatureMissing, reason: "missing"},
		"empty id":                {headers: standard("", stamp, good), cause: webhook.CauseSignatureMissing, reason: "missing"},
		"two signature headers":   {headers: append(standard("msg_1", stamp, good), "Webhook-Signature", good), cause: webhook.CauseSignatureMalformed, reason: "repeated"},
		"two times":               {headers: append(standard("msg_1", stamp, good), "Webhook-Timestamp", stamp), cause: webhook.CauseSignatureMalformed, reason: "repeated"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			secrets := c.secrets
			if secrets == nil {
				secrets = []webhook.Secret{key}
			}
			r := request(t, c.headers...)
			r.At = at.Add(c.late)
			got := only(t, webhook.Policy{Standard: &webhook.StandardPolicy{Secrets: secrets, Tolerance: c.tolerance}}, r)
			if got.Cause != c.cause || got.ReasonID != "verify.standard."+c.reason {
				t.Errorf("got %q, %s", got.Cause, got.ReasonID)
			}
		})
	}
}

func FuzzStandard(f *testing.F) {
	v := load(f)
	good := "v1," + v.get(f, "standard.signature")
	f.Add("msg_1", "1767323045", good)
	f.Add("", "99999999999", "v1, v1,, ,v1 v1a,")
	f.Add("a.b", "00000000000", "\xff")
	p := webhook.Policy{Standard: &webhook.StandardPolicy{Secrets: []webhook.Secret{v.secret(f, "key")}}}
	f.Fuzz(func(t *testing.T, id, stamp, list string) {
		r := request(t, standard(id, stamp, list)...)
		got := only(t, p, r)
		if got.Result == webhook.Pass && (id != "msg_1" || stamp != "1767323045") {
			t.Errorf("%q %q %q verifies", id, stamp, list)
		}
		for _, finding := range webhook.Diagnose(webhook.Bench{Policy: p, Request: r}) {
			spoken(t, finding.ReasonID, finding.Args)
		}
	})
}
