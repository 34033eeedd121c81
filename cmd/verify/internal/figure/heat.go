package figure

import (
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Heat is a heat map: a table whose cells have the colour of their value, with a scale
// beside it. The first row is at the top. Values[r][c] is that of row r and column c,
// finite. XLabel says what the columns are, YLabel what the rows are, and ZLabel what
// the values are and in which unit.
type Heat struct {
	Title, XLabel, YLabel, ZLabel string
	Rows, Columns                 []string
	Values                        [][]float64
	FromZero                      bool // the scale begins at zero, so that what is nearly the same looks so
}

const (
	maxSide  = 512 // rows, and columns
	fewCells = 16  // up to so many rows and columns, values are written into the cells
)

// Save writes the map as dir/name.png and dir/name.svg. The error says which name,
// label or value cannot be drawn, or what kept a file from being written.
func (h Heat) Save(dir, name string) error {
	var c checker
	c.texts(map[string]string{
		"the title": h.Title, "the label of x": h.XLabel, "the label of y": h.YLabel, "the label of the values": h.ZLabel,
	})
	c.names("rows", maxSide, h.Rows)
	c.names("columns", maxSide, h.Columns)
	c.table(h.Rows, h.Columns, h.Values)
	if c.err != nil {
		return c.err
	}
	p := newPicture(h.Title, h.XLabel, h.YLabel)
	cell := min(max(math.Round(400/float64(max(len(h.Rows), len(h.Columns)))), 2), 48)
	p.width, p.height = 260, 220
	p.atLeast(vg.Length(cell*float64(len(h.Columns)))+vg.Length(widest(&p.plot.Y, h.Rows))+20, vg.Length(cell*float64(len(h.Rows)))+80)
	cells := newCells(h.Values, h.FromZero)
	p.plot.Add(cells)
	nominal(&p.plot.X, h.Columns, int(max(cell*float64(len(h.Columns))/16, 1)), func(i int) float64 { return float64(i) })
	nominal(&p.plot.Y, h.Rows, int(max(cell*float64(len(h.Rows))/14, 1)), func(i int) float64 { return float64(len(h.Rows) - 1 - i) })
	p.plot.Y.LineStyle.Width, p.plot.X.LineStyle.Width = 0, 0
	if widest(&p.plot.X, h.Columns)+4 > max(cell, 20) {
		upright(&p.plot.X)
		p.atLeast(0, p.height+vg.Length(widest(&p.plot.X, h.Columns)))
	}
	cells.scale(p, h.ZLabel)
	return p.save(dir, name)
}

// cells draws the table.
type cells struct {
	values [][]float64
	lo, hi float64
}

func newCells(values [][]float64, fromZero bool) cells {
	c := cells{values, values[0][0], values[0][0]}
	if fromZero {
		c.lo, c.hi = min(c.lo, 0), max(c.hi, 0)
	}
	for _, row := range values {
		for _, v := range row {
			c.lo, c.hi = min(c.lo, v), max(c.hi, v)
		}
	}
	return c
}

// at is where a value stands between the lowest and the highest.
func (h cells) at(v float64) float64 {
	if h.hi == h.lo {
		return 0.5
	}
	return (v - h.lo) / (h.hi - h.lo)
}

// Plot implements plot.Plotter.
func (h cells) Plot(c draw.Canvas, p *plot.Plot) {
	trX, trY := p.Transforms(&c)
	rows, columns := len(h.values), len(h.values[0])
	border, under := vg.Length(0.5), vg.Length(0)
	if max(rows, columns) > 64 {
		border, under = 0, 0.5 // reach under the next cell, or seams would show
	}
	for r, row := range h.values {
		y := float64(rows - 1 - r)
		for i, v := range row {
			x := float64(i)
			left, right := snap(trX(x-0.5)), snap(trX(x+0.5))
			top, bottom := snap(trY(y+0.5)), snap(trY(y-0.5))
			at := h.at(v)
			rectangle(&c, shade(at), left+border, max(bottom+border-under, snap(c.Min.Y)), min(right-border+under, snap(c.Max.X)), top-border)
			s := style(8)
			s.XAlign, s.YAlign = draw.XCenter, draw.YCenter
			if at > 0.6 {
				s.Color = color.White
			}
			if text := short(v); max(rows, columns) <= fewCells && s.Width(text)+2 < right-left {
				c.FillText(s, vg.Point{X: trX(x), Y: trY(y)}, text)
			}
		}
	}
}

// stops are a single hue from light to dark, so that the order of values is seen
// without the scale, and in grey (ColorBrewer's "Blues", Brewer and Harrower).
var stops = []color.RGBA{
	{247, 251, 255, 255}, {198, 219, 239, 255}, {107, 174, 214, 255}, {33, 113, 181, 255}, {8, 48, 107, 255},
}

// shade is the colour of a place between 0 and 1.
func shade(at float64) color.Color {
	x := min(max(at, 0), 1) * float64(len(stops)-1)
	i := min(int(x), len(stops)-2)
	f := x - float64(i)
	mix := func(a, b uint8) uint8 { return uint8(math.Round(float64(a)*(1-f) + float64(b)*f)) }
	a, b := stops[i], stops[i+1]
	return color.RGBA{mix(a.R, b.R), mix(a.G, b.G), mix(a.B, b.B), 255}
}

const (
	scaleWidth = 14 // points
	shades     = 64
)

// scale draws the colours with their values beside the table.
func (h cells) scale(p *picture, label string) {
	ticks := []float64{h.lo}
	if h.hi > h.lo {
		ticks = nil
		for i := range 5 {
			ticks = append(ticks, h.lo+(h.hi-h.lo)*float64(i)/4)
		}
	}
	s, title := style(9), style(11)
	s.YAlign = draw.YCenter
	title.Rotation, title.XAlign, title.YAlign = math.Pi/2, draw.XCenter, draw.YTop
	var room vg.Length
	for _, v := range ticks {
		room = max(room, s.Width(short(v)))
	}
	p.side = ceil(scaleWidth + 6 + room + 6 + title.Height(label) + 6)
	p.atLeast(0, title.Width(label)+80)
	p.drawSide = func(place, data draw.Canvas) {
		place.Min.Y, place.Max.Y = data.Min.Y, data.Max.Y
		x, height := place.Min.X, (place.Max.Y-place.Min.Y)/shades
		for i := range shades {
			y := snap(place.Min.Y + height*vg.Length(i))
			at := float64(i) / (shades - 1)
			if h.hi == h.lo {
				at = 0.5
			}
			rectangle(&place, shade(at), x, y, x+scaleWidth, snap(min(y+height*1.5, place.Max.Y)))
		}
		for _, v := range ticks {
			y := place.Min.Y + (place.Max.Y-place.Min.Y)*vg.Length(h.at(v))
			place.StrokeLine2(draw.LineStyle{Color: dark, Width: 0.75}, x+scaleWidth, y, x+scaleWidth+3, y)
			place.FillText(s, vg.Point{X: x + scaleWidth + 6, Y: y}, short(v))
		}
		place.FillText(title, vg.Point{X: x + scaleWidth + 6 + room + 6, Y: place.Center().Y}, label)
	}
}
