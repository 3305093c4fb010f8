package api

import (
	_ "embed"
	"encoding/json"
	"fmt"

	"github.com/danielgtaylor/huma/v2"
)

// docsExamples holds a request body for each operation that takes JSON.
//
//go:embed docs/examples.json
var docsExamples []byte

// examples puts the examples into the description; an operation that takes JSON
// and has none is an error.
func (b *builder) examples(doc *huma.OpenAPI) error {
	var known map[string]any
	if err := json.Unmarshal(docsExamples, &known); err != nil {
		return fmt.Errorf("reading examples: %w", err)
	}
	for _, r := range b.routes {
		item := doc.Paths[r.Path]
		for _, op := range []*huma.Operation{item.Post, item.Patch} {
			if op == nil || op.OperationID != r.ID || op.RequestBody == nil || r.ID == "upload-file" || r.ID == "verify" {
				continue
			}
			example, ok := known[r.ID]
			if !ok {
				return fmt.Errorf("%s has no example", r.ID)
			}
			op.RequestBody.Content[jsonType].Example = example
		}
	}
	return nil
}
