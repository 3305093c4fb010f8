package main

import (
	"path/filepath"
	"strings"
)

// FolderConfig names the folders through which the agency's own document system sends
// and receives without calling the API. Empty means none.
type FolderConfig struct {
	Outgoing string `yaml:"outgoing" path:"file"` // what is laid here is sent
	Incoming string `yaml:"incoming" path:"file"` // what arrives is laid here
	When     string `yaml:"when" enum:"accepted,arrived"`
}

// checkFolders refuses folders that lie in one another or in the data directory.
func (c *Config) checkFolders() error {
	f := c.Folder
	within := func(inner, outer string) bool {
		rel, err := filepath.Rel(outer, inner)
		return err == nil && (rel == "." || rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)))
	}
	for _, p := range []struct{ path, dir string }{{"folder.outgoing", f.Outgoing}, {"folder.incoming", f.Incoming}} {
		if p.dir != "" && (within(p.dir, c.DataDir) || within(c.DataDir, p.dir)) {
			return c.wrong(p.path, "config.want.apart", "data_dir")
		}
	}
	if f.Outgoing != "" && f.Incoming != "" && (within(f.Outgoing, f.Incoming) || within(f.Incoming, f.Outgoing)) {
		return c.wrong("folder.incoming", "config.want.apart", "folder.outgoing")
	}
	return nil
}
