// Package figure draws the plots of the command: grouped bars, lines and heat maps,
// each as a PNG and an SVG file of the same picture. The same figure gives the same
// bytes. Drawing is gonum's; the layout, the ticks and what is refused are ours.
package figure

import (
	"bytes"
	"errors"
	"fmt"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

const (
	dpi       = 144
	margin    = 10   // points around the picture
	gap       = 14   // points between the plot and what stands right of it
	labelRoom = 22   // points for the label of y
	maxText   = 200  // bytes of a title, a label or a name
	maxNames  = 1024 // groups, rows, columns
	maxKinds  = 64   // series, lines: each has a line of the legend
	maxCells  = 1 << 20
	maxValue  = 1e30 // of a value: beyond it, floats run out when axes are laid out
)

// colors are told apart by those who see no red or no green (Okabe and Ito, "Color
// Universal Design", 2008), with the yellow left to the end as it is faint on white.
var colors = []color.Color{
	color.RGBA{0, 114, 178, 255}, color.RGBA{230, 159, 0, 255}, color.RGBA{0, 158, 115, 255},
	color.RGBA{213, 94, 0, 255}, color.RGBA{86, 180, 233, 255}, color.RGBA{204, 121, 167, 255},
	color.RGBA{90, 90, 90, 255}, color.RGBA{240, 228, 66, 255},
}

var (
	faint = color.Gray{225}
	dark  = color.Gray{40}
)

// picture is a plot, and what stands right of it.
type picture struct {
	plot          *plot.Plot
	yLabel        string    // gonum's leaves a gap at the top when y is logarithmic
	width, height vg.Length // of the plot
	side          vg.Length // the width of what stands beside it
	// drawSide draws that, given its place and the place of the plot's data.
	drawSide func(place, data draw.Canvas)
}

// newPicture has a plot with our fonts, and frames drawn thin.
func newPicture(title, x, y string) *picture {
	p := plot.New()
	p.Title.Text, p.X.Label.Text = title, x
	p.Title.TextStyle.Font = face(13)
	p.Title.Padding = 12
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Label.TextStyle.Font, a.Tick.Label.Font = face(11), face(10)
		a.Label.Padding, a.Padding = 6, 0
		a.LineStyle.Width, a.Tick.LineStyle.Width = 0.75, 0.75
		a.LineStyle.Color, a.Tick.LineStyle.Color = dark, dark
	}
	pic := &picture{plot: p, yLabel: y, width: 500, height: 320}
	pic.atLeast(max(p.Title.TextStyle.Width(title), p.X.Label.TextStyle.Width(x)+100), p.Y.Label.TextStyle.Width(y)+80)
	return pic
}

// atLeast makes the plot larger, to hold what is so wide and so high.
func (p *picture) atLeast(width, height vg.Length) {
	p.width, p.height = ceil(max(p.width, width)), ceil(max(p.height, height))
}

// ceil rounds up to a point, as edges between pixels would be blurred.
func ceil(l vg.Length) vg.Length { return vg.Length(math.Ceil(l.Points())) }

// snap rounds a place to the edge of a pixel.
func snap(l vg.Length) vg.Length { return vg.Length(math.Round(l.Points()*dpi/72)) * 72 / dpi }

func face(size vg.Length) font.Font {
	return font.From(font.Font{Typeface: "Liberation", Variant: "Sans"}, size)
}

func style(size vg.Length) text.Style {
	return text.Style{Color: color.Black, Font: face(size), Handler: plot.DefaultTextHandler}
}

// legend puts names beside the plot. One name alone needs none.
func (p *picture) legend(l plot.Legend, names []string) {
	if len(names) < 2 {
		return
	}
	l.TextStyle = style(10)
	l.Top, l.Left, l.Padding, l.ThumbnailWidth = true, true, 4, 16
	for _, n := range names {
		p.side = max(p.side, l.TextStyle.Width(n))
	}
	p.side = ceil(p.side) + l.ThumbnailWidth + gap
	p.atLeast(0, vg.Length(len(names))*18+100)
	p.drawSide = func(place, data draw.Canvas) {
		place.Max.Y = data.Max.Y
		l.Draw(place)
	}
}

// draw draws all on a canvas.
func (p *picture) draw(on vg.CanvasSizer) {
	c := draw.New(on)
	c.SetColor(color.White)
	c.Fill(c.Rectangle.Path())
	c = draw.Crop(c, margin, -margin, margin, -margin)
	left := draw.Crop(c, labelRoom, 0, 0, 0)
	if p.side > 0 {
		left = draw.Crop(left, 0, -p.side-gap, 0, 0)
	}
	p.plot.Draw(left)
	data := p.plot.DataCanvas(left)
	label := style(11)
	label.Rotation, label.XAlign, label.YAlign = math.Pi/2, draw.XCenter, draw.YTop
	c.FillText(label, vg.Point{X: c.Min.X, Y: data.Center().Y}, p.yLabel)
	if p.side > 0 {
		p.drawSide(draw.Crop(c, left.Max.X-c.Min.X+gap, 0, 0, 0), data)
	}
}

// save writes dir/name.png and dir/name.svg, and makes dir if need be.
func (p *picture) save(dir, name string) error {
	if name == "" || strings.ContainsAny(name, `/\`) || strings.HasPrefix(name, ".") {
		return fmt.Errorf("figure: %.80q does not serve as the name of a file", name)
	}
	w, h := p.width+2*margin+labelRoom, p.height+2*margin
	if p.side > 0 {
		w += p.side + gap
	}
	pixels := vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(w, h), vgimg.UseDPI(dpi))}
	vectors := vgsvg.New(w, h)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("figure: %w", err)
	}
	for _, file := range []struct {
		suffix string
		canvas vg.CanvasWriterTo
	}{{".png", pixels}, {".svg", vectors}} {
		p.draw(file.canvas)
		var out bytes.Buffer
		if _, err := file.canvas.WriteTo(&out); err != nil {
			return fmt.Errorf("figure: %s%s: %w", name, file.suffix, err)
		}
		if err := os.WriteFile(filepath.Join(dir, name+file.suffix), out.Bytes(), 0o666); err != nil {
			return fmt.Errorf("figure: %w", err)
		}
	}
	return nil
}

// checker finds what cannot be drawn. The first finding stays.
type checker struct{ err error }

func (c *checker) fail(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf("figure: "+format, args...)
	}
}

// texts are the title and the labels of the axes; an axis without a label says
// nothing.
func (c *checker) texts(named map[string]string) {
	for _, what := range []string{"the title", "the label of x", "the label of y", "the label of the values"} {
		if t, ok := named[what]; ok {
			c.text(what, t)
		}
	}
}

func (c *checker) text(what, t string) {
	if err := textError(t); err != nil {
		c.fail("%s %.40q: %w", what, t, err)
	}
}

func textError(t string) error {
	switch {
	case strings.TrimSpace(t) == "":
		return errors.New("it is empty")
	case len(t) > maxText:
		return fmt.Errorf("it is longer than %d bytes", maxText)
	case !utf8.ValidString(t) || strings.ContainsFunc(t, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return errors.New("it holds what is not text of one line")
	}
	return nil
}

// names are those of groups, series, rows, columns or lines.
func (c *checker) names(what string, most int, names []string) {
	if len(names) == 0 || len(names) > most {
		c.fail("%d %s: there must be 1 to %d", len(names), what, most)
	}
	for i, n := range names[:min(len(names), most)] {
		c.text(fmt.Sprintf("name %d of the %s,", i+1, what), n)
		if c.err == nil && slices.Index(names, n) < i {
			c.fail("two of the %s are called %q", what, n)
		}
	}
}

// table holds a row of values for each of rows, each with one for each of columns.
func (c *checker) table(rows, columns []string, values [][]float64) {
	if len(values) != len(rows) {
		c.fail("%d rows of values for %d names", len(values), len(rows))
	}
	if len(rows)*len(columns) > maxCells {
		c.fail("%d values: there must be at most %d", len(rows)*len(columns), maxCells)
	}
	for i, row := range values {
		if c.err != nil {
			return
		}
		if len(row) != len(columns) {
			c.fail("%q has %d values for %d names", rows[i], len(row), len(columns))
		}
		for j, v := range row[:min(len(row), len(columns))] {
			c.value(v, false, rows[i], columns[j])
		}
	}
}

// value is one that stands at a place in the figure.
func (c *checker) value(v float64, log bool, place ...string) {
	switch {
	case math.IsNaN(v) || math.Abs(v) > maxValue:
		c.fail("the value of %q is %v, which has no place on an axis", place, v)
	case log && v < 1/maxValue:
		c.fail("the value of %q is %v, which has no place on a logarithmic axis", place, v)
	}
}
