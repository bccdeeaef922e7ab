// Look tells of each path that it is given whether it can read it, and what is in it.
package main

import (
	"fmt"
	"os"
	"strings"
)

func main() {
	for _, path := range os.Args[1:] {
		if entries, err := os.ReadDir(path); err == nil {
			var names []string
			for _, e := range entries {
				names = append(names, e.Name())
			}
			fmt.Printf("%s: %s\n", path, strings.Join(names, " "))
			continue
		}
		b, err := os.ReadFile(path)
		if err != nil {
			fmt.Printf("%s: no\n", path)
			continue
		}
		fmt.Printf("%s: %.40s\n", path, strings.ReplaceAll(string(b), "\n", " "))
	}
	if os.WriteFile("/usr-write", nil, 0o600) == nil || os.WriteFile("/app/write", nil, 0o600) == nil {
		fmt.Println("wrote")
	}
}
