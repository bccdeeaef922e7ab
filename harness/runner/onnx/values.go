package onnx

import (
	"errors"
	"fmt"
)

func appendValue(dst []valueProto, b []byte) ([]valueProto, error) {
	var p valueProto
	err := each(b, "value", set(1, 2, 3, 4), set(1, 2, 3), func(v field) (err error) {
		switch v.num {
		case 1:
			p.name, err = v.text()
		case 2:
			err = p.decodeType(v)
		}
		return err
	})
	return append(dst, p), err
}

// decodeType reads a tensor type. The only other one that converters declare is
// ZipMap's sequence of maps, which is left as kind 0; optional and sparse are refused.
func (p *valueProto) decodeType(v field) error {
	b, err := v.message()
	if err != nil {
		return err
	}
	return each(b, fmt.Sprintf("type of %q", p.name), set(1, 4, 5, 6, 8, 9), set(1, 4, 5, 6, 8, 9), func(v field) error {
		switch v.num {
		case 1:
			return p.decodeTensorType(v)
		case 8, 9:
			return errors.New("sparse and optional values are not supported")
		}
		return nil
	})
}

func (p *valueProto) decodeTensorType(v field) error {
	b, err := v.message()
	if err != nil {
		return err
	}
	return each(b, "tensor type", set(1, 2), set(1, 2), func(v field) error {
		if v.num == 1 {
			n, err := v.integer()
			if err == nil {
				p.kind, err = knownKind(n)
			}
			return err
		}
		b, err := v.message()
		if err != nil {
			return err
		}
		p.dims = []int64{}
		return each(b, "shape", set(1), 0, p.decodeDim)
	})
}

func (p *valueProto) decodeDim(v field) error {
	b, err := v.message()
	if err != nil {
		return err
	}
	if len(p.dims) == maxRank {
		return fmt.Errorf("more than %d dimensions", maxRank)
	}
	dim := int64(-1)
	err = each(b, "dimension", set(1, 2, 3), set(1, 2, 3), func(v field) (err error) {
		if v.num == 1 {
			if dim, err = v.integer(); err == nil && dim <= 0 {
				dim = -1 // older exporters write 0 for "free"
			}
		}
		return err
	})
	p.dims = append(p.dims, dim)
	return err
}
