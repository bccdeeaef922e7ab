// Package blobtest holds what every [blob.Store] must do.
package blobtest

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"

	"proctor/holdout/blob"
)

// Run tests stores made by open; each call must give an empty one.
func Run(t *testing.T, open func() blob.Store) {
	ctx := t.Context()
	t.Run("what was put is got, by the digest of its bytes", func(t *testing.T) {
		s := open()
		rng := rand.New(rand.NewPCG(1, 2))
		for _, n := range []int{0, 1, 31, 4096, 1 << 20} {
			data := make([]byte, n)
			for i := range data {
				data[i] = byte(rng.Uint32())
			}
			ref := put(t, s, data)
			if ref != blob.RefOf(data) {
				t.Fatalf("%d bytes are called %s", n, ref)
			}
			got, err := s.Get(ctx, ref)
			if err != nil || !bytes.Equal(got, data) {
				t.Fatalf("%d bytes came back as %d, %v", n, len(got), err)
			}
		}
	})
	t.Run("putting twice is putting once", func(t *testing.T) {
		s := open()
		if a, b := put(t, s, []byte("x")), put(t, s, []byte("x")); a != b {
			t.Fatalf("%s and %s", a, b)
		}
	})
	t.Run("a caller's later change of its buffer changes nothing", func(t *testing.T) {
		s := open()
		data := []byte("before")
		ref := put(t, s, data)
		copy(data, "after!")
		got, err := s.Get(ctx, ref)
		if err != nil || string(got) != "before" {
			t.Fatalf("%q, %v", got, err)
		}
		copy(got, "after!")
		if again, err := s.Get(ctx, ref); err != nil || string(again) != "before" {
			t.Fatalf("%q, %v", again, err)
		}
	})
	t.Run("what is not there is ErrNotFound", func(t *testing.T) {
		s := open()
		ref := blob.RefOf([]byte("never put"))
		if _, err := s.Get(ctx, ref); !errors.Is(err, blob.ErrNotFound) {
			t.Errorf("Get: %v", err)
		}
		if ok, err := s.Has(ctx, ref); ok || err != nil {
			t.Errorf("Has: %v, %v", ok, err)
		}
		put(t, s, []byte("never put"))
		if ok, err := s.Has(ctx, ref); !ok || err != nil {
			t.Errorf("Has after Put: %v, %v", ok, err)
		}
	})
	t.Run("a malformed name is refused", func(t *testing.T) {
		s := open()
		good := string(blob.RefOf(nil))
		for _, bad := range []string{"", "x", good[:70], good + "0", "sha256:" + good, "SHA256:" + good[7:], "sha256:../../../../../../../../../../../../../../../../../../../../../x", good[:70] + "G"} {
			if _, err := s.Get(ctx, blob.Ref(bad)); err == nil || errors.Is(err, blob.ErrNotFound) {
				t.Errorf("Get(%q): %v", bad, err)
			}
			if _, err := s.Has(ctx, blob.Ref(bad)); err == nil {
				t.Errorf("Has(%q) gave no error", bad)
			}
		}
	})
	t.Run("many writers of the same bytes all succeed", func(t *testing.T) {
		s := open()
		data := bytes.Repeat([]byte("shared "), 1000)
		var wg sync.WaitGroup
		errs := make([]error, 8)
		for i := range errs {
			wg.Go(func() { _, errs[i] = s.Put(ctx, data) })
		}
		wg.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Get(ctx, blob.RefOf(data)); err != nil || !bytes.Equal(got, data) {
			t.Fatal(err)
		}
	})
	t.Run("a cancelled context does nothing", func(t *testing.T) {
		s := open()
		gone, cancel := context.WithCancel(ctx)
		cancel()
		if _, err := s.Put(gone, []byte("late")); !errors.Is(err, context.Canceled) {
			t.Errorf("Put: %v", err)
		}
		if ok, err := s.Has(ctx, blob.RefOf([]byte("late"))); ok || err != nil {
			t.Errorf("it was put: %v", err)
		}
	})
}

func put(t *testing.T, s blob.Store, data []byte) blob.Ref {
	t.Helper()
	ref, err := s.Put(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}
