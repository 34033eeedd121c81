package figure

import (
	"fmt"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Line is a line of a chart: points with a mark each, joined in the order given.
// X and Y have the same length, 1 or more, and are finite.
type Line struct {
	Name string
	X, Y []float64
}

// Lines is a chart of lines. The labels say what the axes show, and the unit.
type Lines struct {
	Title, XLabel, YLabel string
	Lines                 []Line
	// LogX and LogY make an axis logarithmic; its values must then be above zero. An
	// axis of y that is not begins at zero unless there are values below.
	LogX, LogY bool
	// BytesX makes x a logarithmic axis of bytes, with ticks at powers of two.
	BytesX bool
}

const (
	maxPoints = 1 << 20
	fewPoints = 100 // up to so many, a line's points have marks
)

var marks = []draw.GlyphDrawer{
	draw.CircleGlyph{}, draw.BoxGlyph{}, draw.PyramidGlyph{}, draw.RingGlyph{},
	draw.SquareGlyph{}, draw.TriangleGlyph{}, draw.CrossGlyph{},
}

// Save writes the chart as dir/name.png and dir/name.svg. The error says which name,
// label or value cannot be drawn, or what kept a file from being written.
func (l Lines) Save(dir, name string) error {
	if err := l.check(); err != nil {
		return err
	}
	p := newPicture(l.Title, l.XLabel, l.YLabel)
	p.plot.Add(grid{x: true, y: true})
	legend, names := plot.NewLegend(), []string(nil)
	for i, line := range l.Lines {
		drawn, points := line.plotters(i)
		p.plot.Add(drawn)
		thumbs := []plot.Thumbnailer{drawn}
		if len(line.X) <= fewPoints {
			p.plot.Add(points)
			thumbs = append(thumbs, points)
		}
		legend.Add(line.Name, thumbs...)
		names = append(names, line.Name)
	}
	switch {
	case l.BytesX:
		binary(&p.plot.X)
	case l.LogX:
		logarithmic(&p.plot.X)
	default:
		linear(&p.plot.X, false)
	}
	if l.LogY {
		logarithmic(&p.plot.Y)
	} else {
		linear(&p.plot.Y, true)
	}
	p.legend(legend, names)
	return p.save(dir, name)
}

func (l Lines) check() error {
	var c checker
	c.texts(map[string]string{"the title": l.Title, "the label of x": l.XLabel, "the label of y": l.YLabel})
	var names []string
	points := 0
	for _, line := range l.Lines {
		names = append(names, line.Name)
		points += len(line.X)
	}
	c.names("lines", maxKinds, names)
	if points > maxPoints {
		c.fail("%d points: there must be at most %d", points, maxPoints)
	}
	for _, line := range l.Lines {
		if len(line.X) != len(line.Y) || len(line.X) == 0 {
			c.fail("the line %q has %d values for x and %d for y", line.Name, len(line.X), len(line.Y))
		}
		for i := range line.X {
			if c.err != nil {
				return c.err
			}
			point := fmt.Sprintf("point %d", i+1)
			c.value(line.X[i], l.LogX || l.BytesX, line.Name, point, "x")
			c.value(line.Y[i], l.LogY, line.Name, point, "y")
		}
	}
	return c.err
}

// plotters are gonum's, for the line and for its marks.
func (l Line) plotters(i int) (*plotter.Line, *plotter.Scatter) {
	xys := make(plotter.XYs, len(l.X))
	for j := range l.X {
		xys[j] = plotter.XY{X: l.X[j], Y: l.Y[j]}
	}
	clr := colors[i%len(colors)]
	line := &plotter.Line{XYs: xys, LineStyle: draw.LineStyle{Color: clr, Width: 1.5}}
	if i >= len(colors) { // the colours are used a second time
		line.Dashes = []vg.Length{vg.Length(math.Min(float64(i/len(colors))*3, 30)), 2}
	}
	points := &plotter.Scatter{XYs: xys, GlyphStyle: draw.GlyphStyle{Color: clr, Radius: 3, Shape: marks[i%len(marks)]}}
	return line, points
}
