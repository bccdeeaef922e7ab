package served

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"proctor/harness/runner"
	"proctor/holdout/rows"
)

// The Open Inference Protocol, version 2, over HTTP: what is sent for a batch is
//
//	POST /v2/models/NAME/infer
//	{"id":"1","inputs":[{"name":"age","shape":[2,1],"datatype":"FP64","data":[25,38]}]}
//
// and what comes back has "outputs" of the same form.

// A tensor is one input or output. Dimensions below 1 are free.
type tensor struct {
	Name     string          `json:"name"`
	Shape    []int           `json:"shape"`
	Datatype string          `json:"datatype"`
	Data     json.RawMessage `json:"data,omitempty"`
}

// A tensorModel asks a server for tensors.
type tensorModel struct {
	client  Client
	path    string
	classes []string
	inputs  []tensor // as the server describes them; nil: it does not
	fields  []rows.Field
	feeds   []feed // which columns go where; made at the first batch
	asked   int
}

// A feed is one input and the columns that it takes.
type feed struct {
	tensor
	columns []int
	flat    bool // of one dimension
}

func newTensorModel(ctx context.Context, c Client, m runner.Manifest) (*tensorModel, error) {
	path := "/v2/models/" + url.PathEscape(m.Model)
	var meta struct {
		Inputs []tensor `json:"inputs"`
	}
	if _, err := c.Get(ctx, path, &meta); err != nil {
		return nil, err
	}
	return &tensorModel{client: c, path: path + "/infer", classes: m.Classes, inputs: meta.Inputs}, nil
}

// bind joins inputs and columns: either there is one input, which takes all columns
// in their order, or each input takes the column of its name. A server that does not
// describe its inputs gets one a column.
func (t *tensorModel) bind(fields []rows.Field) error {
	t.fields = fields
	if len(t.inputs) == 0 {
		for i, f := range fields {
			t.feeds = append(t.feeds, feed{tensor{Name: f.Name, Datatype: natural(f)}, []int{i}, false})
		}
		return nil
	}
	if in := t.inputs[0]; len(t.inputs) == 1 && t.column(in.Name) < 0 {
		all := feed{tensor: in}
		if len(in.Shape) != 2 || in.Shape[1] > 0 && in.Shape[1] != len(fields) {
			return fmt.Errorf("the server's input %q has the shape %v, and there are %d columns", in.Name, in.Shape, len(fields))
		}
		for i := range fields {
			all.columns = append(all.columns, i)
		}
		t.feeds = []feed{all}
		return t.fits()
	}
	for _, in := range t.inputs {
		at := t.column(in.Name)
		if at < 0 {
			return fmt.Errorf("the server has an input %q, and there is no such column", in.Name)
		}
		if len(in.Shape) < 1 || len(in.Shape) > 2 || len(in.Shape) == 2 && in.Shape[1] > 1 {
			return fmt.Errorf("the server's input %q has the shape %v; one that is named as a column takes that one", in.Name, in.Shape)
		}
		t.feeds = append(t.feeds, feed{in, []int{at}, len(in.Shape) == 1})
	}
	return t.fits()
}

func (t *tensorModel) column(name string) int {
	return slices.IndexFunc(t.fields, func(f rows.Field) bool { return f.Name == name })
}

func natural(f rows.Field) string {
	if f.Number {
		return "FP64"
	}
	return "BYTES"
}

// fits checks that numbers go where numbers are wanted.
func (t *tensorModel) fits() error {
	for _, f := range t.feeds {
		number := floating(f.Datatype) || whole(f.Datatype)
		if !number && f.Datatype != "BYTES" {
			return fmt.Errorf("the server's input %q is of type %q; known are BYTES and numbers", f.Name, f.Datatype)
		}
		for _, c := range f.columns {
			if t.fields[c].Number != number {
				return fmt.Errorf("the server's input %q is of type %q, and column %s does not hold that", f.Name, f.Datatype, t.fields[c])
			}
		}
	}
	return nil
}

func floating(datatype string) bool { return strings.HasPrefix(datatype, "FP") }
func whole(datatype string) bool {
	return strings.HasPrefix(datatype, "INT") || strings.HasPrefix(datatype, "UINT")
}

func (t *tensorModel) predict(ctx context.Context, table rows.Table) ([]int32, []float64, error) {
	if t.feeds == nil {
		if err := t.bind(table.Fields()); err != nil {
			return nil, nil, err
		}
	}
	t.asked++
	body := []byte(`{"id":"` + strconv.Itoa(t.asked) + `","inputs":[`)
	for i, f := range t.feeds {
		if i > 0 {
			body = append(body, ',')
		}
		var err error
		if body, err = f.append(body, table); err != nil {
			return nil, nil, err
		}
	}
	body = append(body, "]}"...)
	var answer struct {
		Outputs []tensor `json:"outputs"`
	}
	if err := t.client.Post(ctx, t.path, body, &answer); err != nil {
		return nil, nil, err
	}
	return read(answer.Outputs, table.Len(), t.classes)
}

// append writes one input with the rows of a table.
func (f feed) append(dst []byte, t rows.Table) ([]byte, error) {
	shape := []int{t.Len(), len(f.columns)}
	if f.flat {
		shape = shape[:1]
	}
	head, err := json.Marshal(tensor{Name: f.Name, Shape: shape, Datatype: f.Datatype})
	if err != nil {
		return nil, err
	}
	dst = append(append(dst, head[:len(head)-1]...), `,"data":[`...)
	cols := t.Columns()
	for r := range t.Len() {
		for i, at := range f.columns {
			if r+i > 0 {
				dst = append(dst, ',')
			}
			c := cols[at]
			if !c.IsNumber() {
				text, err := json.Marshal(c.Strings[r])
				if err != nil {
					return nil, err
				}
				dst = append(dst, text...)
				continue
			}
			v := c.Floats[r]
			if whole(f.Datatype) && (v != math.Trunc(v) || math.Abs(v) > 1<<53) {
				return nil, fmt.Errorf("the server's input %q is of type %q, and column %q has the value %v", f.Name, f.Datatype, c.Name, v)
			}
			dst = strconv.AppendFloat(dst, v, 'f', -1, 64)
		}
	}
	return append(dst, "]}"...), nil
}

// read finds the answers among a server's outputs, the first of each sort: numbers
// with a fraction, one a row and class, are probabilities in the order of the
// manifest's classes; words are classes, whole numbers indexes of classes, one a row.
func read(outputs []tensor, n int, classes []string) (labels []int32, probs []float64, err error) {
	for _, o := range outputs {
		k := 1
		for _, d := range o.Shape {
			k *= max(min(d, 1<<20), 0)
		}
		switch {
		case floating(o.Datatype) && probs == nil && len(o.Shape) == 2 && o.Shape[0] == n && o.Shape[1] == len(classes):
			probs, err = numbers(o.Data, n*len(classes))
		case whole(o.Datatype) && labels == nil && k == n:
			labels, err = indexes(o.Data, n, len(classes))
		case o.Datatype == "BYTES" && labels == nil && k == n:
			labels, err = names(o.Data, n, classes)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("the server's output %.100q: %w", o.Name, err)
		}
	}
	if labels == nil && probs == nil {
		return nil, nil, fmt.Errorf("no output of the server has %d rows of %d probabilities, or %d answers: %s", n, len(classes), n, describe(outputs))
	}
	return labels, probs, nil
}

func describe(outputs []tensor) string {
	var all []string
	for _, o := range outputs[:min(len(outputs), 10)] {
		all = append(all, fmt.Sprintf("%.100q %.20q %v", o.Name, o.Datatype, o.Shape[:min(len(o.Shape), 8)]))
	}
	if all == nil {
		return "it has none"
	}
	return strings.Join(all, "; ")
}

func numbers(data json.RawMessage, n int) ([]float64, error) {
	var out []float64
	err := flatten(data, n, func(v any) error {
		x, ok := v.(float64)
		if !ok {
			return errors.New("want numbers")
		}
		out = append(out, x)
		return nil
	})
	return out, err
}

func indexes(data json.RawMessage, n, k int) ([]int32, error) {
	var out []int32
	err := flatten(data, n, func(v any) error {
		x, ok := v.(float64)
		if !ok || x != math.Trunc(x) || x < -1 || x >= float64(k) {
			return fmt.Errorf("%q is not the index of one of %d classes", fmt.Sprint(v), k)
		}
		out = append(out, int32(x))
		return nil
	})
	return out, err
}

func names(data json.RawMessage, n int, classes []string) ([]int32, error) {
	var out []int32
	err := flatten(data, n, func(v any) error {
		x, ok := v.(string)
		if !ok {
			return errors.New("want words")
		}
		out = append(out, int32(slices.Index(classes, x)))
		return nil
	})
	return out, err
}

// flatten goes through n values in a flat or nested list.
func flatten(data json.RawMessage, n int, use func(any) error) error {
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	count := 0
	var walk func(any) error
	walk = func(v any) error {
		if list, ok := v.([]any); ok {
			for _, e := range list {
				if err := walk(e); err != nil {
					return err
				}
			}
			return nil
		}
		if count++; count > n {
			return fmt.Errorf("more than %d values", n)
		}
		return use(v)
	}
	if err := walk(v); err != nil {
		return err
	}
	if count != n {
		return fmt.Errorf("%d values, want %d", count, n)
	}
	return nil
}
