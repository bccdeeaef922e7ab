package cmd_test

import (
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// BenchmarkHealth asks a service how it is, while 200 connections send a byte a second
// and four callers of one account ask as fast as they can. The figure is the 99th
// percentile of the answers' times.
func BenchmarkHealth(b *testing.B) {
	dir := b.TempDir()
	data := filepath.Join(dir, "data")
	service := exec.Command(filepath.Join(bin, "proctor"), "serve", "--dir", data, "--addr", "127.0.0.1:0")
	url, err := startService(service, dir)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { service.Process.Kill(); service.Wait() }()
	secret, err := exec.Command(filepath.Join(bin, "proctor"), "user", "add", "ci", "--dir", data, "--person", "Ci", "--role", "submitter").Output()
	if err != nil {
		b.Fatal(err)
	}
	stop := make(chan struct{})
	defer close(stop)
	for range 200 {
		go dribble(strings.TrimPrefix(url, "http://"), stop)
	}
	for range 4 {
		go flood(url+"/v1/submissions", strings.TrimSpace(string(secret)), stop)
	}
	var times []time.Duration
	for b.Loop() {
		began := time.Now()
		resp, err := http.Get(url + "/healthz")
		if err != nil || resp.StatusCode != http.StatusOK {
			b.Fatal(resp, err)
		}
		resp.Body.Close()
		times = append(times, time.Since(began))
	}
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(float64(times[len(times)-1].Microseconds())/1000, "worst-ms")
}

// dribble holds a connection with a request that never ends, and begins anew when it
// is cut off.
func dribble(addr string, stop chan struct{}) {
	for {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			_, err = fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
		}
		for err == nil {
			select {
			case <-stop:
				conn.Close()
				return
			case <-time.After(time.Second):
				_, err = conn.Write([]byte("x"))
			}
		}
		select {
		case <-stop:
			return
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func flood(url, token string, stop chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		req, _ := http.NewRequest(http.MethodGet, url, nil)
		req.Header.Set("Authorization", "Bearer "+token)
		if resp, err := http.DefaultClient.Do(req); err == nil {
			resp.Body.Close()
		}
	}
}
