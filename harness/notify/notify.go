// Package notify tells other systems what the log records, by webhooks.
//
// A receiver is told of every event, in the order of the log, at least once: its
// place in the log is kept, and moves on only past what it answered with a success.
// One that is away is asked again, ever more slowly, and misses nothing.
//
// What is sent is a CloudEvent, signed as Standard Webhooks ask, so that a receiver
// can tell it from what anybody else sends him; or, if its address says so, a line
// of text for a chat. The package trusts its configuration: whom to tell is the
// operator's choice. It trusts no answer, follows no redirect and sends nothing that
// an [api.Event] does not hold.
package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"proctor/web/api"
)

// A Log is where events come from and where it is kept how far a receiver was told.
// Receiver returns the first entry that it was not told of; for a new name, the end.
type Log interface {
	Follow(ctx context.Context, from int64, limit int) ([]api.Event, error)
	Receiver(ctx context.Context, name string) (next int64, err error)
	Told(ctx context.Context, name string, next int64) error
}

// A Receiver is told of events.
type Receiver struct {
	URL  string
	Key  []byte // signs what is sent; not used for a chat
	Chat bool   // wants {"text": ...}
}

// Parse reads the address of a receiver: https://host/path, or chat+https://host/path
// for one that wants a line of text. Plain http is for this machine alone.
func Parse(address string, key []byte) (Receiver, error) {
	r := Receiver{URL: address, Key: key}
	if rest, ok := strings.CutPrefix(address, "chat+"); ok {
		r.URL, r.Chat, r.Key = rest, true, nil
	}
	u, err := url.Parse(r.URL)
	local := err == nil && (u.Hostname() == "127.0.0.1" || u.Hostname() == "::1" || u.Hostname() == "localhost")
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && !(u.Scheme == "http" && local) {
		return Receiver{}, errors.New("the address of a webhook is https://HOST/PATH, or chat+https://HOST/PATH")
	}
	if !r.Chat && len(key) < 16 {
		return Receiver{}, errors.New("a webhook needs a key of at least 16 bytes, which signs what is sent")
	}
	return r, nil
}

// Name stands for a receiver where its address may not, which can hold a secret.
func (r Receiver) Name() string {
	h := sha256.Sum256([]byte(strconv.FormatBool(r.Chat) + r.URL))
	return hex.EncodeToString(h[:])
}

// Host is what of the address may be shown.
func (r Receiver) Host() string {
	u, err := url.Parse(r.URL)
	if err != nil {
		return ""
	}
	return u.Host
}

// A Teller tells receivers what one service records.
type Teller struct {
	Log    Log
	Source string // URI of the service
	Now    func() time.Time
	Wait   func(context.Context, time.Duration) error // until then, or until the context ends
	Logger *slog.Logger
	Client *http.Client
}

// Times between looks at the log and between tries.
const (
	look     = time.Second
	firstTry = time.Second
	lastTry  = 5 * time.Minute
	oneTry   = 20 * time.Second
	batch    = 100
)

// Tell tells one receiver until the context ends.
func (t Teller) Tell(ctx context.Context, r Receiver) error {
	next, err := t.Log.Receiver(ctx, r.Name())
	for ctx.Err() == nil && err == nil {
		var list []api.Event
		if list, err = t.Log.Follow(ctx, next, batch); err != nil {
			break
		}
		if len(list) == 0 {
			err = t.Wait(ctx, look)
			continue
		}
		for _, e := range list {
			if err = t.insist(ctx, r, e); err != nil {
				break
			}
			next = e.Index + 1
		}
		err = errors.Join(err, t.Log.Told(context.WithoutCancel(ctx), r.Name(), next))
	}
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("webhook %s: %w", r.Host(), err)
}

// insist sends one event until it was taken.
func (t Teller) insist(ctx context.Context, r Receiver, e api.Event) error {
	for pause := firstTry; ; pause = min(2*pause, lastTry) {
		err := t.send(ctx, r, e)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		t.Logger.Warn("a webhook was not taken", "host", r.Host(), "log_index", e.Index, "again_in", pause.String(), "error", err)
		if err := t.Wait(ctx, pause); err != nil {
			return err
		}
	}
}

func (t Teller) send(ctx context.Context, r Receiver, e api.Event) error {
	ctx, cancel := context.WithTimeout(ctx, oneTry)
	defer cancel()
	body, contentType, err := t.body(r, e)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.URL, bytes.NewReader(body))
	if err != nil {
		return errors.New("the address cannot be asked")
	}
	req.Header.Set("Content-Type", contentType)
	if !r.Chat {
		sign(req.Header, r.Key, t.id(e), t.Now(), body)
	}
	client := *t.Client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := client.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) { // names the whole address, which may hold a secret
			err = u.Err
		}
		return err
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16)) // so that the connection serves again
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return fmt.Errorf("it answered %s", resp.Status)
	}
	return nil
}

// id is the same for each try, so that a receiver can leave out what it has.
func (t Teller) id(e api.Event) string {
	h := sha256.Sum256([]byte(t.Source))
	return fmt.Sprintf("%x-%d", h[:6], e.Index)
}

// A cloudEvent is an event in the JSON form of CloudEvents 1.0.
type cloudEvent struct {
	SpecVersion     string    `json:"specversion"`
	ID              string    `json:"id"`
	Source          string    `json:"source"`
	Type            string    `json:"type"` // dev.proctor.verdict and so on
	Subject         string    `json:"subject,omitempty"`
	Time            string    `json:"time,omitempty"`
	DataContentType string    `json:"datacontenttype"`
	Data            api.Event `json:"data"`
}

func (t Teller) body(r Receiver, e api.Event) (body []byte, contentType string, err error) {
	if r.Chat {
		lines := append([]string{e.Sentence}, e.Alerts...)
		body, err = json.Marshal(map[string]string{"text": escapeChat(strings.Join(lines, "\n! "))})
		return body, "application/json", err
	}
	body, err = json.Marshal(cloudEvent{"1.0", t.id(e), t.Source, "dev.proctor." + e.Kind, e.Name, e.At, "application/json", e})
	return body, "application/cloudevents+json", err
}

// escapeChat keeps text from becoming links and mentions.
func escapeChat(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

// sign sets the headers of Standard Webhooks: HMAC-SHA256 over id, time and body.
func sign(h http.Header, key []byte, id string, now time.Time, body []byte) {
	at := strconv.FormatInt(now.Unix(), 10)
	m := hmac.New(sha256.New, key)
	m.Write([]byte(id + "." + at + "."))
	m.Write(body)
	h.Set("Webhook-Id", id)
	h.Set("Webhook-Timestamp", at)
	h.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(m.Sum(nil)))
}
