package hito_test

import (
	"os"
	"strings"
	"testing"
)

// What the README shows is code that is compiled and run.
func TestTheReadmeShowsTheExample(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile("examples/journey/main.go")
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(readme), "```go\n")[1:]
	if len(parts) < 6 {
		t.Fatalf("%d pieces of code", len(parts))
	}
	for _, part := range parts {
		code, _, _ := strings.Cut(part, "```")
		if !strings.Contains(string(example), code) {
			t.Errorf("the example does not have this:\n%s", code)
		}
	}
}
