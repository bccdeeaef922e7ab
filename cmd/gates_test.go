package cmd_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/goccy/go-yaml"
)

const gates = "../docs/gates"

// A gateCall is how one example runs the core.
type gateCall struct {
	name    string
	command []string
	env     map[string]string // as the example sets it
}

// gateCalls reads the examples: what each runs, with which variables.
func gateCalls(t *testing.T, inputs map[string]string) []gateCall {
	t.Helper()
	read := func(name string, into any) {
		b, err := os.ReadFile(filepath.Join(gates, name))
		if err == nil {
			err = yaml.Unmarshal(b, into)
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	var action struct {
		Inputs map[string]any
		Runs   struct {
			Steps []struct {
				Shell, Run string
				Env        map[string]string
			}
		}
	}
	read("github/action.yml", &action)
	step := action.Runs.Steps[0]
	github := map[string]string{"GITHUB_ACTION_PATH": filepath.Join(gates, "github")}
	for name, value := range step.Env {
		github[name] = regexp.MustCompile(`\$\{\{ inputs\.(\w+) \}\}`).ReplaceAllStringFunc(value, func(s string) string {
			input := strings.TrimSuffix(strings.TrimPrefix(s, "${{ inputs."), " }}")
			if action.Inputs[input] == nil {
				t.Errorf("the action has no input %s", input)
			}
			return inputs[input]
		})
	}
	var gitlab map[string]struct{ Script []string }
	read("gitlab.yml", &gitlab)
	type container struct {
		Command []string
		Env     []struct{ Name, Value string }
	}
	var deployment struct {
		Spec struct {
			Template struct {
				Spec struct {
					InitContainers []container `yaml:"initContainers"`
				}
			}
		}
	}
	read("kubernetes.yaml", &deployment)
	var analysis struct {
		Spec struct {
			Metrics []struct {
				Provider struct {
					Job struct {
						Spec struct {
							Template struct {
								Spec struct{ Containers []container }
							}
						}
					}
				}
			}
		}
	}
	read("argo-rollouts.yaml", &analysis)
	var kyverno map[string]any
	read("kyverno.yaml", &kyverno)
	plain := map[string]string{"PROCTOR_GATES": gates}
	for name, value := range github {
		if strings.HasPrefix(name, "PROCTOR_") {
			plain[name] = value
		}
	}
	inside := func(c container) []string { // the image has the script at /gates
		if strings.Join(c.Command, " ") != "sh /gates/gate.sh" {
			t.Errorf("a container runs %q", c.Command)
		}
		for _, e := range c.Env {
			if _, ok := plain[e.Name]; !ok {
				t.Errorf("a container sets %s, which the script does not read", e.Name)
			}
		}
		return []string{"sh", gates + "/gate.sh"}
	}
	return []gateCall{
		{"github", []string{step.Shell, "-c", step.Run}, github},
		{"gitlab", []string{"sh", "-c", strings.Join(gitlab[".proctor-gate"].Script, "\n")}, plain},
		{"kubernetes", inside(deployment.Spec.Template.Spec.InitContainers[0]), plain},
		{"argo", inside(analysis.Spec.Metrics[0].Provider.Job.Spec.Template.Spec.Containers[0]), plain},
	}
}

// The examples ask a service and the gate, and end as the gate does.
func TestGates(t *testing.T) {
	w, err := built()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	if out, err := exec.Command("cp", "-a", w.dir, data).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	service := exec.Command(filepath.Join(bin, "proctor"), "serve", "--dir", data, "--addr", "127.0.0.1:0")
	url, err := startService(service, dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		service.Process.Signal(syscall.SIGKILL)
		service.Wait()
	}()
	w.url = url
	prepareGate(t, &w, dir, data)
	inputs := map[string]string{"server": url, "token": w.tokens["ci"], "run": w.good, "model": "../testdata/income/models/v2", "requirements": filepath.Join(dir, "gate.json"), "roots": filepath.Join(dir, "roots")}
	ask := func(change map[string]string, want int) {
		t.Helper()
		in := map[string]string{}
		for k, v := range inputs {
			in[k] = v
		}
		for k, v := range change {
			in[k] = v
		}
		for _, c := range gateCalls(t, in) {
			cmd := exec.Command(c.command[0], c.command[1:]...)
			cmd.Env = []string{"PATH=" + bin + string(filepath.ListSeparator) + os.Getenv("PATH"), "TMPDIR=" + dir}
			for name, value := range c.env {
				cmd.Env = append(cmd.Env, name+"="+value)
			}
			out, _ := cmd.CombinedOutput()
			if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != want || (want == 0) != strings.Contains(string(out), "OPEN: ") {
				t.Errorf("%s, %v: %v, want %d\n%s", c.name, change, cmd.ProcessState, want, out)
			}
		}
	}
	ask(nil, 0)
	ask(map[string]string{"model": "../testdata/income/models/v2-poisoned"}, 10)
	ask(map[string]string{"run": w.bad}, 2) // has no approval
	ask(map[string]string{"token": "x"}, 2)
	ask(map[string]string{"server": "http://127.0.0.1:1"}, 2)
	digest := regexp.MustCompile(`sha256:[0-9a-f]{64}`).FindString(w.run("rita", 0, "verdict", w.good, "--json"))
	w.agree("anna", "olga", "revoke", digest, "--kind", "package", "--reason", "it must not ship")
	ask(nil, 10)
}

// prepareGate writes a gate's requirements and root keys, and publishes a trust file.
func prepareGate(t *testing.T, w *world, dir, data string) {
	t.Helper()
	policy := regexp.MustCompile(`"digest": "(sha256:[0-9a-f]{64})"`).FindStringSubmatch(w.run("paula", 0, "policy", "check", "--json", "../testdata/income/policy.yaml"))[1]
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("gate.json", `{"format":"proctor/requirements/1","verifier_id":"https://proctor.local","resource_uri":"https://proctor.local/lineages/income","policy_digest":"`+policy+`","revocations_max_age_seconds":300}`)
	roots, note := "proctor/roots/1\nthreshold 2\n", filepath.Join(dir, "trust.note")
	for _, who := range []string{"ann", "bob"} {
		roots += w.run("anna", 0, "trust", "root", "root-"+who, "--key", filepath.Join(dir, who))
	}
	write("roots", roots)
	w.run("anna", 0, "trust", "--dir", dir)
	w.run("anna", 0, "trust", "init", filepath.Join(dir, "trust.json"), "--service", "https://proctor.local", "--out", note)
	for _, who := range []string{"ann", "bob"} {
		w.run("anna", 0, "trust", "sign", note, "--key", filepath.Join(dir, who))
	}
	if out, err := exec.Command("cp", note, filepath.Join(data, "trusted", "trust")).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
}
