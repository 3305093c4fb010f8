package main

import (
	"fmt"
	"runtime"
)

// versionCmd tells what runs.
type versionCmd struct {
	JSON bool `help:"${help_json}" name:"json"`
}

// Run prints the version.
func (c *versionCmd) Run(e *env) error {
	if c.JSON {
		return printJSON(e.out, map[string]string{"version": version, "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH})
	}
	_, err := fmt.Fprintf(e.out, "antin %s (%s, %s/%s)\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
