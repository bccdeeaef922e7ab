// Package onnxruntime runs packages of kind "onnxruntime": ONNX models that use
// operators which our own evaluator does not know, with the library onnxruntime.
//
// The library is not part of this program. The service's configuration names a file
// and its SHA-256; without it the kind is refused. It is loaded in the jail only, by
// the process that runs the one model, and is not trusted there: it is a million
// lines of C++ that read a stranger's file, so such a package counts as one that
// brings code.
//
// What holds of a model: one thread, no file beside the package's, no custom
// operators, telemetry off before the library starts.
package onnxruntime

import (
	"errors"
	"fmt"
	"io"
	"os"

	ort "github.com/yalue/onnxruntime_go"

	"proctor/harness/runner"
	"proctor/holdout/rows"
)

// MaxFile is the largest model file in bytes.
const MaxFile = 2 << 30

// Main is the role [runner.RoleONNXRuntime], to be given to jail.Main: arguments are
// the package's folder and the library.
func Main(args []string) int {
	if err := serve(args); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func serve(args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("want the folder of a package and a library, got %d arguments", len(args))
	}
	m, file, err := read(args[0])
	if err != nil {
		return err
	}
	if os.Getenv(runner.NoTelemetry) != "1" { // read by the library when it starts
		return errors.New(runner.NoTelemetry + " is not 1")
	}
	ort.SetSharedLibraryPath(args[1])
	if err := ort.InitializeEnvironment(ort.WithLogLevelError()); err != nil {
		return fmt.Errorf("load onnxruntime: %w", err)
	}
	if err := ort.DisableTelemetry(); err != nil {
		return fmt.Errorf("onnxruntime: turn telemetry off: %w", err)
	}
	s, err := open(file, m.Classes)
	if err != nil {
		return fmt.Errorf("ONNX model: %w", err)
	}
	return runner.Serve(os.Stdin, os.Stdout, m, s.predict)
}

// read takes the manifest and the model from the package's folder, and nothing outside
// of it even through a link.
func read(dir string) (m runner.Manifest, file []byte, err error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return m, nil, fmt.Errorf("open package: %w", err)
	}
	defer root.Close()
	data, err := root.ReadFile(runner.ManifestFile)
	if err != nil {
		return m, nil, fmt.Errorf("open package: %w", err)
	}
	if m, err = runner.ParseManifest(data); err != nil {
		return m, nil, err
	}
	if m.Kind != runner.KindONNXRuntime {
		return m, nil, fmt.Errorf("%s: kind is %q, want %q", runner.ManifestFile, m.Kind, runner.KindONNXRuntime)
	}
	f, err := root.Open(m.Model)
	if err != nil {
		return m, nil, fmt.Errorf("open package: %w", err)
	}
	defer f.Close()
	file, err = io.ReadAll(io.LimitReader(f, MaxFile+1))
	if err == nil && len(file) > MaxFile {
		err = fmt.Errorf("%s is larger than %d bytes", m.Model, MaxFile)
	}
	return m, file, err
}

// A session is a loaded model, joined to columns at the first batch.
type session struct {
	run     *ort.DynamicAdvancedSession
	inputs  []ort.InputOutputInfo
	outputs []ort.InputOutputInfo
	classes []string
	fields  []rows.Field
	feeds   []feed
}

func open(file []byte, classes []string) (*session, error) {
	if len(file) == 0 {
		return nil, errors.New("the file is empty")
	}
	inputs, outputs, err := ort.GetInputOutputInfoWithONNXData(file)
	if err != nil {
		return nil, err
	}
	o, err := ort.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	defer o.Destroy()
	// One thread: sums are then made in one order, and a model's speed is its own.
	if err := errors.Join(o.SetIntraOpNumThreads(1), o.SetInterOpNumThreads(1), o.SetExecutionMode(ort.ExecutionModeSequential)); err != nil {
		return nil, err
	}
	s := &session{inputs: inputs, classes: classes}
	for _, out := range outputs {
		if out.OrtValueType == ort.ONNXTypeTensor || out.OrtValueType == ort.ONNXTypeSequence {
			s.outputs = append(s.outputs, out)
		}
	}
	if len(inputs) == 0 || len(s.outputs) == 0 {
		return nil, fmt.Errorf("it has %d inputs, and %d outputs that are tensors or sequences", len(inputs), len(s.outputs))
	}
	s.run, err = ort.NewDynamicAdvancedSessionWithONNXData(file, names(inputs), names(s.outputs), o)
	return s, err
}

func names(infos []ort.InputOutputInfo) []string {
	var out []string
	for _, i := range infos {
		out = append(out, i.Name)
	}
	return out
}

func (s *session) predict(t rows.Table) (labels []int32, probs []float64, err error) {
	if s.feeds == nil {
		if err := s.bind(t.Fields()); err != nil {
			return nil, nil, fmt.Errorf("bind ONNX model: %w", err)
		}
	}
	var in []ort.Value
	out := make([]ort.Value, len(s.outputs))
	defer func() {
		for _, v := range append(in, out...) {
			if v != nil {
				err = errors.Join(err, v.Destroy())
			}
		}
	}()
	for _, f := range s.feeds {
		v, err := f.value(t)
		if err != nil {
			return nil, nil, err
		}
		in = append(in, v)
	}
	if err := s.run.Run(in, out); err != nil {
		return nil, nil, err
	}
	return answers(names(s.outputs), out, t.Len(), s.classes)
}
