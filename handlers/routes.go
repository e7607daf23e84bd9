package handlers

import (
	"time"

	"cotejo/internal/auth"
	"cotejo/internal/bulk"
	"cotejo/internal/webhook"
	"cotejo/web"
)

// Route is one address of the console: who may ask for it and what answers.
type Route struct {
	Pattern string // method and path, as http.ServeMux reads them
	Access  auth.Power
	Handle  web.Handler
	Stream  bool  // stays open
	Upload  int64 // bytes that its body may have; 0: those of a form
	// What a form of typed text is called, under signin.typed: it outlives the end of a session. Never one with a password, a
	// secret or a file.
	Typed string
	Takes time.Duration // how long it may take; 0: as long as a page, or as an upload
}

// Open is the access of what anybody may ask for.
const Open auth.Power = "anybody"

// routes is the whole console. Beside it stand only /hooks/{token}, the assets and the health checks (console.go).
func (c *Console) routes() []Route {
	return []Route{
		{Pattern: "GET /login", Access: Open, Handle: c.signInForm},
		{Pattern: "POST /login", Access: Open, Handle: c.signIn},
		{Pattern: "POST /logout", Access: Open, Handle: c.signOut},
		{Pattern: "POST /preferences", Access: Open, Handle: c.setPreferences},

		{Pattern: "GET /{$}", Access: auth.PowerNone, Handle: c.overview},
		{Pattern: "GET /account", Access: auth.PowerNone, Handle: c.account},
		{Pattern: "POST /account", Access: auth.PowerNone, Handle: c.changeAccount},
		{Pattern: "POST /account/password", Access: auth.PowerNone, Handle: c.changePassword},

		{Pattern: "GET /search", Access: auth.PowerRead, Handle: c.searchForm},
		{Pattern: "POST /search", Access: auth.PowerRead, Handle: c.startSearch, Typed: "search"},
		{Pattern: "GET /search/{id}", Access: auth.PowerRead, Handle: c.search},

		{Pattern: "GET /lookups", Access: auth.PowerRead, Handle: c.lookups},
		{Pattern: "GET /lookups/live", Access: auth.PowerRead, Handle: c.lookupsLive, Stream: true},
		{Pattern: "GET /lookups/{id}", Access: auth.PowerRead, Handle: c.lookup},
		{Pattern: "GET /lookups/new", Access: auth.PowerRequest, Handle: c.newLookup},
		{Pattern: "POST /lookups", Access: auth.PowerRequest, Handle: c.requestLookup, Typed: "lookup"},
		{Pattern: "POST /lookups/check", Access: auth.PowerRequest, Handle: c.checkCURP},
		{Pattern: "GET /lookups/{id}/again", Access: auth.PowerRequest, Handle: c.again},
		{Pattern: "POST /lookups/{id}/again", Access: auth.PowerRequest, Handle: c.askAgain, Typed: "again"},
		{Pattern: "POST /lookups/{id}/reveal", Access: auth.PowerReveal, Handle: c.reveal},
		{Pattern: "POST /lookups/{id}/decisions", Access: auth.PowerRequest, Handle: c.decide, Typed: "decision"},
		{Pattern: "POST /lookups/{id}/reference", Access: auth.PowerRequest, Handle: c.work("reference", "work.reference.saved", c.setReference), Typed: "reference"},
		{Pattern: "POST /lookups/{id}/owner", Access: auth.PowerRequest, Handle: c.work("owner", "work.owner.saved", c.setOwner)},
		{Pattern: "POST /lookups/{id}/tags", Access: auth.PowerRequest, Handle: c.work("tag", "work.tag.added", c.addTag), Typed: "tag"},
		{Pattern: "POST /lookups/{id}/tags/remove", Access: auth.PowerRequest, Handle: c.work("tag", "work.tag.removed", c.removeTag)},
		{Pattern: "POST /lookups/{id}/notes", Access: auth.PowerRequest, Handle: c.work("note", "work.notes.saved", c.writeNote), Typed: "note"},
		{Pattern: "GET /tags", Access: auth.PowerAdminister, Handle: c.tags},
		{Pattern: "POST /tags/{id}", Access: auth.PowerAdminister, Handle: c.renameTag},
		{Pattern: "POST /tags/{id}/delete", Access: auth.PowerAdminister, Handle: c.deleteTag},
		{Pattern: "GET /figures", Access: auth.PowerRead, Handle: c.figures},
		{Pattern: "GET /lookups/{id}/employment.csv", Access: auth.PowerExport, Handle: c.employmentCSV},
		{Pattern: "GET /lookups/{id}/report.pdf", Access: auth.PowerExport, Handle: c.report},
		{Pattern: "POST /lookups/{id}/report.pdf", Access: auth.PowerExport, Handle: c.reportWhy},
		{Pattern: "GET /pulls/{id}", Access: auth.PowerRead, Handle: c.pull},
		{Pattern: "GET /pulls/{id}/body", Access: auth.PowerBody, Handle: c.pullBody},
		{Pattern: "POST /pulls/{id}/reveal", Access: auth.PowerReveal, Handle: c.revealPull},
		{Pattern: "GET /documents/{id}", Access: auth.PowerExport, Handle: c.document},
		{Pattern: "GET /people/{id}", Access: auth.PowerRead, Handle: c.person},
		{Pattern: "GET /people/{id}/live", Access: auth.PowerRead, Handle: c.personLive, Stream: true},
		{Pattern: "POST /people/{id}/reveal", Access: auth.PowerReveal, Handle: c.revealPerson},
		{Pattern: "GET /sandbox", Access: auth.PowerRequest, Handle: c.people},
		{Pattern: "POST /sandbox/orders", Access: auth.PowerAdminister, Handle: c.orderUgly},
		{Pattern: "POST /sandbox/orders/forget", Access: auth.PowerAdminister, Handle: c.forgetUgly},
		{Pattern: "POST /sandbox/switches", Access: auth.PowerAdminister, Handle: c.switchSandbox},
		{Pattern: "POST /sandbox/switches/reset", Access: auth.PowerAdminister, Handle: c.resetSandbox},

		{Pattern: "GET /bulk", Access: auth.PowerRead, Handle: c.bulks},
		{Pattern: "POST /bulk", Access: auth.PowerRequest, Handle: c.uploadBulk, Upload: maxUpload},
		{Pattern: "GET /bulk/{id}", Access: auth.PowerRead, Handle: c.bulk},
		{Pattern: "GET /bulk/{id}/live", Access: auth.PowerRead, Handle: c.bulkLive, Stream: true},
		{Pattern: "GET /bulk/{id}/result.csv", Access: auth.PowerExport, Handle: c.bulkResult},
		{Pattern: "POST /bulk/{id}/read", Access: auth.PowerRequest, Handle: c.readBulk},
		{Pattern: "POST /bulk/{id}/send", Access: auth.PowerRequest, Handle: c.sendBulk},
		{Pattern: "POST /bulk/{id}/discard", Access: auth.PowerRequest, Handle: c.discardBulk},
		{Pattern: "POST /bulk/{id}/pause", Access: auth.PowerRequest, Handle: c.switchBulk(bulk.Paused)},
		{Pattern: "POST /bulk/{id}/resume", Access: auth.PowerRequest, Handle: c.switchBulk(bulk.Sending)},
		{Pattern: "POST /bulk/{id}/cancel", Access: auth.PowerRequest, Handle: c.switchBulk(bulk.Cancelled)},

		{Pattern: "GET /exports", Access: auth.PowerRead, Handle: c.exports},
		{Pattern: "GET /exports/new", Access: auth.PowerExport, Handle: c.newExport},
		{Pattern: "POST /exports", Access: auth.PowerExport, Handle: c.makeExport},
		{Pattern: "GET /exports/check", Access: auth.PowerRead, Handle: c.checkExportForm},
		{Pattern: "POST /exports/check", Access: auth.PowerRead, Handle: c.checkExport, Upload: maxChecked, Takes: fileTime},
		{Pattern: "GET /exports/{id}", Access: auth.PowerRead, Handle: c.export},
		{Pattern: "GET /exports/{id}/live", Access: auth.PowerRead, Handle: c.exportLive, Stream: true},
		{Pattern: "GET /exports/{id}/file", Access: auth.PowerExport, Handle: c.exportFile, Takes: fileTime},
		{Pattern: "POST /exports/{id}/cancel", Access: auth.PowerExport, Handle: c.cancelExport},

		{Pattern: "GET /missing", Access: auth.PowerReceive, Handle: c.missing},
		{Pattern: "GET /sources", Access: auth.PowerReceive, Handle: c.sources},

		{Pattern: "GET /deliveries", Access: auth.PowerReceive, Handle: c.deliveries},
		{Pattern: "POST /deliveries", Access: auth.PowerReceive, Handle: c.filterDeliveries, Typed: "filter"},
		{Pattern: "GET /deliveries/live", Access: auth.PowerReceive, Handle: c.deliveriesLive, Stream: true},
		{Pattern: "GET /deliveries/{id}", Access: auth.PowerReceive, Handle: c.delivery},
		{Pattern: "GET /deliveries/{id}/body", Access: auth.PowerBody, Handle: c.deliveryBody},
		{Pattern: "POST /deliveries/{id}/reveal", Access: auth.PowerReveal, Handle: c.revealDelivery},

		{Pattern: "GET /replays", Access: auth.PowerReplay, Handle: c.replays},
		{Pattern: "GET /replays/new", Access: auth.PowerReplay, Handle: c.newReplay},
		{Pattern: "POST /replays", Access: auth.PowerReplay, Handle: c.startReplay},
		{Pattern: "GET /replays/{id}", Access: auth.PowerReplay, Handle: c.replay},
		{Pattern: "GET /replays/{id}/live", Access: auth.PowerReplay, Handle: c.replayLive, Stream: true},
		{Pattern: "POST /replays/{id}/pause", Access: auth.PowerReplay, Handle: c.switchReplay(webhook.ReplayPaused)},
		{Pattern: "POST /replays/{id}/resume", Access: auth.PowerReplay, Handle: c.switchReplay(webhook.ReplayRunning)},
		{Pattern: "POST /replays/{id}/cancel", Access: auth.PowerReplay, Handle: c.switchReplay(webhook.ReplayCancelled)},
		{Pattern: "GET /jobs", Access: auth.PowerAdminister, Handle: c.jobs},
		{Pattern: "POST /jobs/retry", Access: auth.PowerAdminister, Handle: c.retryJobs},
		{Pattern: "POST /jobs/cancel", Access: auth.PowerAdminister, Handle: c.cancelJobs},

		{Pattern: "POST /deliveries/{id}/verify", Access: auth.PowerAdminister, Handle: c.verifyDelivery},
		{Pattern: "GET /deliveries/{id}/compare/{other}", Access: auth.PowerReceive, Handle: c.compareDeliveries},

		{Pattern: "GET /subscriptions", Access: auth.PowerAdminister, Handle: c.subscriptions},
		{Pattern: "POST /subscriptions", Access: auth.PowerAdminister, Handle: c.addSubscription},
		{Pattern: "GET /subscriptions/new", Access: auth.PowerAdminister, Handle: c.newSubscription},
		{Pattern: "POST /subscriptions/forget", Access: auth.PowerAdminister, Handle: c.forgetSubscription},
		{Pattern: "GET /subscriptions/{id}", Access: auth.PowerAdminister, Handle: c.subscription},
		{Pattern: "POST /subscriptions/{id}", Access: auth.PowerAdminister, Handle: c.changeSubscription},
		{Pattern: "POST /subscriptions/{id}/mend", Access: auth.PowerAdminister, Handle: c.mendSubscription},
		{Pattern: "POST /subscriptions/{id}/switch", Access: auth.PowerAdminister, Handle: c.switchSubscription},
		{Pattern: "POST /subscriptions/{id}/delete", Access: auth.PowerAdminister, Handle: c.deleteSubscription},
		{Pattern: "POST /subscriptions/{id}/address", Access: auth.PowerAdminister, Handle: c.showAddress},
		{Pattern: "POST /subscriptions/{id}/secrets", Access: auth.PowerAdminister, Handle: c.addSecret},
		{Pattern: "POST /subscriptions/{id}/secrets/{secret}/end", Access: auth.PowerAdminister, Handle: c.endSecret},
		{Pattern: "POST /subscriptions/{id}/revoke", Access: auth.PowerAdminister, Handle: c.revokeTokens},
		{Pattern: "POST /subscriptions/{id}/renew", Access: auth.PowerAdminister, Handle: c.renewKey},
		{Pattern: "POST /subscriptions/{id}/addresses", Access: auth.PowerAdminister, Handle: c.takeAddresses},
		{Pattern: "POST /subscriptions/{id}/test", Access: auth.PowerAdminister, Handle: c.testSubscription},
		{Pattern: "POST /subscriptions/{id}/verify", Access: auth.PowerAdminister, Handle: c.verifyRefused},
		{Pattern: "GET /bench", Access: auth.PowerAdminister, Handle: c.bench},
		{Pattern: "POST /bench", Access: auth.PowerAdminister, Handle: c.runBench},

		{Pattern: "GET /users", Access: auth.PowerAdminister, Handle: c.users},
		{Pattern: "GET /users/new", Access: auth.PowerAdminister, Handle: c.newUser},
		{Pattern: "POST /users", Access: auth.PowerAdminister, Handle: c.addUser},
		{Pattern: "GET /users/{id}", Access: auth.PowerAdminister, Handle: c.user},
		{Pattern: "POST /users/{id}", Access: auth.PowerAdminister, Handle: c.changeUser},
		{Pattern: "POST /users/{id}/disable", Access: auth.PowerAdminister, Handle: c.disableUser},
		{Pattern: "POST /users/{id}/enable", Access: auth.PowerAdminister, Handle: c.enableUser},
		{Pattern: "POST /users/{id}/reset", Access: auth.PowerAdminister, Handle: c.resetUser},

		{Pattern: "GET /connection", Access: auth.PowerAdminister, Handle: c.connection},
		{Pattern: "POST /connection", Access: auth.PowerAdminister, Handle: c.saveConnection},
		{Pattern: "POST /connection/test", Access: auth.PowerAdminister, Handle: c.testConnection},
		{Pattern: "POST /connection/resume", Access: auth.PowerAdminister, Handle: c.resumeConnection},
		{Pattern: "GET /settings", Access: auth.PowerAdminister, Handle: c.settings},
		{Pattern: "POST /settings", Access: auth.PowerAdminister, Handle: c.saveSettings},
		{Pattern: "POST /settings/waits", Access: auth.PowerAdminister, Handle: c.saveWaits},
		{Pattern: "POST /environment", Access: auth.PowerAdminister, Handle: c.setEnvironment},
	}
}

// devRoutes are mounted with COTEJO_DEV=1 only.
func (c *Console) devRoutes() []Route {
	return []Route{
		{Pattern: "GET /gallery", Access: auth.PowerNone, Handle: c.gallery},
	}
}
