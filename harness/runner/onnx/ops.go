package onnx

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// An operator is one range of versions of an operator set in which a name has one
// meaning for us; build may look at the version for smaller differences.
type operator struct {
	domain, name string
	since, until int64
	in           [2]int // least and most inputs
	out          int    // most outputs
	build        func(*builder) (kernel, error)
}

const many = maxPorts

// operators lists everything that can be evaluated.
var operators []operator

func init() {
	operators = slices.Concat(arithmeticOps(), logicOps(), matrixOps(), reduceOps(), shapeOps(), selectOps(),
		linearOps(), scaleOps(), encodeOps(), treeOps())
}

func core(name string, since int64, least, most int, build func(*builder) (kernel, error)) operator {
	return operator{"", name, since, opsetRange[""][1], [2]int{least, most}, 1, build}
}

func ml(name string, least, most, out int, build func(*builder) (kernel, error)) operator {
	return operator{mlDomain, name, 1, opsetRange[mlDomain][1], [2]int{least, most}, out, build}
}

func lookup(domain, name string, version int64) (operator, error) {
	var same []string
	for _, o := range operators {
		if o.domain != domain {
			continue
		}
		if o.name == name && version >= o.since && version <= o.until {
			return o, nil
		}
		same = append(same, o.name)
	}
	if len(same) == 0 {
		return operator{}, fmt.Errorf("domain %q is not supported; supported are ai.onnx and %s", domain, mlDomain)
	}
	slices.Sort(same)
	return operator{}, fmt.Errorf("operator %s.%s version %d is not supported; supported are %s",
		domainName(domain), name, version, strings.Join(slices.Compact(same), ", "))
}

func domainName(d string) string {
	if d == "" {
		return "ai.onnx"
	}
	return d
}

func decimals(n []int64) []string {
	out := make([]string, len(n))
	for i, v := range n {
		out[i] = strconv.FormatInt(v, 10)
	}
	return out
}
