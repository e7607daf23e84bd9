package handlers

import (
	"net/http"

	"cotejo/views"
	"cotejo/web"
)

// gallery shows each component in each state, with nothing of anybody in it.
func (c *Console) gallery(w http.ResponseWriter, r *http.Request) error {
	return web.Render(w, r, http.StatusOK, views.Gallery(views.GalleryPage{Page: c.page(w, r, "gallery", "gallery.title")}))
}
