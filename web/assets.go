package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"
	"time"
)

//go:embed assets/style.css assets/antin.js
var assetFiles embed.FS

// assetVersion changes with the embedded files, so that browsers may keep them.
var assetVersion = hashAssets()

func hashAssets() string {
	h := sha256.New()
	for _, name := range []string{"style.css", "antin.js"} {
		b, _ := assetFiles.ReadFile("assets/" + name) // embedded: it is there
		h.Write(b)
	}
	return hex.EncodeToString(h.Sum(nil))[:12]
}

// serveAsset answers {prefix}/assets/{name}.
func serveAsset(w http.ResponseWriter, r *http.Request) {
	name := path.Base(r.PathValue("name"))
	b, err := assetFiles.ReadFile("assets/" + name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(b))
}
