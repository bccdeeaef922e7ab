package spell

import "testing"

func TestSuggest(t *testing.T) {
	known := []string{"carriers", "cases", "capability", "native-country"}
	for word, want := range map[string]string{
		"carrier":        `; did you mean "carriers"?`,
		"Cases":          `; did you mean "cases"?`,
		"native_country": `; did you mean "native-country"?`,
		"zzzzzz":         "; there are carriers, cases, capability, native-country",
	} {
		if got := Suggest(word, known); got != want {
			t.Errorf("%s: got %s, want %s", word, got, want)
		}
	}
	if got := Suggest("x", nil); got != "" {
		t.Errorf("nothing is known, yet %q", got)
	}
}
