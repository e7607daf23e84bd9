package views

import "testing"

func TestGallery(t *testing.T) {
	t.Parallel()
	bothLanguages(t, func(t *testing.T, lang string) {
		doc := render(t, Gallery(GalleryPage{Page: testPage(lang)}))
		checkDocument(t, doc, lang)
		count(t, doc, ".gallery__icon", len(iconNames()))
		count(t, doc, "svg.chart", 2)
		if len(iconNames()) < 50 {
			t.Errorf("%d icons", len(iconNames()))
		}
	})
}
