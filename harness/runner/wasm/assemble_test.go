package wasm

import "encoding/binary"

// A few bytes of WebAssembly, put together by hand: what a compiler would not emit
// can be asked for too.

// An imported function of WASI, by name, with so many parameters of type i32 unless
// wide says that the one at this index is an i64.
type imported struct {
	from, name string
	params     int
	wide       int // index of an i64 parameter, or -1
	result     bool
}

var (
	procExit     = imported{"wasi_snapshot_preview1", "proc_exit", 1, -1, false}
	randomGet    = imported{"wasi_snapshot_preview1", "random_get", 2, -1, true}
	clockGet     = imported{"wasi_snapshot_preview1", "clock_time_get", 3, 1, true}
	fdWrite      = imported{"wasi_snapshot_preview1", "fd_write", 4, -1, true}
	prestatGet   = imported{"wasi_snapshot_preview1", "fd_prestat_get", 2, -1, true}
	environSizes = imported{"wasi_snapshot_preview1", "environ_sizes_get", 2, -1, true}
)

// Instructions.
const (
	unreachable = 0x00
	drop        = 0x1a
	end         = 0x0b
	i32eqz      = 0x45
	i32add      = 0x6a
)

func constant(v int) []byte { return append([]byte{0x41}, sleb(v)...) }
func call(f int) []byte     { return append([]byte{0x10}, uleb(f)...) }
func load(at int) []byte    { return append(constant(at), 0x28, 2, 0) }
func store(at, v int) []byte {
	return join(constant(at), constant(v), []byte{0x36, 2, 0})
}

// assemble makes a module: imports first, then one function of no parameters under
// the name export, with the body given; memory of min pages.
func assemble(export string, min int, imports []imported, body ...[]byte) []byte {
	var types, imps []byte
	for i, f := range imports {
		types = append(types, 0x60)
		types = append(types, uleb(f.params)...)
		for p := range f.params {
			if p == f.wide {
				types = append(types, 0x7e)
			} else {
				types = append(types, 0x7f)
			}
		}
		if f.result {
			types = append(types, 1, 0x7f)
		} else {
			types = append(types, 0)
		}
		imps = append(imps, name(f.from)...)
		imps = append(imps, name(f.name)...)
		imps = append(imps, 0)
		imps = append(imps, uleb(i)...)
	}
	types = append(types, 0x60, 0, 0)
	n := len(imports)
	code := append([]byte{0}, join(append(body, []byte{end})...)...)
	return join([]byte("\x00asm"), []byte{1, 0, 0, 0},
		section(1, join(uleb(n+1), types)),
		section(2, join(uleb(n), imps)),
		section(3, join(uleb(1), uleb(n))),
		section(5, join(uleb(1), []byte{0}, uleb(min))),
		section(7, join(uleb(2), name(export), []byte{0}, uleb(n), name("memory"), []byte{2, 0})),
		section(10, join(uleb(1), uleb(len(code)), code)))
}

func section(id byte, body []byte) []byte { return join([]byte{id}, uleb(len(body)), body) }
func name(s string) []byte                { return append(uleb(len(s)), s...) }

func uleb(v int) []byte { return binary.AppendUvarint(nil, uint64(v)) }

func sleb(v int) []byte {
	var out []byte
	for {
		b := byte(v & 0x7f)
		v >>= 7
		if v == 0 && b&0x40 == 0 || v == -1 && b&0x40 != 0 {
			return append(out, b)
		}
		out = append(out, b|0x80)
	}
}

func join(parts ...[]byte) []byte {
	var out []byte
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}
