package harness

import (
	"context"
	"errors"
	"sync/atomic"

	"proctor/holdout/blob"
)

var errFault = errors.New("the disk under /secret/path failed")

// faultyBlobs fails its next write once, without or with having kept it.
type faultyBlobs struct {
	blob.Store
	fail, keep atomic.Bool
}

func (f *faultyBlobs) Put(ctx context.Context, b []byte) (blob.Ref, error) {
	if !f.fail.Swap(false) {
		return f.Store.Put(ctx, b)
	}
	if f.keep.Load() {
		if _, err := f.Store.Put(ctx, b); err != nil {
			return "", err
		}
	}
	return "", errFault
}
