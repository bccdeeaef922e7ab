package harness

const crashDir = "PROCTOR_TEST_CRASH"

func crashChild(dir string) int { return 1 }
