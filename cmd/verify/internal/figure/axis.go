package figure

import (
	"image/color"
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg/draw"
)

// linear lays an axis out from a multiple of a round step to another, around the data
// in it. Zero is included when the data is of one sign and zero says something: where
// it is asked for.
func linear(a *plot.Axis, zero bool) {
	lo, hi := a.Min, a.Max
	if zero {
		lo, hi = min(lo, 0), max(hi, 0)
	}
	// Values that hardly differ would ask for steps smaller than a float can tell.
	if least := 1e-6 * max(math.Abs(lo), math.Abs(hi), 1e-24); hi-lo < least {
		lo, hi = lo-least, hi+least
	}
	step := roundStep((hi - lo) / 6)
	first, last := math.Floor(lo/step+1e-9), math.Ceil(hi/step-1e-9)
	a.Min, a.Max = first*step, last*step
	size, suffix := prefix(max(math.Abs(a.Min), math.Abs(a.Max)) / 10) // all ticks have the one of the largest
	var ticks []plot.Tick
	for i := range int(last-first) + 1 {
		v := (first + float64(i)) * step
		ticks = append(ticks, plot.Tick{Value: v, Label: number(v/size) + suffixOf(v, suffix)})
	}
	a.Tick.Marker = plot.ConstantTicks(ticks)
}

// roundStep is the next of 1, 2 and 5 times a power of ten.
func roundStep(about float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(about)))
	for _, f := range []float64{1, 2, 5} {
		if f*power >= about*(1-1e-9) {
			return f * power
		}
	}
	return 10 * power
}

func suffixOf(v float64, suffix string) string {
	if v == 0 {
		return ""
	}
	return suffix
}

func number(v float64) string {
	if v == 0 {
		return "0" // and not -0
	}
	return strconv.FormatFloat(v, 'g', 6, 64)
}

// short writes a value where there is little room: three digits.
func short(v float64) string {
	size, suffix := 1.0, ""
	if math.Abs(v) >= 1e4 {
		size, suffix = prefix(math.Abs(v))
	}
	v /= size
	digits := 0
	for limit := 100.0; limit > 1 && math.Abs(v) < limit && digits < 2; limit /= 10 {
		digits++
	}
	if v != 0 && math.Abs(v) < 0.1 {
		return strconv.FormatFloat(v, 'g', 2, 64)
	}
	s := strconv.FormatFloat(v, 'f', digits, 64)
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		s = number(f) // without zeros at the end
	}
	return s + suffix
}

// maxDecades is how many labels a logarithmic axis has at most.
const maxDecades = 9

// logarithmic lays an axis out between the powers of ten around the data in it.
func logarithmic(a *plot.Axis) {
	lo, hi := math.Floor(math.Log10(a.Min)+1e-9), math.Ceil(math.Log10(a.Max)-1e-9)
	hi = max(hi, lo+1)
	every := math.Ceil((hi - lo) / maxDecades)
	var ticks []plot.Tick
	for d := lo; d <= hi; d++ {
		for f := 1.0; f < 10; f++ {
			v := f * math.Pow(10, d)
			t := plot.Tick{Value: v}
			if f == 1 && math.Mod(d-lo, every) == 0 || hi-lo <= 2 && (f == 2 || f == 5) {
				t.Label = power(v)
			}
			if d < hi || f == 1 {
				ticks = append(ticks, t)
			}
		}
	}
	a.Min, a.Max = math.Pow(10, lo), math.Pow(10, hi)
	a.Scale = plot.LogScale{}
	a.Tick.Marker = plot.ConstantTicks(ticks)
}

// power writes a value of a logarithmic axis.
func power(v float64) string {
	size, suffix := prefix(v)
	return number(v/size) + suffix
}

// prefix is the decimal prefix of a value.
func prefix(v float64) (float64, string) {
	switch {
	case v >= 1e12:
		return 1e12, "T"
	case v >= 1e9:
		return 1e9, "G"
	case v >= 1e6:
		return 1e6, "M"
	case v >= 1e3:
		return 1e3, "k"
	}
	return 1, ""
}

// binary lays an axis of bytes out between the powers of two around the data in it.
func binary(a *plot.Axis) {
	lo, hi := math.Floor(math.Log2(a.Min)+1e-9), math.Ceil(math.Log2(a.Max)-1e-9)
	hi = max(hi, lo+1)
	every := math.Ceil((hi - lo) / maxDecades)
	var ticks []plot.Tick
	for d := lo; d <= hi; d++ {
		t := plot.Tick{Value: math.Pow(2, d)}
		if math.Mod(d-lo, every) == 0 {
			t.Label = bytesText(d)
		}
		ticks = append(ticks, t)
	}
	a.Min, a.Max = math.Pow(2, lo), math.Pow(2, hi)
	a.Scale = plot.LogScale{}
	a.Tick.Marker = plot.ConstantTicks(ticks)
}

// bytesText writes two to the power d as an amount of bytes.
func bytesText(d float64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	i := int(min(max(math.Floor(d/10), 0), float64(len(units)-1)))
	return number(math.Pow(2, d-10*float64(i))) + " " + units[i]
}

// grid draws faint lines at the ticks with a label.
type grid struct{ x, y bool }

// Plot implements plot.Plotter.
func (g grid) Plot(c draw.Canvas, p *plot.Plot) {
	trX, trY := p.Transforms(&c)
	line := draw.LineStyle{Color: faint, Width: 0.5}
	for _, t := range p.X.Tick.Marker.Ticks(p.X.Min, p.X.Max) {
		if g.x && !t.IsMinor() {
			c.StrokeLine2(line, trX(t.Value), c.Min.Y, trX(t.Value), c.Max.Y)
		}
	}
	for _, t := range p.Y.Tick.Marker.Ticks(p.Y.Min, p.Y.Max) {
		if g.y && !t.IsMinor() {
			c.StrokeLine2(line, c.Min.X, trY(t.Value), c.Max.X, trY(t.Value))
		}
	}
}

// nominal puts names at 0, 1, 2 … of an axis, as many as there is room for.
func nominal(a *plot.Axis, names []string, room int, at func(i int) float64) {
	every := max(1, (len(names)+room-1)/room)
	var ticks []plot.Tick
	for i, n := range names {
		if i%every == 0 {
			ticks = append(ticks, plot.Tick{Value: at(i), Label: n})
		}
	}
	a.Tick.Marker = plot.ConstantTicks(ticks)
	a.Tick.Length = 3
	a.Min, a.Max = -0.5, float64(len(names))-0.5
}

// widest is the width of the widest name in the style of an axis.
func widest(a *plot.Axis, names []string) (w float64) {
	for _, n := range names {
		w = max(w, a.Tick.Label.Width(n).Points())
	}
	return w
}

// upright turns the names below an axis, as they would overlap side by side.
func upright(a *plot.Axis) {
	a.Tick.Label.Rotation = math.Pi / 2
	a.Tick.Length = 8 // room, as gonum sets names that are turned higher by their descent
	a.Tick.LineStyle.Color = color.Transparent
	a.Tick.Label.XAlign, a.Tick.Label.YAlign = draw.XRight, draw.YCenter
}
