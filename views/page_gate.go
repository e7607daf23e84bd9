package views

// SignInPage is the way in.
type SignInPage struct {
	Page
	Email    string          // as typed
	Errors   map[string]Note // "" is about the pair: an error never says which of the two was wrong
	Notice   Note            // why the user is here: session ended, signed out
	Next     string          // path to go to afterwards, "" for the overview
	Kept     string          // sealed: what was typed before the session ended, "" for nothing
	FirstRun bool            // nobody has ever signed in
}

// TypedPage asks whether to send what was typed before a session ended.
type TypedPage struct {
	Page
	What   string      // of signin.typed
	Action string      // where it goes
	Fields [][2]string // names and values, in their order
}

// MustChangePage stands before everything else while a password set by somebody else is in use.
type MustChangePage struct {
	Page
	Errors map[string]Note // fields current, new, again
}

// ErrorPage says that something did not work. Status is an HTTP status, RequestID what the log knows the request by.
type ErrorPage struct {
	Page
	Status    int
	RequestID string
	Detail    Note // what exactly was wrong, when that helps
}

// problems are the statuses with words of their own; any other 4xx reads as 404's sibling 400, any 5xx as 500.
var problems = map[int]string{
	400: "bad", 403: "forbidden", 404: "missing", 405: "method", 413: "large", 422: "bad", 429: "often", 500: "broken", 503: "away",
}

// ProblemTitle is what an error page is called; handlers put it into Page.Title.
func ProblemTitle(p Page, status int) string { return p.T("errors." + problemWord(status) + ".title") }

func problemWord(status int) string {
	if word, ok := problems[status]; ok {
		return word
	}
	if status >= 500 {
		return "broken"
	}
	return "bad"
}

func problemIcon(status int) string {
	switch {
	case status == 403:
		return "lock"
	case status == 404:
		return "search"
	case status == 429, status == 503:
		return "clock"
	case status >= 500:
		return "error"
	}
	return "warn"
}

// signInError stands at the password whatever was wrong, so that the page tells nobody which addresses exist (OWASP
// ASVS 5.0, 6.3.8).
func signInError(v SignInPage) Note {
	if note := v.Errors[""]; note.Is() {
		return note
	}
	return v.Errors["password"]
}

// whose tells whose console this is; a lender that gave no name is not made up.
func whose(p Page) string {
	if p.Institution == "" {
		return p.T("ui.app.tagline")
	}
	return p.T("signin.whose", "Institution", p.Institution)
}
