package gate

import "proctor/harness/verdict"

// takeWaiver takes a waiver in place of an approval, if the requirements opt in.
func (l *look) takeWaiver(v *verdict.Verified) error {
	w, ok := v.Statement().(*verdict.Waiver)
	if l.without[waiverStep] && l.Requirements.Waiver == nil && ok {
		l.Requirements.Waiver = &WaiverDemand{w.Environment, w.Admission}
	}
	if !ok || l.Requirements.Waiver == nil {
		return refuse(Denied, "this is a waiver, not an approval, and this gate takes none")
	}
	l.bundle, l.waiver = v, w
	return nil
}

// waiverStep leaves out that the requirements must opt in.
const waiverStep = -2

// admission says whether the waiver is for this gate, environment and admission.
func (l *look) admission() error {
	want := l.Requirements.Waiver
	switch w := l.waiver; {
	case w.Gate != l.Requirements.ResourceURI:
		return refuse(Denied, "the waiver is for %q, this gate is %q", w.Gate, l.Requirements.ResourceURI)
	case w.Environment != want.Environment || w.Admission != want.Admission:
		return refuse(Denied, "the waiver is for admission %q to %q, this is %q to %q", w.Admission, w.Environment, want.Admission, want.Environment)
	}
	return nil
}
