package intake

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
)

// block is the unit of a tar archive, in bytes.
const block = 512

// A source is an archive on its way in: it counts, and stops at the limit and
// when the context ends.
type source struct {
	ctx     context.Context
	r       io.Reader
	n, most int64
	err     error // the first error of r that is not its end
}

var errTooLarge = errors.New("too large")

func (s *source) Read(p []byte) (int, error) {
	if s.err == nil {
		s.err = s.ctx.Err()
	}
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.r.Read(p)
	if s.n += int64(n); s.n > s.most {
		err = errTooLarge
	}
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// explain says why reading or writing failed after so many files.
func (s *source) explain(err error, files int) error {
	var file *FileError
	switch {
	case errors.As(err, &file):
		return err
	case errors.Is(s.err, errTooLarge):
		return &FileError{What: fmt.Sprintf("the archive is larger than %d bytes", s.most)}
	case s.err != nil:
		return fmt.Errorf("read the archive: %w", s.err)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return &FileError{What: fmt.Sprintf("the archive is cut short in entry %d", max(files, 1))}
	case errors.Is(err, tar.ErrHeader), errors.Is(err, tar.ErrFieldTooLong):
		if files == 0 {
			return &FileError{What: "not a tar archive; " + howToPack}
		}
		return &FileError{What: fmt.Sprintf("the archive is damaged after entry %d", files)}
	}
	return err
}

// rest wants the end mark, two blocks of zeros that the reader has just taken at
// end, and then nothing but zeros. The tar reader itself takes a missing mark for
// an end: an archive that was cut between two files would lack the later ones.
func (s *source) rest(end int64) error {
	if s.n != end+2*block {
		return &FileError{What: "the archive is cut short: its end mark is missing"}
	}
	buf := make([]byte, 1<<15)
	for {
		n, err := s.Read(buf)
		for _, b := range buf[:n] {
			if b != 0 {
				return &FileError{What: "there is something after the archive's end"}
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return s.explain(err, 0)
		}
	}
}
