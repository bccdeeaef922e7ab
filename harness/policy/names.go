package policy

// Names of findings that are not claims of a policy's lists. The first seven are
// always on.
const (
	findMemorisation = "memorisation"
	findCoverage     = "coverage"
	findCritical     = "critical"
	findRepeat       = "repeat"
	findDegenerate   = "degenerate"
	findTier         = "tier"
	findBinding      = "binding"
	findAnchor       = "anchor"
	findFirst        = "first-model"
)
