package figure

import (
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Bars is a chart of grouped bars from zero: a group for each of Groups along x, and
// in it a bar for each of Series, in the series' colour. Values[g][s] is that of group
// g and series s, finite. The labels say what the axes show, and the unit.
type Bars struct {
	Title, XLabel, YLabel string
	Groups, Series        []string
	Values                [][]float64
}

const (
	maxBars    = 10_000
	fewBars    = 40 // up to so many, values are written above the bars
	groupWidth = 0.8
)

// Save writes the chart as dir/name.png and dir/name.svg. The error says which name,
// label or value cannot be drawn, or what kept a file from being written.
func (b Bars) Save(dir, name string) error {
	var c checker
	c.texts(map[string]string{"the title": b.Title, "the label of x": b.XLabel, "the label of y": b.YLabel})
	c.names("groups", maxNames, b.Groups)
	c.names("series", maxKinds, b.Series)
	c.table(b.Groups, b.Series, b.Values)
	n := len(b.Groups) * len(b.Series)
	if n > maxBars {
		c.fail("%d bars: there must be at most %d", n, maxBars)
	}
	if c.err != nil {
		return c.err
	}
	p := newPicture(b.Title, b.XLabel, b.YLabel)
	p.width = min(max(p.width, vg.Length(n)*18+vg.Length(len(b.Groups))*12+80), 1200)
	all := bars{values: b.Values}
	for s := range b.Series {
		all.colors = append(all.colors, colors[s%len(colors)])
	}
	p.plot.Add(grid{y: true}, all)
	linear(&p.plot.Y, true)
	each := (p.width.Points() - 70) / float64(len(b.Groups))
	nominal(&p.plot.X, b.Groups, int((p.width-70)/16), func(i int) float64 { return float64(i) })
	if widest(&p.plot.X, b.Groups)+8 > each {
		upright(&p.plot.X)
		p.atLeast(0, p.height+vg.Length(widest(&p.plot.X, b.Groups)))
	}
	l := plot.NewLegend()
	for s, n := range b.Series {
		l.Add(n, swatch{all.colors[s]})
	}
	p.legend(l, b.Series)
	return p.save(dir, name)
}

// bars draws all bars: gonum's have one width in points, ours share the room.
type bars struct {
	values [][]float64
	colors []color.Color
}

// DataRange implements plot.DataRanger.
func (b bars) DataRange() (xmin, xmax, ymin, ymax float64) {
	// Zero is in it, and room for the values written at the ends.
	for _, group := range b.values {
		for _, v := range group {
			ymin, ymax = min(ymin, v), max(ymax, v)
		}
	}
	room := (ymax - ymin) * 0.06
	if ymin < 0 {
		ymin -= room
	}
	if ymax > 0 {
		ymax += room
	}
	return 0, float64(len(b.values) - 1), ymin, ymax
}

// Plot implements plot.Plotter.
func (b bars) Plot(c draw.Canvas, p *plot.Plot) {
	trX, trY := p.Transforms(&c)
	series := float64(len(b.colors))
	write := len(b.values)*len(b.colors) <= fewBars
	for g, group := range b.values {
		for s, v := range group {
			left := float64(g) - groupWidth/2 + groupWidth*float64(s)/series
			x0, x1 := trX(left), trX(left+groupWidth/series)
			inset := min((x1-x0)*0.06, 1)
			rectangle(&c, b.colors[s], x0+inset, trY(0), x1-inset, trY(v))
			if write {
				valueAbove(&c, v, (x0+x1)/2, trY(v), x1-x0)
			}
		}
	}
	c.StrokeLine2(draw.LineStyle{Color: dark, Width: 0.75}, c.Min.X, trY(0), c.Max.X, trY(0))
}

// valueAbove writes a value above the end of its bar, or below if it is negative, and
// nothing where the room is too narrow.
func valueAbove(c *draw.Canvas, v float64, x, y, room vg.Length) {
	s := style(8)
	s.XAlign, s.YAlign = draw.XCenter, draw.YBottom
	label := short(v)
	if s.Width(label) > room {
		return
	}
	if v < 0 {
		s.YAlign = draw.YTop
		y -= 4
	}
	c.FillText(s, vg.Point{X: x, Y: y + 2}, label)
}

func rectangle(c *draw.Canvas, fill color.Color, x0, y0, x1, y1 vg.Length) {
	c.FillPolygon(fill, []vg.Point{{X: x0, Y: y0}, {X: x1, Y: y0}, {X: x1, Y: y1}, {X: x0, Y: y1}})
}

// swatch is a patch of colour in a legend.
type swatch struct{ color color.Color }

// Thumbnail implements plot.Thumbnailer.
func (s swatch) Thumbnail(c *draw.Canvas) {
	rectangle(c, s.color, c.Min.X, c.Min.Y, c.Max.X, c.Max.Y)
}
