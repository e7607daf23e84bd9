package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"cotejo/internal/config"
)

// No container engine is at hand where this is tested, so what the Dockerfile
// takes for granted is checked against the tree instead.
func TestDockerfile(t *testing.T) {
	t.Parallel()
	text := read(t, "Dockerfile")
	joined := strings.ReplaceAll(text, "\\\n", " ")
	var stages []string
	for line := range strings.Lines(joined) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		switch words[0] {
		case "FROM":
			if !regexp.MustCompile(`:[\w.-]+$`).MatchString(words[1]) || strings.HasSuffix(words[1], ":latest") {
				t.Errorf("base image %s is not pinned", words[1])
			}
			if len(words) == 4 {
				stages = append(stages, words[3])
			}
		case "COPY":
			checkCopy(t, words[1:], stages)
		}
	}
	last := joined[strings.LastIndex(joined, "\nFROM "):]
	if !regexp.MustCompile(`(?m)^USER nonroot`).MatchString(last) {
		t.Error("the image runs as root")
	}
	if !strings.Contains(joined, "CGO_ENABLED=0 go build") {
		t.Error("the binary would need a C library, which the image has not")
	}
	version := regexp.MustCompile(`(?m)^go (\S+)$`).FindStringSubmatch(read(t, "go.mod"))
	if version == nil || !strings.Contains(text, "golang:"+version[1]+"-") {
		t.Errorf("the Dockerfile builds with another Go than go.mod's %v", version)
	}
	checkVariables(t, "Dockerfile", text)
}

func checkCopy(t *testing.T, words, stages []string) {
	t.Helper()
	from := false
	for len(words) > 0 && strings.HasPrefix(words[0], "--") {
		if stage, ok := strings.CutPrefix(words[0], "--from="); ok {
			from = true
			if !slices.Contains(stages, stage) {
				t.Errorf("COPY from a stage that does not exist: %s", stage)
			}
		}
		words = words[1:]
	}
	if from {
		return
	}
	for _, source := range words[:len(words)-1] {
		if _, err := os.Stat(source); err != nil {
			t.Errorf("COPY of what is not there: %v", err)
		}
		for pattern := range strings.Lines(read(t, ".dockerignore")) {
			if ok, _ := filepath.Match(strings.TrimSpace(pattern), source); ok {
				t.Errorf("COPY of %s, which .dockerignore leaves out", source)
			}
		}
	}
}

// What the build reads may not be ignored: sources, messages, migrations, styles.
func TestDockerignoreKeepsWhatIsEmbedded(t *testing.T) {
	t.Parallel()
	for line := range strings.Lines(read(t, ".dockerignore")) {
		pattern := strings.TrimSpace(line)
		for _, needed := range []string{"main.go", "go.mod", "internal", "static", "migrations", "views", "web", "db", "handlers", "package.json"} {
			if ok, _ := filepath.Match(pattern, needed); ok && !strings.HasPrefix(pattern, "#") {
				t.Errorf(".dockerignore leaves out %s by %q", needed, pattern)
			}
		}
	}
}

func TestCompose(t *testing.T) {
	t.Parallel()
	text := read(t, "compose.yaml")
	checkVariables(t, "compose.yaml", text)
	for _, secret := range []string{"POSTGRES_PASSWORD", "COTEJO_SECRET_KEY", "COTEJO_ADMIN_PASSWORD"} {
		if !strings.Contains(text, "${"+secret+":?") {
			t.Errorf("%s must be asked for, not have a default", secret)
		}
	}
	if !strings.Contains(text, "log_error_verbosity=terse") {
		t.Error("PostgreSQL's log would quote personal data")
	}
}

// checkVariables finds settings that the program does not know.
func checkVariables(t *testing.T, file, text string) {
	t.Helper()
	for _, name := range regexp.MustCompile(`COTEJO_[A-Z_]+`).FindAllString(text, -1) {
		if !slices.ContainsFunc(config.Reference(), func(s config.Setting) bool { return s.Name == name }) {
			t.Errorf("%s sets %s, which is no setting", file, name)
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
