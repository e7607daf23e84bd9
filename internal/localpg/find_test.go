package localpg

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestChoose(t *testing.T) {
	t.Parallel()
	installed := map[string]int{"/a": 15, "/b": 17, "/old": 13, "/none": 0}
	version := func(dir string) (int, bool) { return installed[dir], installed[dir] != 0 }
	tests := []struct {
		name      string
		dirs      []string
		dataMajor int
		want      string // folder
		err       string // part of the sentence
	}{
		{"newest wins", []string{"/none", "/a", "/b"}, 0, "/b", ""},
		{"existing data keeps its version", []string{"/b", "/a"}, 15, "/a", ""},
		{"nothing installed", []string{"/none"}, 0, "", "is not installed"},
		{"too old", []string{"/old"}, 0, "", "PostgreSQL 13 in /old is too old, Cotejo needs 15"},
		{"data of a version that is gone", []string{"/b"}, 16, "", "written by PostgreSQL 16 but only version 17"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := choose(tt.dirs, tt.dataMajor, version)
			if tt.err == "" {
				if err != nil || got.dir != tt.want {
					t.Fatalf("got %v, %v; want %s", got, err, tt.want)
				}
				return
			}
			if !errors.Is(err, ErrNoBinaries) || !strings.Contains(err.Error(), tt.err) || strings.Contains(err.Error(), "\n") {
				t.Fatalf("error %v, want one sentence with %q", err, tt.err)
			}
		})
	}
}

func TestHowToGet(t *testing.T) {
	t.Parallel()
	tests := []struct {
		goos  string
		major int
		want  string
	}{
		{"linux", 15, "apt-get install postgresql`"},
		{"linux", 16, "apt-get install postgresql-16`"},
		{"darwin", 15, "brew install postgresql@17`"},
		{"darwin", 18, "brew install postgresql@18`"},
	}
	for _, tt := range tests {
		if got := howToGet(tt.goos, tt.major); !strings.Contains(got, tt.want) {
			t.Errorf("howToGet(%s, %d) = %s, want %s", tt.goos, tt.major, got, tt.want)
		}
	}
}

func TestMissingBinariesBeforeAnythingIsMade(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "cotejo-localpg-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	_, err = Start(t.Context(), Options{Dir: dir, Bin: filepath.Join(dir, "nowhere"), Log: quiet})
	if !errors.Is(err, ErrNoBinaries) {
		t.Fatalf("error %v, want ErrNoBinaries", err)
	}
	if _, err := os.Stat(layoutOf(dir).data); err == nil {
		t.Error("a data folder was made without a server to use it")
	}
}

func TestDirFor(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		uid  int
		xdg  string
		home string
		want string
	}{
		{"root", 0, "/xdg", "/root", "/var/lib/cotejo"},
		{"xdg", 1000, "/xdg", "/home/ana", "/xdg/cotejo"},
		{"relative xdg is ignored", 1000, "xdg", "/home/ana", "/home/ana/.local/share/cotejo"},
		{"home", 1000, "", "/home/ana", "/home/ana/.local/share/cotejo"},
		{"neither", 1000, "", "", filepath.Join(os.TempDir(), "cotejo-1000")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			getenv := func(string) string { return tt.xdg }
			home := func() (string, error) { return tt.home, nil }
			if got := dirFor(tt.uid, getenv, home); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestOwnFolder(t *testing.T) {
	t.Parallel()
	me := account{uid: os.Geteuid(), gid: os.Getegid()}
	base := t.TempDir()

	open := filepath.Join(base, "open")
	if err := os.Mkdir(open, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := ownFolder(open, me); err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(open); err != nil || st.Mode().Perm() != 0o700 {
		t.Errorf("folder stays open: %v %v", st.Mode(), err)
	}

	link := filepath.Join(base, "link")
	if err := os.Symlink(open, link); err != nil {
		t.Fatal(err)
	}
	if err := ownFolder(link, me); err == nil || !strings.Contains(err.Error(), "is not a folder") {
		t.Errorf("a symbolic link was taken: %v", err)
	}

	stranger := account{uid: me.uid + 4242, gid: me.gid}
	if err := ownFolder(open, stranger); err == nil || !strings.Contains(err.Error(), "belongs to another user") {
		t.Errorf("a stranger's folder was taken: %v", err)
	}
}

func TestOpenPath(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root drops to another user")
	}
	nobody := account{uid: 65534, gid: 65534, name: "nobody", drop: true}
	closed := t.TempDir() // go test makes its parent 0700
	dir := filepath.Join(closed, "data")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	err := openPath(dir, nobody)
	if err == nil || !strings.Contains(err.Error(), "is closed to user nobody") {
		t.Errorf("error %v must name the closed folder", err)
	}
	st, err := os.Stat(dir)
	if err != nil || !passable(st, nobody) {
		t.Errorf("the data directory itself must be passable: %v %v", st.Mode(), err)
	}
}

func TestTryLock(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	first, err := tryLock(path)
	if err != nil || first == nil {
		t.Fatal(err)
	}
	if second, err := tryLock(path); err != nil || second != nil {
		t.Fatalf("a held lock was given: %v", err)
	}
	_ = first.Close()
	again, err := tryLock(path)
	if err != nil || again == nil {
		t.Fatalf("a free lock was refused: %v", err)
	}
	_ = syscall.Flock(int(again.Fd()), syscall.LOCK_UN)
	_ = again.Close()
}
