package webhook

// Quota bounds what is stored of refused requests, so that a stranger who knows
// or guesses an address cannot fill the disk. It counts per subscription and
// hour; beyond it a refusal is counted and answered (CauseQuota) but not kept.
type Quota struct {
	Requests int   // refused requests kept in an hour
	Bytes    int64 // of headers and body kept in an hour
}

// DefaultQuota keeps every refusal of a subscription that was misconfigured for
// an afternoon: the vendor sends each event four times (docs/vendor.md#delivery-retries)
// and bodies under 1 kB, so 200 in an hour are 50 events. At both limits a
// subscription costs 24 MiB in a day.
var DefaultQuota = Quota{Requests: 200, Bytes: 1 << 20}

// Keep tells whether one more refused request is kept, given what this hour
// has stored of the subscription. A request is judged before its size counts,
// so an hour may pass Bytes by one request: KeptOfRefused and its headers.
func (q Quota) Keep(storedThisHour int, bytesThisHour int64) bool {
	return storedThisHour < q.Requests && bytesThisHour < q.Bytes
}
