package credential

import (
	"math"
	"regexp"
	"strings"
)

// A rule is the form of one kind of credential. The anchor, two characters or more, is
// looked for first: plain bytes are found a hundred times as fast as an expression. The expression must match at the anchor; its first group, where it has one, is the
// value, which must look drawn at random.
type rule struct {
	kind    string
	anchor  string
	form    *regexp.Regexp
	private bool
	text    bool // in text only
	fold    bool // the anchor in any case, lower here
	inside  bool // the anchor may stand within a word
}

func at(form string) *regexp.Regexp { return regexp.MustCompile(`^(?s:` + form + `)`) }

// body is what must follow the head of a PEM block, in a file of its own or in a
// string: headers, perhaps, and base64.
const body = `(?:\\[nrt]|[\s"',+\\]){0,40}(?:[A-Za-z-]{1,30}: [^\n]{0,80}\s+){0,4}[A-Za-z0-9+/=]{32}`

var rules = []rule{
	{kind: "private key (PEM)", anchor: "-----BEGIN ", form: at(`-----BEGIN (?:[A-Z0-9]{1,12} ){0,2}PRIVATE KEY(?: BLOCK)?-----` + body), private: true, inside: true},
	{kind: "private key (age)", anchor: "AGE-SECRET-KEY-1", form: at(`AGE-SECRET-KEY-1[0-9A-Z]{58}`), private: true},
	{kind: "private key (PuTTY)", anchor: "PuTTY-User-Key-File-", form: at(`PuTTY-User-Key-File-[23]: .{0,900}\nPrivate-Lines: `), private: true},
	{kind: "private key (JWK)", anchor: `"kty"`, form: at(`"kty"\s*:\s*"(?:RSA|EC|OKP)"[^{}]{0,900}"d"\s*:\s*"[A-Za-z0-9_-]{40}`), private: true, inside: true},
	{kind: "private key (JWK)", anchor: `"d"`, form: at(`"d"\s*:\s*"[A-Za-z0-9_-]{40}[^{}]{0,900}"kty"\s*:\s*"(?:RSA|EC|OKP)"`), private: true, inside: true},

	{kind: "AWS access key id", anchor: "AKIA", form: at(`(AKIA[0-9A-Z]{16})\b`)},
	{kind: "AWS access key id", anchor: "ASIA", form: at(`(ASIA[0-9A-Z]{16})\b`)},
	{kind: "GitHub token", anchor: "ghp_", form: at(`(ghp_[A-Za-z0-9]{36})`)},
	{kind: "GitHub token", anchor: "gho_", form: at(`(gho_[A-Za-z0-9]{36})`)},
	{kind: "GitHub token", anchor: "ghu_", form: at(`(ghu_[A-Za-z0-9]{36})`)},
	{kind: "GitHub token", anchor: "ghs_", form: at(`(ghs_[A-Za-z0-9]{36})`)},
	{kind: "GitHub token", anchor: "ghr_", form: at(`(ghr_[A-Za-z0-9]{36})`)},
	{kind: "GitHub token", anchor: "github_pat_", form: at(`(github_pat_[A-Za-z0-9_]{60})`)},
	{kind: "GitLab token", anchor: "glpat-", form: at(`(glpat-[A-Za-z0-9_-]{20})`)},
	{kind: "Hugging Face token", anchor: "hf_", form: at(`(hf_[A-Za-z0-9]{34})\b`)},
	{kind: "token of a model provider", anchor: "sk-", form: at(`(sk-(?:[a-z]{2,8}[0-9]{0,2}-){0,2}[A-Za-z0-9_-]{32})`)},
	{kind: "Google API key", anchor: "AIza", form: at(`(AIza[A-Za-z0-9_-]{35})`)},
	{kind: "Google OAuth secret", anchor: "GOCSPX-", form: at(`(GOCSPX-[A-Za-z0-9_-]{28})`)},
	{kind: "Slack token", anchor: "xox", form: at(`(xox[abeoprs]-[A-Za-z0-9-]{20})`)},
	{kind: "Slack webhook", anchor: "hooks.slack.com/services/", form: at(`hooks\.slack\.com/services/(T[A-Z0-9]{6,12}/B[A-Z0-9]{6,12}/[A-Za-z0-9]{20})`), inside: true},
	{kind: "npm token", anchor: "npm_", form: at(`(npm_[A-Za-z0-9]{36})\b`)},
	{kind: "npm token", anchor: "_authToken", form: at(`_authToken\s*=\s*([A-Za-z0-9+/=_-]{20})`), inside: true},
	{kind: "PyPI token", anchor: "pypi-AgE", form: at(`(pypi-AgE[A-Za-z0-9_-]{50})`)},
	{kind: "payment provider key", anchor: "sk_live_", form: at(`(sk_live_[A-Za-z0-9]{20})`)},
	{kind: "payment provider key", anchor: "rk_live_", form: at(`(rk_live_[A-Za-z0-9]{20})`)},
	{kind: "SendGrid token", anchor: "SG.", form: at(`SG\.([A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43})`)},
	{kind: "Azure storage key", anchor: "AccountKey=", form: at(`AccountKey=([A-Za-z0-9+/]{86}==)`), inside: true},
	{kind: "JSON web token", anchor: "eyJ", form: at(`eyJ[A-Za-z0-9_-]{10,900}\.eyJ[A-Za-z0-9_-]{10,900}\.([A-Za-z0-9_-]{20})`)},
	{kind: "password in a URL", anchor: "://", form: at(`://[^\s:/?#@"'<>{}$]{1,60}:([^\s:/?#@"'<>{}$]{6,100})@[A-Za-z0-9.\[-]`), text: true, inside: true},
	{kind: "password in a netrc line", anchor: "machine ", form: at(`machine \S{1,200}\s{1,10}login \S{1,200}\s{1,10}password (\S{6,200})`), text: true},
	{kind: "authorization header", anchor: "authorization", form: at(`(?i:authorization)["']?\s{0,5}[:=,]\s{0,5}["']?(?i:bearer|basic|token)\s{1,3}([A-Za-z0-9+/=._~-]{16,500})`), text: true, fold: true, inside: true},
}

// assigned are names that say what their value is.
var assigned = []string{"password", "secret", "api_key", "apikey", "api-key", "access_key", "access_token", "auth_token", "client_secret", "private_token"}

// Rules by the first two bytes of their anchors: group leads to an element of groups, 0
// to none. One pass over a file looks for all of them.
var (
	group  [1 << 16]uint8
	groups = [][]*rule{nil}
)

func init() {
	for _, name := range assigned {
		rules = append(rules, rule{kind: "value of a name like " + name, anchor: name, text: true, fold: true, inside: true,
			form: at(`(?i:` + name + `)[A-Za-z0-9_]{0,20}["']?\s{0,5}(?:=|:|:=|=>)\s{0,5}["']([^\s"'<>{}$()]{16,200})["']`)})
	}
	for i := range rules {
		r := &rules[i]
		for _, a := range bothCases(r.anchor[0], r.fold) {
			for _, b := range bothCases(r.anchor[1], r.fold) {
				r.file(uint16(a)<<8 | uint16(b))
			}
		}
	}
}

func bothCases(c byte, fold bool) []byte {
	if fold && c >= 'a' && c <= 'z' {
		return []byte{c, c - 'a' + 'A'}
	}
	return []byte{c}
}

func (r *rule) file(first uint16) {
	if group[first] == 0 {
		groups = append(groups, nil)
		group[first] = uint8(len(groups) - 1)
	}
	groups[group[first]] = append(groups[group[first]], r)
}

// begins says whether b begins with the anchor.
func (r *rule) begins(b []byte) bool {
	if len(b) < len(r.anchor) {
		return false
	}
	head := string(b[:len(r.anchor)])
	return head == r.anchor || r.fold && strings.EqualFold(head, r.anchor)
}

// matches says whether the anchor at b[i] begins a credential.
func (r *rule) matches(b []byte, i int) bool {
	if !r.inside && i > 0 && isWord(b[i-1]) {
		return false
	}
	m := r.form.FindSubmatch(b[i:min(i+ahead, len(b))])
	if m == nil {
		return false
	}
	return len(m) < 2 || random(string(m[1]))
}

func isWord(c byte) bool {
	return c == '_' || c == '-' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// standIns are words by which examples say that they are none.
var standIns = []string{"example", "placeholder", "changeme", "your", "xxxx", "0000", "1234567", "abcdef", "dummy", "redacted", "insert", "****", "....", "password", "secret", "test"}

// random tells values that were drawn from words and from stand-ins: no stand-in is
// part of it, and it has 2.5 bits a character or more, counted on the value itself.
func random(v string) bool {
	lower := strings.ToLower(v)
	for _, s := range standIns {
		if strings.Contains(lower, s) {
			return false
		}
	}
	counts := map[byte]int{}
	for i := range len(v) {
		counts[v[i]]++
	}
	bits := 0.0
	for _, n := range counts {
		p := float64(n) / float64(len(v))
		bits -= p * math.Log2(p)
	}
	return bits >= 2.5
}
