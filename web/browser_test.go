package web

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// A shop shows pages to a browser as the server sends them, and counts what a page
// must never do: load something else, or break the content policy.
type shop struct {
	*httptest.Server
	pages map[string][]byte
	hits  atomic.Int64 // requests for what no page of ours names
	csp   atomic.Int64 // reports of a broken policy
}

func newShop(t *testing.T, policy string) *shop {
	s := &shop{pages: map[string][]byte{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch own := r.URL.Path == "/page/compare"; { // a report in a file carries its own
		case policy != "" && strings.HasPrefix(r.URL.Path, "/page/cases"):
			w.Header().Set("Content-Security-Policy", policy+"; script-src 'self'; report-uri /csp")
		case policy != "" && !own:
			w.Header().Set("Content-Security-Policy", policy+"; report-uri /csp")
		}
		switch name := strings.TrimPrefix(r.URL.Path, "/page/"); {
		case s.pages[name] != nil:
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Write(s.pages[name])
		case r.URL.Path == "/proctor.css":
			w.Header().Set("Content-Type", "text/css; charset=utf-8")
			w.Write([]byte(styleSheet))
		case r.URL.Path == "/cases.js":
			w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
			w.Write(caseScript)
		case r.URL.Path == "/proctor.svg":
			w.Header().Set("Content-Type", "image/svg+xml")
			w.Write(icon)
		case r.URL.Path == "/csp":
			s.csp.Add(1)
		default:
			s.hits.Add(1)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// chromium starts a browser, or skips where there is none.
func chromium(t *testing.T) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("there is no chromium here: pages are not seen by a browser")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.Flag("disable-background-networking", true))
	if os.Geteuid() == 0 {
		opts = append(opts, chromedp.NoSandbox)
	}
	alloc, stop := chromedp.NewExecAllocator(context.Background(), opts...)
	ctx, end := chromedp.NewContext(alloc)
	t.Cleanup(func() { end(); stop() })
	ctx, cancel := context.WithTimeout(ctx, 4*time.Minute)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatalf("start chromium: %v", err)
	}
	return ctx
}

// TestAccessible has axe-core look at every page, in light and wide, in dark and narrow.
func TestAccessible(t *testing.T) {
	file := os.Getenv("PROCTOR_AXE")
	if file == "" {
		t.Skip("PROCTOR_AXE does not name axe.min.js of the npm package axe-core")
	}
	axe, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	ctx := chromium(t)
	s := newShop(t, contentPolicy)
	for name, render := range views("tame") {
		if s.pages[strings.ReplaceAll(name, " ", "-")], err = render(); err != nil {
			t.Fatal(err)
		}
	}
	if s.pages["huge"], err = renderPage("run", runPage{Page: frame("rae"), Report: newReportView(huge(), "", "/runs/x")}); err != nil {
		t.Fatal(err)
	}
	delete(s.pages, "continue") // is left before anybody can look
	s.pages["broken"] = []byte(`<!doctype html><html><head><title>x</title></head><body><main><img src="/x"><p>x</p></main></body></html>`)
	const look = `axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}).then(r => r.violations.map(v => v.id + ": " + v.nodes.slice(0, 3).map(n => n.html.slice(0, 200)).join(" | ")))`
	for scheme, width := range map[string]int64{"light": 1280, "dark": 400} {
		media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
		if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, media); err != nil {
			t.Fatal(err)
		}
		for _, name := range slices.Sorted(maps.Keys(s.pages)) {
			err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 900), chromedp.Navigate(s.URL+"/page/"+name))
			if err == nil {
				_, err = chromedp.Run(ctx, chromedp.Evaluate[bool](string(axe)+";true"))
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			found, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](look, chromedp.EvalAwaitPromise))
			if err != nil || (len(found) > 0) != (name == "broken") {
				t.Errorf("%s, %s, %d wide: %s %v", name, scheme, width, strings.Join(found, "\n  "), err)
			}
			wide, err := chromedp.Run(ctx, chromedp.Evaluate[int64](`document.documentElement.scrollWidth`))
			if err != nil || wide > width && name != "broken" {
				t.Errorf("%s, %s: %d pixels wide on a screen of %d, %v", name, scheme, wide, width, err)
			}
		}
	}
}

// payloads are a hundred texts that would run, load or lead somewhere if they were
// taken for markup.
func payloads() (list []string) {
	acts := []string{"window.hit=1", "fetch('/hit')", "alert(1)", "new Image().src='/hit'"}
	for _, act := range acts {
		for _, form := range []string{
			`<script>%s</script>`, `</title><script>%s</script>`, `</style></script><script>%s</script>`, `"><script>%s</script>`, `'><script>%s</script>`,
			`<img src=/hit onerror="%s">`, `"><img src=/hit onerror='%s'>`, `<svg onload="%s">`, `<svg><script>%s</script></svg>`, `<body onload="%s">`,
			`" autofocus onfocus="%s" x="`, `' autofocus onfocus='%s' x='`, `javascript:%s`, "jav\tascript:%s", `<a href="javascript:%s">x</a>`,
			`<iframe srcdoc="<script>%s</script>">`, `<details open ontoggle="%s">`, `<math><mtext></mtext><mglyph><style></math><img src=/hit onerror="%s">`,
			`<!--><script>%s</script>-->`, `<![CDATA[><script>%s</script>]]>`, `<template><script>%s</script></template>`, `<noscript><img src=/hit onerror="%s"></noscript>`,
			`<form action=/hit><input autofocus onfocus="%s">`, `<style>@import "/hit";</style>%s`, `<link rel=stylesheet href=/hit>%s`, `<meta http-equiv=refresh content="0;url=/hit">%s`,
		} {
			list = append(list, fmt.Sprintf(form, act))
		}
	}
	return list
}

// Text of others runs nothing, loads nothing, leads nowhere and reads as it was sent.
func TestTextStaysText(t *testing.T) {
	ctx := chromium(t)
	s := newShop(t, contentPolicy)
	shows := func(name string) (string, bool) {
		t.Helper()
		if err := chromedp.Do(ctx, chromedp.Navigate(s.URL+"/page/"+name)); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.querySelector("h1").textContent + (window.hit ? " HIT" : "")`))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return text, strings.HasSuffix(text, " HIT")
	}
	for i, p := range payloads() {
		b, err := views(p)["run fail"]()
		if err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprint(i)
		s.pages[name] = b
		text, ran := shows(name)
		if ran || !strings.Contains(text, visible(p)) {
			t.Errorf("%q: ran %v, shown as %q", p, ran, text)
		}
		if i >= 26 { // each form once on a second page
			continue
		}
		if s.pages["cases-"+name], err = views(p)["cases"](); err != nil {
			t.Fatal(err)
		}
		if text, ran := shows("cases-" + name); ran || text != "Cases" {
			t.Errorf("%q on the page of cases: ran %v, %q", p, ran, text)
		}
	}
	if s.hits.Load()+s.csp.Load() > 0 {
		t.Errorf("%d requests and %d reports of a broken policy", s.hits.Load(), s.csp.Load())
	}

	// Without escaping the policy still holds; without both it would have been an attack.
	raw := []byte("<!doctype html><h1>x</h1>" + payloads()[0] + payloads()[5])
	s.pages["raw"] = raw
	if _, ran := shows("raw"); ran || s.csp.Load() == 0 {
		t.Error("negative control: the policy let a script run, or reported nothing")
	}
	s = newShop(t, "")
	s.pages["raw"] = raw
	if _, ran := shows("raw"); !ran {
		t.Error("negative control: without escaping and policy nothing ran")
	}
}
