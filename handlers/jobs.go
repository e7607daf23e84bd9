package handlers

import (
	"net/http"
	"slices"
	"strconv"

	"cotejo/internal/lookup"
	"cotejo/internal/task"
	"cotejo/views"
	"cotejo/web"
)

// jobsCounted is where the counts of the queue stop, in each state.
const jobsCounted = 1000

// jobs shows the queue: how much of what stands where, and the jobs themselves, with the error of each.
func (c *Console) jobs(w http.ResponseWriter, r *http.Request) error {
	v, query := visitOf(r), r.URL.Query()
	filter := jobFilter(query.Get("state"), query.Get("kind"))
	list, newer, older, err := c.DB.Jobs(r.Context(), v.env, filter, pageOf(query, listRows))
	if err != nil {
		return failed(err)
	}
	counts, err := c.DB.JobCounts(r.Context(), jobsCounted)
	if err != nil {
		return failed(err)
	}
	page := views.JobsPage{Page: c.page(w, r, "jobs", "queue.title"), List: list, Filter: filter, Counts: counts, Counted: jobsCounted}
	page.Before, page.After = ends(list, newer, older, func(j task.Job) lookup.Cursor { return lookup.Cursor{At: j.CreatedAt, ID: j.ID} })
	return web.Render(w, r, http.StatusOK, views.Jobs(page))
}

// jobFilter reads the list's filter. A value outside its set narrows nothing.
func jobFilter(state, kind string) (f task.Filter) {
	if slices.Contains(task.States, task.State(state)) {
		f.State = task.State(state)
	}
	if slices.Contains(task.Kinds, kind) {
		f.Kind = kind
	}
	return f
}

// actOnJobs has the jobs ticked, or all that the filter lets through, run or end. Those that it does not fit are left alone.
func (c *Console) actOnJobs(w http.ResponseWriter, r *http.Request, retry bool) error {
	form, err := web.ParseForm(r, web.FormLimits{})
	if err != nil {
		return err
	}
	filter := jobFilter(form.Get("state"), form.Get("kind"))
	back := "/jobs"
	if q := (views.JobsPage{Filter: filter}).Query(); len(q) > 0 {
		back += "?" + q.Encode()
	}
	var ids []int64
	for _, text := range form.All("id") {
		if id, err := strconv.ParseInt(text, 10, 64); err == nil {
			ids = append(ids, id)
		}
	}
	if form.Has("all") && filter.State != "" {
		if ids, err = c.DB.JobsLike(r.Context(), filter); err != nil {
			return failed(err)
		}
	}
	if len(ids) == 0 {
		return c.flash(w, r, web.FlashError, back, "queue.flash.none")
	}
	act, said := c.DB.CancelJobs, "queue.flash.cancelled"
	if retry {
		act, said = c.DB.RetryJobs, "queue.flash.retried"
	}
	n, err := act(r.Context(), ids, visitOf(r).actor)
	if err != nil {
		return failed(err)
	}
	return c.done(w, r, back, said, "Count", n)
}

func (c *Console) retryJobs(w http.ResponseWriter, r *http.Request) error {
	return c.actOnJobs(w, r, true)
}

func (c *Console) cancelJobs(w http.ResponseWriter, r *http.Request) error {
	return c.actOnJobs(w, r, false)
}
