package views

import (
	"regexp"
	"time"

	"cotejo/internal/bulk"
	"cotejo/internal/employment"
	"cotejo/internal/lookup"
	"cotejo/internal/receipt"
	"cotejo/internal/webhook"
)

// GalleryPage shows the parts that pages are made of, each in each state, for whoever changes one of them.
type GalleryPage struct{ Page }

// iconNames are the sprite's, in its order.
func iconNames() []string {
	var names []string
	for _, m := range regexp.MustCompile(`id="i-([a-z]+)"`).FindAllStringSubmatch(iconFile, -1) {
		names = append(names, m[1])
	}
	return names
}

// actors are all who may have to act.
var actors = []string{"cotejo", "source", "person", "analyst", "nobody", "support", "developer"}

// buttonKinds are the classes that a button may have beside its own.
var buttonKinds = []string{"", "btn--primary", "btn--quiet", "btn--danger", "btn--small"}

// bulkStates are bulks as they may stand: those of the program, one that is done while answers are to come, and one that
// does not get on.
func bulkStates() []bulk.Bulk {
	all := []bulk.Bulk{{State: bulk.Sending, Stalled: true}, {State: bulk.Done, Sent: 1, Statuses: map[lookup.Status]int{lookup.Pending: 1}}}
	for _, s := range bulk.States {
		all = append(all, bulk.Bulk{State: s})
	}
	return all
}

// exportStates are those of an export in the background, and that of one that was answered at once.
func exportStates() []string {
	all := []string{"sent"}
	for _, s := range receipt.States {
		all = append(all, string(s))
	}
	return all
}

func replayStates() []webhook.Replay {
	all := []webhook.Replay{{State: webhook.ReplayRunning, Stalled: true}}
	for _, s := range webhook.ReplayStates {
		all = append(all, webhook.Replay{State: s})
	}
	return all
}

// subscriptionStates has one for each word of subscriptionState.
func subscriptionStates(now time.Time) []webhook.Subscription {
	return []webhook.Subscription{{Active: true, VendorID: "a", VendorActive: true, VendorSeenAt: now}, {Active: true, VendorID: "a", VendorSeenAt: now}, {Active: true}, {}}
}

// liveStates are the words of a live line: as it was loaded, and as the script says that the stream is.
var liveStates = []string{"", "on", "paused", "lost", "stopped"}

// withFlashes is a page after one act of each kind.
func (v GalleryPage) withFlashes() Page {
	p := v.Page
	p.Flashes = nil
	for _, kind := range []string{"success", "info", "error"} {
		p.Flashes = append(p.Flashes, Flash{Kind: kind, ID: "gallery.flash." + kind})
	}
	return p
}

// specimen is an invented history with a gap, an overlap, an open job and an amount at the cap.
func (v GalleryPage) specimen() CasePage {
	day := func(year, month, date int) time.Time {
		return time.Date(year, time.Month(month), date, 0, 0, 0, 0, time.UTC)
	}
	h := employment.History{Platform: "imss", Records: []employment.Record{
		{Employer: "ALFA", Start: day(2023, 1, 15), BaseSalary: "2932.75", Monthly: "89154.80"},
		{Employer: "BETA", Start: day(2021, 2, 22), End: day(2022, 8, 15), BaseSalary: "352.47"},
		{Employer: "GAMMA", Start: day(2020, 2, 3), End: day(2021, 3, 12), BaseSalary: "268.35"},
	}, Movements: []employment.Movement{
		{Type: "salary_modification", Employer: "ALFA", Date: day(2026, 2, 1), BaseSalary: "2932.75"},
		{Type: "reentry", Employer: "ALFA", Date: day(2023, 1, 15), BaseSalary: "430.10"},
		{Type: "discharge", Employer: "BETA", Date: day(2022, 8, 15)},
		{Type: "reentry", Employer: "BETA", Date: day(2021, 2, 22), BaseSalary: "352.47"},
	}}
	c := CasePage{Page: v.Page, History: &h, EmploymentPull: PullNote{FetchedAt: day(2026, 3, 15).Add(18 * time.Hour)}}
	c.Case.State.Status, c.Case.Employment, c.Case.Dialect = lookup.Success, lookup.PullComplete, lookup.Palenca
	return c
}

// options are those of a field with a fixed set of values.
func (v GalleryPage) options() []Option {
	return []Option{{"a", v.T("gallery.option"), v.T("gallery.help")}, {"b", v.T("gallery.second"), ""}}
}
