package onnx

import (
	"errors"
	"fmt"
)

// A kernel computes one node. Missing optional inputs are nil. It must ask the
// machine for the storage of each output and write every element of it.
type kernel func(m *machine, in, out []*tensor) error

// A machine holds the values of one block of rows and the budget for computing them.
type machine struct {
	trial bool // made-up rows: refusals that depend on a row's values are left out

	live, pooled, maxBytes int
	work                   int

	f32 pool[float32]
	f64 pool[float64]
	i64 pool[int64]
	str pool[string]
	bit pool[bool]
}

var errMemory = errors.New("the model needs more memory for its intermediate values than a block of rows may have")
var errWork = errors.New("the model needs more steps for a row than its size allows")

// spend charges n steps to the block.
func (m *machine) spend(n int) error {
	if n < 0 || n > m.work {
		m.work = 0
		return errWork
	}
	m.work -= n
	return nil
}

// times is a product that sticks at a huge number instead of overflowing.
func times(ns ...int) int {
	p := 1
	for _, n := range ns {
		if n != 0 && p > (1<<60)/n {
			return 1 << 60
		}
		p *= n
	}
	return p
}

// make gives t storage for the shape; its content is undefined.
func (m *machine) make(t *tensor, k kind, shape []int) error {
	n, steps, err := sized(shape)
	if err != nil {
		return err
	}
	bytes := n * width(k)
	if m.live+bytes > m.maxBytes {
		return errMemory
	}
	if err := m.spend(steps); err != nil {
		return err
	}
	if m.live+m.pooled+bytes > m.maxBytes {
		m.forget()
	}
	t.kind, t.shape = k, append(t.shape[:0], shape...)
	switch k {
	case kindFloat:
		t.f32 = m.f32.take(m, n)
	case kindDouble:
		t.f64 = m.f64.take(m, n)
	case kindInt64, kindInt32:
		t.i64 = m.i64.take(m, n)
	case kindString:
		t.str = m.str.take(m, n)
	case kindBool:
		t.bit = m.bit.take(m, n)
	default:
		return fmt.Errorf("%s has no storage", k)
	}
	m.live += bytes
	return nil
}

// release takes the storage of t back.
func (m *machine) release(t *tensor) {
	if t.kind == 0 {
		return
	}
	m.live -= t.len() * width(t.kind)
	switch t.kind {
	case kindFloat:
		m.f32.give(m, &t.f32)
	case kindDouble:
		m.f64.give(m, &t.f64)
	case kindInt64, kindInt32:
		m.i64.give(m, &t.i64)
	case kindString:
		m.str.give(m, &t.str)
	case kindBool:
		m.bit.give(m, &t.bit)
	}
	t.kind = 0
}

func (m *machine) forget() {
	m.f32.free, m.f64.free, m.i64.free, m.str.free, m.bit.free = nil, nil, nil, nil, nil
	m.pooled = 0
}

func width(k kind) int {
	switch k {
	case kindFloat:
		return 4
	case kindBool:
		return 1
	case kindString:
		return 16
	}
	return 8
}

// A pool keeps storage for the next tensor of its type.
type pool[T element] struct {
	free [][]T
}

func (p *pool[T]) take(m *machine, n int) []T {
	for i := len(p.free) - 1; i >= 0; i-- {
		if s := p.free[i]; cap(s) >= n && cap(s) <= 2*n+64 {
			p.free[i] = p.free[len(p.free)-1]
			p.free = p.free[:len(p.free)-1]
			m.pooled -= cap(s) * p.size()
			return s[:n]
		}
	}
	return make([]T, n)
}

func (p *pool[T]) give(m *machine, s *[]T) {
	if len(p.free) < 64 {
		p.free = append(p.free, *s)
		m.pooled += cap(*s) * p.size()
	}
	*s = nil
}

func (p *pool[T]) size() int {
	switch any(*new(T)).(type) {
	case float32:
		return 4
	case bool:
		return 1
	case string:
		return 16
	}
	return 8
}
