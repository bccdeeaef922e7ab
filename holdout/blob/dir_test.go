package blob_test

import (
	"testing"

	"proctor/holdout/blob"
	"proctor/holdout/blob/blobtest"
)

func TestDir(t *testing.T) {
	blobtest.Run(t, func() blob.Store {
		d, err := blob.OpenDir(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		return d
	})
}
