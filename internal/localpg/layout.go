package localpg

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// maxSocketPath keeps clear of the kernel's limit on a unix socket's path
// (sun_path: 104 bytes on macOS, 108 on Linux).
const maxSocketPath = 100

// Dir is the default data directory: /var/lib/cotejo for root, else `cotejo`
// under the XDG data home (XDG Base Directory Specification).
func Dir() string { return dirFor(os.Geteuid(), os.Getenv, os.UserHomeDir) }

func dirFor(uid int, getenv func(string) string, home func() (string, error)) string {
	if uid == 0 {
		return "/var/lib/cotejo"
	}
	// The specification says to ignore a relative XDG_DATA_HOME.
	if base := getenv("XDG_DATA_HOME"); filepath.IsAbs(base) {
		return filepath.Join(base, "cotejo")
	}
	if h, err := home(); err == nil && h != "" {
		return filepath.Join(h, ".local", "share", "cotejo")
	}
	return filepath.Join(os.TempDir(), "cotejo-"+strconv.Itoa(uid))
}

// layout names what lives where under one data directory.
type layout struct {
	root string // DIR/postgres
	data string // the cluster itself
	run  string // the socket's folder
	log  string // the server's log
	lock string // whoever holds it owns the server
}

func layoutOf(dir string) layout {
	root := filepath.Join(dir, "postgres")
	at := layout{
		root: root,
		data: filepath.Join(root, "data"),
		run:  filepath.Join(root, "run"),
		log:  filepath.Join(root, "postgres.log"),
		lock: filepath.Join(root, "lock"),
	}
	if len(at.run)+len("/.s.PGSQL."+port) > maxSocketPath {
		// Not os.TempDir: two processes of one data directory must agree
		// whatever TMPDIR each was given.
		sum := sha256.Sum256([]byte(root))
		at.run = filepath.Join("/tmp", "cotejo-"+hex.EncodeToString(sum[:8]))
	}
	return at
}

// account is whom the server runs as. drop is set when that is not ourselves:
// PostgreSQL refuses to run as root.
type account struct {
	uid, gid int
	name     string
	drop     bool
	// mapped: the server runs in a user namespace, where we, root, look like
	// nobody to it and its files stay ours. The way into folders that only root
	// may enter (user_namespaces(7); Linux only, and some containers forbid it).
	mapped bool
}

// accountFor chooses the owner of an existing cluster or data directory, since
// nobody else could open it, then postgres, then nobody.
func accountFor(dir string) (account, error) {
	if uid := os.Geteuid(); uid != 0 {
		return account{uid: uid, gid: os.Getegid()}, nil
	}
	for _, path := range []string{layoutOf(dir).data, layoutOf(dir).root, dir} {
		if st, err := os.Stat(path); err == nil {
			if own, ok := st.Sys().(*syscall.Stat_t); ok && own.Uid != 0 {
				name := "uid " + strconv.Itoa(int(own.Uid))
				if u, err := user.LookupId(strconv.Itoa(int(own.Uid))); err == nil {
					name = u.Username
				}
				return account{uid: int(own.Uid), gid: int(own.Gid), name: name, drop: true}, nil
			} else if ok && path == layoutOf(dir).data {
				return account{mapped: true}, nil // made that way
			}
		}
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.Atoi(u.Uid)
		gid, err2 := strconv.Atoi(u.Gid)
		if err1 == nil && err2 == nil {
			return account{uid: uid, gid: gid, name: name, drop: true}, nil
		}
	}
	return account{}, errors.New("PostgreSQL cannot run as root and there is no user postgres or nobody to run it as: start cotejo as an ordinary user")
}

// prepare makes the folders and hands them to the account, or to one that can
// get there.
func prepare(dir string, as account) (layout, account, error) {
	at := layoutOf(dir)
	mode := fs.FileMode(0o700)
	if as.drop {
		mode = 0o711 // the server's user has to pass through; Cotejo's own files are 0600
	}
	if err := os.MkdirAll(dir, mode); err != nil {
		return at, as, fmt.Errorf("data directory %s cannot be made: %w", dir, err)
	}
	if as.drop {
		if err := openPath(dir, as); err != nil {
			if !canMap() {
				return at, as, err
			}
			as = account{mapped: true}
		}
	}
	for _, path := range []string{at.root, at.run} {
		if err := ownFolder(path, as); err != nil {
			return at, as, err
		}
	}
	return at, as, nil
}

// openPath lets the account pass through the data directory itself and names an
// ancestor it cannot pass, because PostgreSQL's own message would not.
func openPath(dir string, as account) error {
	st, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("data directory %s: %w", dir, err)
	}
	if !passable(st, as) {
		if err := os.Chmod(dir, st.Mode().Perm()|0o011); err != nil {
			return fmt.Errorf("data directory %s: %w", dir, err)
		}
	}
	for up := filepath.Dir(dir); ; up = filepath.Dir(up) {
		if st, err := os.Stat(up); err == nil && !passable(st, as) {
			return fmt.Errorf("%s is closed to user %s, whom PostgreSQL runs as: choose a COTEJO_DATA_DIR outside it, such as /var/lib/cotejo", up, as.name)
		}
		if up == filepath.Dir(up) {
			return nil
		}
	}
}

func passable(st fs.FileInfo, as account) bool {
	perm := st.Mode().Perm()
	if own, ok := st.Sys().(*syscall.Stat_t); ok {
		switch {
		case int(own.Uid) == as.uid:
			return perm&0o100 != 0
		case int(own.Gid) == as.gid:
			return perm&0o010 != 0
		}
	}
	return perm&0o001 != 0
}

// ownFolder makes path a folder of the account's that is closed to all others.
// An existing one is used only if it is that already or is ours to give: under
// /tmp a stranger could have put a folder or a symbolic link first.
func ownFolder(path string, as account) error {
	switch err := os.Mkdir(path, 0o700); {
	case err == nil:
		if as.drop {
			if err := os.Chown(path, as.uid, as.gid); err != nil {
				return fmt.Errorf("%s cannot be given to user %s: %w", path, as.name, err)
			}
		}
		return nil
	case !errors.Is(err, fs.ErrExist):
		return fmt.Errorf("%s cannot be made: %w", path, err)
	}
	st, err := os.Lstat(path)
	if err != nil {
		return fmt.Errorf("%s cannot be read: %w", path, err)
	}
	own, ok := st.Sys().(*syscall.Stat_t)
	if !ok || !st.IsDir() {
		return fmt.Errorf("%s is not a folder: remove it", path)
	}
	switch {
	case int(own.Uid) == as.uid:
	case own.Uid == 0 && as.drop: // a first start that was interrupted before the chown
		if err := os.Chown(path, as.uid, as.gid); err != nil {
			return fmt.Errorf("%s cannot be given to user %s: %w", path, as.name, err)
		}
	default:
		return fmt.Errorf("%s belongs to another user (uid %d): start cotejo as that user or choose another COTEJO_DATA_DIR", path, own.Uid)
	}
	if st.Mode().Perm() != 0o700 {
		if err := os.Chmod(path, 0o700); err != nil {
			return fmt.Errorf("%s cannot be closed to others: %w", path, err)
		}
	}
	return nil
}

// tryLock returns the locked file, or nil if another process holds it. The lock
// is the kernel's: it goes with the process, however that ends.
func tryLock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock file cannot be opened: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return f, nil
	}
	_ = f.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) || errors.Is(err, syscall.EINTR) {
		return nil, nil
	}
	return nil, fmt.Errorf("lock file %s: %w", path, err)
}
