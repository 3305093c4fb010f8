package compose

import (
	"antin/signer/pdf/content"
	"antin/signer/pdf/font"
)

const (
	cellPadding = 4.0
	ruleWidth   = 0.5
)

func (t Table) items() ([]item, error) {
	edges, err := t.edges()
	if err != nil {
		return nil, err
	}
	titles := make([]string, len(t.Columns))
	untitled := true
	for i, c := range t.Columns {
		titles[i] = c.Title
		untitled = untitled && c.Title == ""
	}
	var head *item
	var items []item
	if !untitled {
		row, err := t.row(titles, edges, font.Bold)
		if err != nil {
			return nil, err
		}
		row.keep = true
		items, head = append(items, row), &row
	}
	for i, cells := range t.Rows {
		row, err := t.row(cells, edges, font.Regular)
		if err != nil {
			return nil, err
		}
		if i > 0 || untitled {
			row.repeat = head
		}
		items = append(items, row)
	}
	return items, nil
}

// edges are the positions of the rules between columns, one more than columns. A
// column is at least as wide as its widest word, as far as there is room.
func (t Table) edges() ([]float64, error) {
	least := make([]float64, len(t.Columns))
	reserved, weights := 0.0, 0.0
	for i, c := range t.Columns {
		w, err := t.widestWord(i)
		if err != nil {
			return nil, err
		}
		least[i] = min(w+2*cellPadding+0.1, textWidth/float64(len(t.Columns)))
		reserved += least[i]
		weights += c.weight()
	}
	// What the narrowest widths leave free goes where weights ask for more.
	wanted := 0.0
	for i, c := range t.Columns {
		wanted += max(0, textWidth*c.weight()/weights-least[i])
	}
	edges := []float64{marginLeft}
	for i, c := range t.Columns {
		w := least[i]
		if wanted > 0 {
			w += (textWidth - reserved) * max(0, textWidth*c.weight()/weights-least[i]) / wanted
		}
		edges = append(edges, edges[i]+w)
	}
	return edges, nil
}

func (t Table) widestWord(column int) (float64, error) {
	runs := []content.Run{run(font.Bold, numberSize, t.Columns[column].Title)}
	for _, row := range t.Rows {
		runs = append(runs, run(font.Regular, numberSize, row[column]))
	}
	words, err := split(runs, textWidth)
	widest := 0.0
	for _, w := range words {
		widest = max(widest, w.width)
	}
	return widest, err
}

func (c Column) weight() float64 {
	if c.Weight > 0 {
		return c.Weight
	}
	return 1
}

func (t Table) row(cells []string, edges []float64, style font.Style) (item, error) {
	columns := make([][]item, len(cells))
	height := 0.0
	for i, cell := range cells {
		left, right := edges[i]+cellPadding, edges[i+1]-cellPadding
		r := run(style, numberSize, cell)
		var err error
		if style == font.Bold || t.Columns[i].Centred {
			columns[i], err = centredLines(r, (left+right)/2, right-left)
		} else {
			columns[i], err = leftLines(r, left, right-left, 0)
		}
		if err != nil {
			return item{}, err
		}
		height = max(height, stack(columns[i]))
	}
	height = max(height, numberSize*bodyLeading/bodySize) + cellPadding
	return item{height: height, draw: func(p *page, top float64) error {
		p.canvas.Stroke(content.Color{}, ruleWidth)
		for i := range columns {
			p.canvas.Rect(edges[i], top-height, edges[i+1]-edges[i], height)
		}
		for _, lines := range columns {
			if err := drawStack(p, lines, top-cellPadding/2); err != nil {
				return err
			}
		}
		return nil
	}}, nil
}
