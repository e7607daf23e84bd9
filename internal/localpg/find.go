package localpg

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// minMajor is the oldest PostgreSQL whose SQL Cotejo speaks.
const minMajor = 15

// ErrNoBinaries means that no usable PostgreSQL is installed; the message says
// what is missing and how to get it.
var ErrNoBinaries = errors.New("no usable PostgreSQL")

// noBinaries is a sentence of its own that still is ErrNoBinaries.
type noBinaries string

func (e noBinaries) Error() string        { return string(e) }
func (e noBinaries) Is(target error) bool { return target == ErrNoBinaries }

// binaries is one installed PostgreSQL.
type binaries struct {
	dir   string
	major int
}

func (b binaries) tool(name string) string { return filepath.Join(b.dir, name) }

// places lists where distributions, Homebrew, Postgres.app and PGDG put the
// server's programs; few of them are on PATH.
func places() []string {
	dirs := make([]string, 0, 8)
	if p, err := exec.LookPath("postgres"); err == nil {
		if real, err := filepath.EvalSymlinks(p); err == nil {
			p = real
		}
		dirs = append(dirs, filepath.Dir(p))
	}
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin",
		"/usr/pgsql-*/bin",
		"/opt/homebrew/opt/postgresql@*/bin",
		"/usr/local/opt/postgresql@*/bin",
		"/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",
		"/Applications/Postgres.app/Contents/Versions/*/bin",
		"/usr/local/pgsql/bin",
	} {
		found, _ := filepath.Glob(pattern) // the patterns are constant and well formed
		dirs = append(dirs, found...)
	}
	return dirs
}

// find returns the newest installed PostgreSQL, or, for a cluster that exists,
// the one of its own major version: no other can open it. bin, if given, is the
// only place looked at.
func find(bin string, dataMajor int) (binaries, error) {
	if bin != "" {
		return choose([]string{bin}, dataMajor, version)
	}
	return choose(places(), dataMajor, version)
}

func choose(dirs []string, dataMajor int, version func(dir string) (int, bool)) (binaries, error) {
	var found []binaries
	for _, dir := range dirs {
		if major, ok := version(dir); ok {
			found = append(found, binaries{dir, major})
		}
	}
	slices.SortStableFunc(found, func(a, b binaries) int { return cmp.Compare(b.major, a.major) })
	if len(found) == 0 {
		return binaries{}, noBinaries("PostgreSQL is not installed (initdb and postgres were not found): " + howToGet(runtime.GOOS, minMajor))
	}
	if dataMajor == 0 {
		if found[0].major < minMajor {
			return binaries{}, noBinaries(fmt.Sprintf("PostgreSQL %d in %s is too old, Cotejo needs %d or newer: %s",
				found[0].major, found[0].dir, minMajor, howToGet(runtime.GOOS, minMajor)))
		}
		return found[0], nil
	}
	for _, b := range found {
		if b.major == dataMajor {
			return b, nil
		}
	}
	return binaries{}, noBinaries(fmt.Sprintf("the data was written by PostgreSQL %d but only version %d is installed: %s, or move the data with pg_upgrade",
		dataMajor, found[0].major, howToGet(runtime.GOOS, dataMajor)))
}

func howToGet(goos string, major int) string {
	if goos == "darwin" {
		return fmt.Sprintf("run `brew install postgresql@%d`, or set DATABASE_URL", max(major, 17))
	}
	name := "postgresql"
	if major > minMajor {
		name += "-" + strconv.Itoa(major)
	}
	return fmt.Sprintf("run `apt-get install %s` (or your system's package of PostgreSQL %d or newer), or set DATABASE_URL", name, major)
}

var versionLine = regexp.MustCompile(`PostgreSQL\) (\d+)`)

// version asks the program itself; a folder without both programs does not count.
func version(dir string) (int, bool) {
	if _, err := exec.LookPath(filepath.Join(dir, "initdb")); err != nil {
		return 0, false
	}
	out, err := exec.Command(filepath.Join(dir, "postgres"), "--version").Output()
	if err != nil {
		return 0, false
	}
	m := versionLine.FindSubmatch(out)
	if m == nil {
		return 0, false
	}
	major, err := strconv.Atoi(string(m[1]))
	return major, err == nil
}

// dataMajor is the major version that wrote an existing cluster; 0: none exists.
func dataMajor(data string) int {
	text, err := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	if err != nil {
		return 0
	}
	major, _ := strconv.Atoi(strings.TrimSpace(string(text)))
	return major
}
