package main

import (
	"context"

	"proctor/harness/runner"
	endpoint "proctor/harness/runner/remote"
	"proctor/harness/runner/served"
	"proctor/regress"
	"proctor/regress/practice"
)

// judgeModel says which model is asked what it thinks of answers.
type judgeModel struct {
	JudgeEndpoint string `help:"Where the judge of checks with score judge is asked; --endpoints may hold its credential." placeholder:"URL"`
	JudgeModel    string `help:"The judge's model id: name a version, not an alias that moves." placeholder:"ID"`
}

// judgeTokens is the longest reply of a judge, which is one word.
const judgeTokens = 16

// consult has the judge look at the answers; nil where none was named.
func (c judgeModel) consult(ctx context.Context, by endpoints, suites []*regress.Suite, answers ...*practice.Answers) (*practice.Opinions, error) {
	switch {
	case c.JudgeEndpoint == "" && c.JudgeModel == "":
		return nil, nil
	case c.JudgeEndpoint == "" || c.JudgeModel == "":
		return nil, usagef("a judge has --judge-endpoint and --judge-model")
	}
	allowed, err := by.named(c.JudgeEndpoint)
	if err != nil {
		return nil, err
	}
	model, err := allowed.Text(c.JudgeEndpoint, runner.APIChat, c.JudgeModel, "", judgeTokens)
	if err != nil {
		return nil, usagef("--judge-endpoint: %v", err)
	}
	return practice.Consult(ctx, suites, &practice.Judge{Model: c.JudgeModel, Ask: askingAll(model)}, answers...)
}

// askingAll asks several prompts at once, each on its own.
func askingAll(model *served.Text) func(context.Context, []string) ([]string, error) {
	return func(ctx context.Context, prompts []string) ([]string, error) {
		out := make([]string, len(prompts))
		err := served.Each(ctx, endpoint.AtOnce, len(prompts), func(ctx context.Context, i int) (err error) {
			out[i], err = model.Ask(ctx, prompts[i])
			return err
		})
		return out, err
	}
}
