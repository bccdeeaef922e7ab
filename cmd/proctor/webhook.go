package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"proctor/harness/notify"
	"proctor/harness/secret"
)

// webhooks are the systems that are told what the log records.
type webhooks struct {
	Webhook    []string `help:"Address that is told of every event: https://HOST/PATH, or chat+https://HOST/PATH for a line of text." placeholder:"URL"`
	WebhookKey string   `help:"File of the key that signs what is sent, whsec_BASE64; made if it is not there. Default: keys/webhook in the data folder." type:"path" placeholder:"FILE"`
}

// check finds an address that cannot be one, before anything is opened or made.
func (w webhooks) check() error {
	for _, address := range w.Webhook {
		if _, err := notify.Parse(address, make([]byte, 32)); err != nil {
			return usagef("--webhook: %v", err)
		}
	}
	return nil
}

// receivers reads whom to tell, before anything is served.
func (w webhooks) receivers(d dataDir) (list []notify.Receiver, err error) {
	if len(w.Webhook) == 0 {
		return nil, nil
	}
	path := w.WebhookKey
	if path == "" {
		path = d.path("keys/webhook")
	}
	key, err := webhookKey(path)
	if err != nil {
		return nil, err
	}
	for _, address := range w.Webhook {
		r, err := notify.Parse(address, key)
		if err != nil {
			return nil, usagef("--webhook: %v", err)
		}
		list = append(list, r)
	}
	return list, nil
}

const keyPrefix = "whsec_" // as libraries of Standard Webhooks take it

func webhookKey(path string) ([]byte, error) {
	text, err := secret.Read(path)
	if errors.Is(err, fs.ErrNotExist) {
		key := make([]byte, 32)
		rand.Read(key)
		return key, secret.Create(path, []byte(keyPrefix+base64.StdEncoding.EncodeToString(key)+"\n"))
	}
	if err != nil {
		return nil, usagef("--webhook-key: %v", err)
	}
	b64, ok := strings.CutPrefix(strings.TrimSpace(string(text)), keyPrefix)
	key, err := base64.StdEncoding.DecodeString(b64)
	if !ok || err != nil {
		return nil, usagef("%s does not hold a key like whsec_BASE64", path)
	}
	return key, nil
}

// tell tells all receivers until the context ends. What stops one, a fault of the
// database, does not stop the service.
func (s *service) tell(ctx context.Context, list []notify.Receiver, log *slog.Logger) {
	t := notify.Teller{Log: s.Service, Source: s.Name, Now: time.Now, Wait: wait, Logger: log, Client: &http.Client{}}
	for _, r := range list {
		go func() {
			for ctx.Err() == nil {
				if err := t.Tell(ctx, r); err != nil {
					log.Error("webhooks stopped for a minute", "error", err)
				}
				wait(ctx, time.Minute)
			}
		}()
	}
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return fmt.Errorf("stopped: %w", ctx.Err())
	case <-t.C:
		return nil
	}
}
