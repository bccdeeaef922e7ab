package runner

import (
	"fmt"
	"slices"
	"strings"
)

// How a server of kind http or remote is asked.
const (
	APIInference   = "oip"                // KServe Open Inference Protocol v2 over HTTP: a batch a request
	APIChat        = "openai-chat"        // OpenAI's /v1/chat/completions: a row a request
	APICompletions = "openai-completions" // OpenAI's /v1/completions: a row a request
)

const (
	maxModelName     = 200
	maxTokens        = 4096
	defaultMaxTokens = 16
)

// Text says whether the API is that of a text model, so that rows become prompts and
// answers are words.
func (m Manifest) Text() bool { return m.API == APIChat || m.API == APICompletions }

func (m Manifest) checkHTTP(keys []string) error {
	if m.Port < 1024 || m.Port > 65535 {
		return fmt.Errorf(`"port" is %d; it must lie between 1024 and 65535, as the server has no right to others`, m.Port)
	}
	return m.checkAPI(keys)
}

// checkAPI holds a manifest to how a server is asked.
func (m Manifest) checkAPI(keys []string) error {
	apis := []string{APIInference, APIChat, APICompletions}
	if !slices.Contains(apis, m.API) {
		return fmt.Errorf(`"api" is %q; known are %s`, m.API, strings.Join(apis, ", "))
	}
	if m.Model == "" || len(m.Model) > maxModelName || hasControl(m.Model) {
		return fmt.Errorf(`"model": %q is not the name of a model at the server: it is empty, longer than %d bytes or has control characters`, m.Model, maxModelName)
	}
	for _, key := range []string{"prompt", "answers", "max_tokens"} {
		if !m.Text() && slices.Contains(keys, key) {
			return fmt.Errorf("api %q has no %q", m.API, key)
		}
	}
	if !m.Text() {
		return nil
	}
	if _, err := ParsePrompt(m.Prompt); err != nil {
		return fmt.Errorf(`"prompt": %w`, err)
	}
	if slices.Contains(keys, "max_tokens") && (m.MaxTokens < 1 || m.MaxTokens > maxTokens) {
		return fmt.Errorf(`"max_tokens" is %d; it must lie between 1 and %d`, m.MaxTokens, maxTokens)
	}
	return m.checkAnswers(keys)
}

// checkAnswers demands one answer a class, such that no two are told apart by what
// FoldAnswer drops.
func (m Manifest) checkAnswers(keys []string) error {
	if slices.Contains(keys, "answers") && len(m.Answers) != len(m.Classes) {
		return fmt.Errorf(`"answers" has %d entries for %d classes`, len(m.Answers), len(m.Classes))
	}
	seen := map[string]bool{}
	for i, a := range m.AnswerTexts() {
		fold := FoldAnswer(a)
		if fold == "" || len(a) > maxText || hasControl(a) {
			return fmt.Errorf("answer %d: %q is empty, too long or has control characters", i+1, a)
		}
		if seen[fold] {
			return fmt.Errorf("answer %d: %q is the same as another but for case, white space or a full stop; give distinct ones in \"answers\"", i+1, a)
		}
		seen[fold] = true
	}
	return nil
}

// AnswerTexts are what a text model says for each class.
func (m Manifest) AnswerTexts() []string {
	if m.Answers != nil {
		return m.Answers
	}
	return m.Classes
}

// TokenLimit is the longest answer that a text model is asked for, in its own tokens.
func (m Manifest) TokenLimit() int {
	if m.MaxTokens == 0 {
		return defaultMaxTokens
	}
	return m.MaxTokens
}
