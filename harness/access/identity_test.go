package access

import "testing"

// A token is of an identity if the issuer and every claim agree; the zero identity
// is of nobody.
func TestMatches(t *testing.T) {
	id := Identity{"https://ci.example", map[string]string{"repository_id": "7", "environment": "release"}}
	for _, c := range []struct {
		issuer string
		claims map[string]string
		want   bool
	}{
		{"https://ci.example", map[string]string{"repository_id": "7", "environment": "release", "ref": "x"}, true},
		{"https://ci.example", map[string]string{"repository_id": "7"}, false},
		{"https://ci.example", map[string]string{"repository_id": "7", "environment": ""}, false},
		{"https://ci.example", map[string]string{"repository_id": "8", "environment": "release"}, false},
		{"https://other.example", map[string]string{"repository_id": "7", "environment": "release"}, false},
		{"https://ci.example", nil, false},
	} {
		if got := id.Matches(c.issuer, c.claims); got != c.want {
			t.Errorf("%s %v: %v", c.issuer, c.claims, got)
		}
	}
	if (Identity{}).Matches("", nil) {
		t.Error("the zero identity is somebody")
	}
}
