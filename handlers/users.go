package handlers

import (
	"crypto/rand"
	"errors"
	"net/http"
	"net/mail"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"

	"cotejo/db"
	"cotejo/internal/audit"
	"cotejo/internal/auth"
	"cotejo/internal/locale"
	"cotejo/views"
	"cotejo/web"
)

const maxName = 120

func (c *Console) users(w http.ResponseWriter, r *http.Request) error {
	users, err := c.DB.Users(r.Context())
	if err != nil {
		return failed(err)
	}
	return web.Render(w, r, http.StatusOK, views.Users(views.UsersPage{Page: c.page(w, r, "users", "admin.users.title"), Users: users}))
}

func (c *Console) newUser(w http.ResponseWriter, r *http.Request) error {
	values := views.UserValues{Role: string(auth.Analyst), Language: "es-MX"}
	return web.Render(w, r, http.StatusOK, views.UserForm(views.UserFormPage{Page: c.page(w, r, "users", "admin.users.new"), Values: values}))
}

func (c *Console) user(w http.ResponseWriter, r *http.Request) error {
	subject, err := c.subject(r)
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, views.UserForm(c.userPage(w, r, subject)))
}

func (c *Console) subject(r *http.Request) (auth.User, error) {
	id, err := pathID(r)
	if err != nil {
		return auth.User{}, err
	}
	user, err := c.DB.UserByUID(r.Context(), id)
	return user, failed(err)
}

func (c *Console) userPage(w http.ResponseWriter, r *http.Request, subject auth.User) views.UserFormPage {
	return views.UserFormPage{Page: c.page(w, r, "users", "admin.users.title"), Subject: subject, Errors: map[string]views.Note{},
		Values: views.UserValues{Name: subject.Name, Email: subject.Email, Role: string(subject.Role), Language: subject.Language}}
}

func userValues(form *web.Form) views.UserValues {
	return views.UserValues{Name: form.Get("name"), Email: form.Get("email"), Role: form.Get("role"), Language: form.Get("language")}
}

// checkUser judges what an administrator typed of a user.
func checkUser(v views.UserValues, adding bool) map[string]views.Note {
	problems := map[string]views.Note{}
	checkName(problems, v.Name)
	if !auth.Role(v.Role).Known() {
		problems["role"] = views.Note{ID: "admin.user.role_missing"}
	}
	if adding {
		if at, err := mail.ParseAddress(v.Email); err != nil || at.Address != v.Email || len(v.Email) > 254 {
			problems["email"] = views.Note{ID: "admin.user.email_bad"}
		}
	}
	return problems
}

func checkName(problems map[string]views.Note, name string) {
	switch {
	case strings.TrimSpace(name) == "":
		problems["name"] = views.Note{ID: "admin.user.name_missing"}
	case utf8.RuneCountInString(name) > maxName:
		problems["name"] = views.Note{ID: "admin.user.name_long", Args: []any{"Max", maxName}}
	}
}

// addUser adds a user with a password made here. It is shown once, on the answer to this request, and stored as a hash.
func (c *Console) addUser(w http.ResponseWriter, r *http.Request) error {
	form, err := web.ParseForm(r, web.FormLimits{})
	if err != nil {
		return err
	}
	values := userValues(form)
	if values.Language == "" {
		values.Language = "es-MX"
	}
	again := views.UserFormPage{Page: c.page(w, r, "users", "admin.users.new"), Values: values, Errors: checkUser(values, true)}
	if len(again.Errors) > 0 {
		return web.Invalid(w, r, views.UserForm(again))
	}
	password, hash, err := oneTimePassword()
	if err != nil {
		return err
	}
	user, err := c.DB.AddUser(r.Context(), db.NewUser{Email: values.Email, Name: values.Name, Role: auth.Role(values.Role),
		Language: locale.Match(values.Language), PasswordHash: hash, MustChange: true}, visitOf(r).actor)
	if errors.Is(err, db.ErrConflict) {
		again.Errors["email"] = views.Note{ID: "admin.user.email_taken"}
		return web.Invalid(w, r, views.UserForm(again))
	} else if err != nil {
		return failed(err)
	}
	return c.showOnce(w, r, user, password)
}

// showOnce answers with the list of users and a password on top: in no address, cookie or log.
func (c *Console) showOnce(w http.ResponseWriter, r *http.Request, user auth.User, password string) error {
	users, err := c.DB.Users(r.Context())
	if err != nil {
		return failed(err)
	}
	page := views.UsersPage{Page: c.page(w, r, "users", "admin.users.title"), Users: users,
		Once: views.OneTime{Name: user.Name, Email: user.Email, Password: password}}
	return web.Render(w, r, http.StatusOK, views.Users(page))
}

// oneTimePassword makes a password of 26 letters and digits: 130 bits.
func oneTimePassword() (password, hash string, err error) {
	password = strings.ToLower(rand.Text())
	hash, err = HashPassword(password)
	return password, hash, err
}

func (c *Console) changeUser(w http.ResponseWriter, r *http.Request) error {
	subject, err := c.subject(r)
	if err != nil {
		return err
	}
	form, err := web.ParseForm(r, web.FormLimits{})
	if err != nil {
		return err
	}
	again := c.userPage(w, r, subject)
	again.Values.Name, again.Values.Role = form.Get("name"), form.Get("role")
	if again.Errors = checkUser(again.Values, false); len(again.Errors) > 0 {
		return web.Invalid(w, r, views.UserForm(again))
	}
	err = c.DB.ChangeUser(r.Context(), subject.UID, again.Values.Name, auth.Role(again.Values.Role), visitOf(r).actor)
	if errors.Is(err, db.ErrLastAdministrator) {
		again.Errors["role"] = views.Note{ID: "admin.user.last_administrator"}
		return web.Invalid(w, r, views.UserForm(again))
	} else if err != nil {
		return failed(err)
	}
	return c.done(w, r, "/users", "admin.flash.user_changed", "Name", again.Values.Name)
}

// disableUser, like the other acts on an account, is not for one's own: nobody locks themselves out by a slip.
func (c *Console) disableUser(w http.ResponseWriter, r *http.Request) error {
	subject, err := c.other(w, r)
	if err != nil || subject.ID == 0 {
		return err
	}
	err = c.DB.DisableUser(r.Context(), subject.UID, visitOf(r).actor)
	if errors.Is(err, db.ErrLastAdministrator) {
		again := c.userPage(w, r, subject)
		again.Errors[""] = views.Note{ID: "admin.user.last_administrator"}
		return web.Invalid(w, r, views.UserForm(again))
	} else if err != nil {
		return failed(err)
	}
	return c.done(w, r, "/users", "admin.flash.user_disabled", "Name", subject.Name)
}

func (c *Console) enableUser(w http.ResponseWriter, r *http.Request) error {
	subject, err := c.other(w, r)
	if err != nil || subject.ID == 0 {
		return err
	}
	if err := c.DB.EnableUser(r.Context(), subject.UID, visitOf(r).actor); err != nil {
		return failed(err)
	}
	return c.done(w, r, "/users", "admin.flash.user_enabled", "Name", subject.Name)
}

func (c *Console) resetUser(w http.ResponseWriter, r *http.Request) error {
	subject, err := c.other(w, r)
	if err != nil || subject.ID == 0 {
		return err
	}
	password, hash, err := oneTimePassword()
	if err != nil {
		return err
	}
	if err := c.DB.ResetPassword(r.Context(), subject.UID, hash, visitOf(r).actor); err != nil {
		return failed(err)
	}
	return c.showOnce(w, r, subject, password)
}

// other gives the user an act is about; for the administrator's own account it answers with the reason and gives none.
func (c *Console) other(w http.ResponseWriter, r *http.Request) (auth.User, error) {
	subject, err := c.subject(r)
	if err != nil {
		return auth.User{}, err
	}
	if subject.ID == visitOf(r).User.ID {
		again := c.userPage(w, r, subject)
		again.Errors[""] = views.Note{ID: "admin.user.not_self"}
		return auth.User{}, web.Invalid(w, r, views.UserForm(again))
	}
	return subject, nil
}

func (c *Console) account(w http.ResponseWriter, r *http.Request) error {
	return web.Render(w, r, http.StatusOK, views.Account(c.accountPage(w, r)))
}

func (c *Console) accountPage(w http.ResponseWriter, r *http.Request) views.AccountPage {
	u := visitOf(r).User
	return views.AccountPage{Page: c.page(w, r, "account", "admin.account.title"), Errors: map[string]views.Note{}, PasswordErrors: map[string]views.Note{},
		Values: views.AccountValues{Name: u.Name, Language: u.Language, Zone: u.Zone, Theme: u.Theme}}
}

func (c *Console) changeAccount(w http.ResponseWriter, r *http.Request) error {
	form, err := web.ParseForm(r, web.FormLimits{})
	if err != nil {
		return err
	}
	again := c.accountPage(w, r)
	v := views.AccountValues{Name: form.Get("name"), Language: form.Get("language"), Zone: form.Get("zone"), Theme: form.Get("theme")}
	again.Values = v
	checkName(again.Errors, v.Name)
	if locale.Match(v.Language) != v.Language {
		again.Errors["language"] = views.Note{ID: "admin.user.language_bad"}
	}
	if _, err := time.LoadLocation(v.Zone); err != nil || v.Zone == "" || v.Zone == "Local" {
		again.Errors["zone"] = views.Note{ID: "admin.user.zone_bad"}
	}
	if v.Theme != "" && v.Theme != "light" && v.Theme != "dark" {
		again.Errors["theme"] = views.Note{ID: "admin.user.theme_bad"}
	}
	if len(again.Errors) > 0 {
		return web.Invalid(w, r, views.Account(again))
	}
	visit := visitOf(r)
	user := visit.User
	user.Name, user.Language, user.Zone, user.Theme = v.Name, v.Language, v.Zone, v.Theme
	if err := c.DB.ChangeAccount(r.Context(), user, visit.actor); err != nil {
		return failed(err)
	}
	if err := c.sessions.AddFlash(w, r, web.Flash{Kind: web.FlashSuccess, ID: "admin.flash.account_saved"}); err != nil {
		return unavailable(err)
	}
	return web.RedirectFull(w, r, "/account")
}

// changePassword sets the user's own password after the present one was given, ends the other sessions and gives this
// one a new id. It is also the way out of a password that somebody else set.
func (c *Console) changePassword(w http.ResponseWriter, r *http.Request) error {
	form, err := web.ParseForm(r, web.FormLimits{})
	if err != nil {
		return err
	}
	visit := visitOf(r)
	problems, err := c.checkPassword(r, form.Raw("current"), form.Raw("new"), form.Raw("again"))
	if err != nil {
		return err
	}
	if len(problems) > 0 {
		if visit.User.MustChange {
			page := views.MustChangePage{Page: c.page(w, r, "account", "signin.change.title"), Errors: problems}
			return web.Invalid(w, r, views.MustChange(page))
		}
		again := c.accountPage(w, r)
		again.PasswordErrors = problems
		return web.Invalid(w, r, views.Account(again))
	}
	hash, err := HashPassword(form.Raw("new"))
	if err != nil {
		return err
	}
	if err := c.DB.ChangePassword(r.Context(), visit.User.ID, hash, c.sessions.Hash(r), visit.actor); err != nil {
		return failed(err)
	}
	if err := c.sessions.Rotate(w, r, visit.User.ID); err != nil {
		return unavailable(err)
	}
	to := "/account"
	if visit.User.MustChange {
		to = "/"
	}
	return c.done(w, r, to, "admin.flash.password_changed")
}

// confirm asks whoever is signed in for their password once more, and says what is wrong with it. A wrong one counts
// like a failed sign-in, and with as many of them it has to wait as long.
func (c *Console) confirm(r *http.Request, password string) (problem views.Note, err error) {
	v := visitOf(r)
	if ok, wait := c.signIns.Allow(web.ClientIP(r)); !ok {
		return pauseNote(wait), nil
	}
	defer c.guesses.take(v.User.Email)()
	wait, _, err := c.DB.SignInWait(r.Context(), v.User.Email, v.actor.IP)
	if err != nil {
		return problem, unavailable(err)
	}
	if wait > 0 {
		return pauseNote(wait), nil
	}
	hash, err := c.DB.PasswordHash(r.Context(), v.User.ID)
	if err != nil {
		return problem, failed(err)
	}
	match := false
	if len(password) <= 1024 {
		if match, err = argon2id.ComparePasswordAndHash(password, hash); err != nil {
			return problem, err
		}
	}
	if match {
		return problem, nil
	}
	if err := c.DB.SignInFailed(r.Context(), v.User.Email, v.User.ID, audit.Actor{Name: v.User.Name, IP: v.actor.IP}); err != nil {
		return problem, unavailable(err)
	}
	return views.Note{ID: "admin.password.current_wrong"}, nil
}

// checkPassword judges a change of password. Wrong present passwords count like failed sign-ins.
func (c *Console) checkPassword(r *http.Request, current, fresh, again string) (map[string]views.Note, error) {
	problems := map[string]views.Note{}
	v := visitOf(r)
	problem, err := c.confirm(r, current)
	if err != nil {
		return nil, err
	}
	if problem.Is() {
		problems["current"] = problem
	}
	if id := auth.PasswordProblem(fresh, v.User.Email); id != "" {
		problems["new"] = views.Note{ID: id, Args: []any{"Min", auth.MinPassword, "Max", auth.MaxPassword}}
	} else if fresh == current {
		problems["new"] = views.Note{ID: "admin.password.same"}
	} else if fresh != again {
		problems["again"] = views.Note{ID: "admin.password.differs"}
	}
	return problems, nil
}
