package web

import (
	"cmp"
	"maps"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"proctor/holdout"
)

// holdoutPage is the public side of a sealed set.
type holdoutPage struct {
	Page                                    page
	Name, Version, SealedAt                 string
	Rows, Reserve, Canaries, Twins, Repeats string
	Practice, Retain                        string // "" where the set has none
	Digests                                 []digestView
	Classes                                 []sizeView
	Features                                []featureView
	Dimensions                              []dimensionView
}

type sizeView struct{ Name, Tag, N, Share string }
type featureView struct{ Name, Type string }
type dimensionView struct {
	Name   string
	Open   bool
	Values []sizeView
}

func (w *Server) holdoutPage(c echo.Context) error {
	h, err := w.service.Holdout(c.Request().Context(), principal(c), param(c, "name"))
	if err != nil {
		return err
	}
	return send(c, http.StatusOK, "holdout", newHoldoutPage(w.page(c, "Holdout "+h.Name), h))
}

func newHoldoutPage(p page, h holdout.Commitment) holdoutPage {
	n := int64(h.Rows)
	v := holdoutPage{
		Page: p, Name: h.Name, Version: count(int64(h.Version)), SealedAt: moment(h.SealedAt), Rows: count(n), Reserve: count(int64(h.ReserveRows)),
		Canaries: count(int64(h.Canaries)), Twins: count(int64(h.Twins)), Repeats: count(int64(h.Repeats)),
		Digests: []digestView{{"commitment", "manifest", h.Digest}, {"rows", "Merkle root over salted rows", h.RowRoot}},
	}
	if h.Practice > 0 {
		v.Practice = count(int64(h.Practice))
	}
	v.Retain = h.Retain
	if h.Previous != "" {
		v.Digests = append(v.Digests, digestView{"previous", "the version before", h.Previous})
	}
	for i, name := range h.Classes {
		s := sizeView{Name: name}
		if i < len(h.ClassCounts) {
			s.N, s.Share = count(h.ClassCounts[i]), share(h.ClassCounts[i], n)
		}
		if name == h.Positive {
			s.Tag = "positive"
		}
		v.Classes = append(v.Classes, s)
	}
	for _, f := range h.Features {
		v.Features = append(v.Features, featureView{f.Name, featureType(f.Number)})
	}
	for _, d := range slices.Sorted(maps.Keys(h.SliceSizes)) {
		v.Dimensions = append(v.Dimensions, newDimensionView(d, h.SliceSizes[d], n))
	}
	return v
}

// newDimensionView lists the values of a dimension, the largest first.
func newDimensionView(name string, sizes map[string]int64, rows int64) dimensionView {
	values := slices.Sorted(maps.Keys(sizes))
	slices.SortStableFunc(values, func(a, b string) int { return cmp.Compare(sizes[b], sizes[a]) })
	d := dimensionView{Name: name, Open: len(values) <= 8 && name != "class"}
	for _, v := range values {
		d.Values = append(d.Values, sizeView{Name: v, N: count(sizes[v]), Share: share(sizes[v], rows)})
	}
	return d
}

func featureType(isNumber bool) string {
	if isNumber {
		return "number"
	}
	return "text"
}
