package main

import (
	"antin/web/render"
)

// renderCmd is the hidden child process that draws one page of a PDF given on its
// standard input; see package web/render.
type renderCmd struct {
	Page  int    `arg:""`
	Width int    `arg:""`
	Cache string `arg:"" optional:""`
}

// Run draws the page.
func (c *renderCmd) Run(e *env, ctx *ctxHolder) error {
	return render.Serve(ctx, render.Request{Page: c.Page, Width: c.Width, CacheDir: c.Cache}, e.in, e.out)
}
