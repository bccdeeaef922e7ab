package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"proctor/web/api"
)

// rowsPage shows sealed rows to a reviewer who asked for them. Each was logged under
// his name before the page was made, and leaves scoring at the next rotation.
type rowsPage struct {
	Page      page
	Back      string
	Candidate string
	Columns   []string
	Rows      []rowView
	Left      string
}

type rowView struct {
	Row    string
	Values []string // by column
}

// rowsForm asks for rows by their positions.
func (w *Server) rowsForm(c echo.Context) error {
	f, err := form(c, "form", "rows")
	if err != nil {
		return err
	}
	if err := checkForm(session(c), f["form"]); err != nil {
		return err
	}
	lines, err := positions(f["rows"])
	if err != nil {
		return err
	}
	id := param(c, "id")
	v, err := w.service.ShowRows(c.Request().Context(), principal(c), id, lines)
	if err != nil {
		return err
	}
	p, err := newRowsPage(w.page(c, "Sealed rows"), runAddress(id), v)
	if err != nil {
		return err
	}
	return send(c, http.StatusOK, "rows", p)
}

// positions reads numbers from 1 on, apart by spaces or commas; "1,234" is two.
func positions(text string) ([]int, error) {
	var out []int
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" ,;\r\n\t", r) }) {
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 {
			return nil, usage(fmt.Sprintf("%.20q is not the number of a row, from 1 on", word))
		}
		out = append(out, n)
	}
	if len(out) == 0 {
		return nil, usage("name the rows that you want to see, such as: 18 62 106")
	}
	return out, nil
}

func newRowsPage(p page, back string, v api.ShownRows) (rowsPage, error) {
	out := rowsPage{Page: p, Back: back, Left: count(int64(v.Left))}
	out.Page.Here = "runs"
	for _, r := range v.Rows {
		names, values, err := pairs(r.Values)
		if err != nil {
			return out, fmt.Errorf("row %d: %w", r.Row, err)
		}
		if out.Columns == nil {
			out.Columns = names
		}
		if !slices.Equal(names, out.Columns) {
			return out, fmt.Errorf("row %d has other columns than the one before", r.Row)
		}
		out.Rows = append(out.Rows, rowView{strconv.Itoa(r.Row), values})
	}
	return out, nil
}

// pairs reads a flat object in the order in which it stands.
func pairs(b []byte) (names, values []string, err error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, nil, fmt.Errorf("not an object")
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, nil, err
		}
		value, err := d.Token()
		if err != nil {
			return nil, nil, err
		}
		names, values = append(names, fmt.Sprint(key)), append(values, fmt.Sprint(value))
	}
	return names, values, nil
}
