// Misbehave is a model that follows the protocol but for the one thing that its
// argument names. Whatever it does is bounded, should no jail be around it.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

type batch struct {
	B    int              `json:"b"`
	Rows []map[string]any `json:"rows"`
}

func main() {
	mode := "well"
	if len(os.Args) > 1 {
		mode = os.Args[1]
	}
	if mode == "cat" { // a grandchild
		time.Sleep(5 * time.Minute)
		return
	}
	begin(mode)
	in := bufio.NewReader(os.Stdin)
	if mode == "hoards" { // answers when it has seen everything
		all, _ := io.ReadAll(in)
		in = bufio.NewReader(bytes.NewReader(all))
	}
	peeked := lines(in, mode == "peeks")
	out := bufio.NewWriter(os.Stdout)
	total := 0
	for {
		line, ahead, ok := peeked()
		if !ok {
			break
		}
		var b batch
		if err := json.Unmarshal(line, &b); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		if ahead { // it knows what comes next
			b.Rows[0]["x"] = 1.0
		}
		answer(out, mode, b)
		out.Flush()
		total += len(b.Rows)
	}
	end(out, mode, total)
	out.Flush()
	os.Exit(code(mode))
}

// lines gives line after line of in and, if it is to peek, whether the next one is
// there already or comes within half a second.
func lines(in *bufio.Reader, peek bool) func() (line []byte, ahead, ok bool) {
	all := make(chan []byte)
	go func() {
		defer close(all)
		for {
			line, err := in.ReadBytes('\n')
			if err != nil {
				return
			}
			all <- line
		}
	}()
	var next []byte
	return func() (line []byte, ahead, ok bool) {
		if line, next = next, nil; line == nil {
			if line, ok = <-all; !ok || !peek {
				return line, false, ok
			}
		}
		select {
		case next, ahead = <-all:
		case <-time.After(500 * time.Millisecond):
		}
		return line, ahead, true
	}
}

func begin(mode string) {
	switch mode {
	case "nothing":
		os.Exit(0)
	case "dies":
		os.Exit(3)
	case "hangs":
		time.Sleep(5 * time.Minute)
	case "tells": // a token that stands in no file
		fmt.Fprintln(os.Stderr, "signed in with "+strings.ToLower("GHP_")+strings.Repeat("Zq7Wm4Kx9", 4))
	case "banner":
		fmt.Println("Loading weights...")
	case "early": // before it was asked
		for b := 1; b <= 50; b++ {
			fmt.Printf("{\"b\":%d,\"y\":[0,0,0,0,0]}\n", b)
		}
		time.Sleep(5 * time.Minute)
	case "memory":
		var held [][]byte
		for range 32 { // 512 MiB at most
			b := make([]byte, 16<<20)
			for i := range b {
				b[i] = 1
			}
			held = append(held, b)
		}
		fmt.Fprintln(os.Stderr, len(held))
	case "flood":
		w := bufio.NewWriterSize(os.Stdout, 1<<16)
		for range 1 << 20 { // 64 MiB at most
			w.WriteString("{\"b\":1,\"y\":[0]                                                 }\n")
		}
		w.Flush()
	case "longline":
		w := bufio.NewWriterSize(os.Stdout, 1<<16)
		for range 1 << 10 {
			w.WriteString(strings.Repeat("[", 1<<14))
		}
		w.Flush()
	case "forks":
		started := 0
		for range 60 {
			c := exec.Command("./misbehave", "cat")
			c.Stdout = os.Stdout
			if c.Start() == nil {
				started++
			}
		}
		fmt.Fprintln(os.Stderr, "started", started)
		os.Exit(1)
	}
}

func answer(w *bufio.Writer, mode string, b batch) {
	if strings.HasPrefix(mode, "covert") {
		covert(w, mode, b)
		return
	}
	if strings.HasPrefix(mode, "silent") {
		silent(w, mode, b)
		return
	}
	n, no := len(b.Rows), b.B
	p := make([]string, n)
	for i, r := range b.Rows {
		x, _ := r["x"].(float64)
		p[i] = fmt.Sprintf("[%g,%g]", 1-x, x)
	}
	if no >= 3 {
		switch mode {
		case "fewer":
			p = p[1:]
		case "more":
			p = append(p, p[0])
		case "wide":
			p[0] = "[0.2,0.3,0.5]"
		case "narrow":
			p[0] = "[1]"
		case "nan":
			p[0] = "[NaN,1]"
		case "infinite":
			p[0] = "[1e999,0]"
		case "negative":
			p[0] = "[-0.1,1.1]"
		case "sum":
			p[0] = "[0.5,0.4]"
		case "text":
			p[0] = `["0.5","0.5"]`
		case "null":
			p[0] = "null"
		case "order":
			no++
		case "repeat":
			no--
		case "slow":
			time.Sleep(5 * time.Minute)
		case "drips":
			for range 1000 {
				w.WriteString(" ")
				w.Flush()
				time.Sleep(50 * time.Millisecond)
			}
		case "stops":
			os.Exit(0)
		case "panics":
			panic("the row was " + fmt.Sprint(b.Rows[0]))
		case "closes":
			os.Stdout.Close()
			time.Sleep(5 * time.Minute)
		case "garbage":
			w.WriteString("\x00\xff<html>\n")
		case "blank":
			w.WriteString("\n")
		case "half":
			w.WriteString(`{"b":3,"p":[[0.5,`)
			w.Flush()
			os.Exit(0)
		case "extra-key":
			fmt.Fprintf(w, "{\"b\":%d,\"p\":[%s],\"correct\":true}\n", no, strings.Join(p, ","))
			return
		case "twice":
			fmt.Fprintf(w, "{\"b\":%d,\"b\":%d,\"p\":[%s]}\n", no, no, strings.Join(p, ","))
			return
		case "class":
			fmt.Fprintf(w, "{\"b\":%d,\"p\":[%s],\"y\":[%s]}\n", no, strings.Join(p, ","), strings.Repeat("2,", n-1)+"2")
			return
		case "no-p":
			fmt.Fprintf(w, "{\"b\":%d,\"y\":[%s]}\n", no, strings.Repeat("1,", n-1)+"1")
			return
		case "end-now":
			w.WriteString("{\"end\":20}\n")
			return
		}
	}
	fmt.Fprintf(w, "{\"b\": %d, \"p\": [%s]}\n", no, strings.Join(p, ", "))
}

func end(w *bufio.Writer, mode string, total int) {
	switch mode {
	case "no-end":
		return
	case "wrong-end":
		total--
	case "stays":
		defer time.Sleep(5 * time.Minute)
	}
	fmt.Fprintf(w, "{\"end\":%d}\n", total)
	switch mode {
	case "after-end":
		fmt.Fprintln(w, "bye")
	case "after-end-half":
		fmt.Fprint(w, "bye")
	case "covert-end":
		fmt.Fprintln(w, read)
	}
	w.Flush()
}

func code(mode string) int {
	if mode == "code" {
		return 9
	}
	return 0
}
