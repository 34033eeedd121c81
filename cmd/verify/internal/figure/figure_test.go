package figure

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"image"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gonum.org/v1/plot"
)

// A figure is one of the three kinds.
type drawable interface {
	Save(dir, name string) error
}

var samples = map[string]struct {
	figure drawable
	shows  []string // in the SVG
}{
	"bars": {
		Bars{
			Title: "NPB class W, migrating", XLabel: "kernel", YLabel: "runtime (s of simulated time)",
			Groups: []string{"IS", "CG", "MG", "FT"}, Series: []string{"Separated", "Shared", "Fully Shared <&>"},
			Values: [][]float64{{1.25, 0.9, 0.61}, {12.1, 11, 9.75}, {3, 2.2, 0.04}, {7.123, 6.5, 5}},
		},
		[]string{"NPB class W, migrating", "kernel", "runtime (s of simulated time)", "IS", "FT", "Separated", "Fully Shared <&>", "12.1", "0"},
	},
	"bars-long-names": {
		Bars{
			Title: "Misses", XLabel: "workload", YLabel: "misses",
			Groups: many("a workload with a long name, no. ", 14), Series: []string{"ours", "cachegrind"},
			Values: table(14, 2, func(r, c int) float64 { return float64((r+1)*(c+3)) * 1e6 }),
		},
		[]string{"a workload with a long name, no. 1", "a workload with a long name, no. 14", "60M", "cachegrind"},
	},
	"bars-below-zero": {
		Bars{
			Title: "Difference to cachegrind", XLabel: "kernel", YLabel: "difference (%)",
			Groups: []string{"IS", "CG"}, Series: []string{"D1", "LL"},
			Values: [][]float64{{-1.5, 0.25}, {0, -0.004}},
		},
		[]string{"-1.5", "0.25", "-0.004"},
	},
	"lines-bytes": {
		Lines{
			Title: "Pointer chase", XLabel: "working set", YLabel: "latency (ns)", BytesX: true,
			Lines: []Line{
				{"Xeon Gold", []float64{4 << 10, 32 << 10, 256 << 10, 1 << 20, 8 << 20, 64 << 20}, []float64{1.2, 1.2, 4.1, 5, 21, 89}},
				{"ThunderX2 µ", []float64{4 << 10, 32 << 10, 256 << 10, 1 << 20, 8 << 20, 64 << 20}, []float64{1.6, 1.7, 5.5, 9, 33, 120}},
			},
		},
		[]string{"Pointer chase", "working set", "latency (ns)", "4 KiB", "64 MiB", "Xeon Gold", "ThunderX2 µ", "120"},
	},
	"lines-log": {
		Lines{
			Title: "Speed", XLabel: "references", YLabel: "speed (references/s)", LogX: true, LogY: true,
			Lines: []Line{{"one", []float64{1, 10, 3e6}, []float64{2e3, 3e5, 4e8}}},
		},
		[]string{"Speed", "references", "speed (references/s)", "10M", "1G"},
	},
	"lines": {
		Lines{
			Title: "Linear", XLabel: "time (s)", YLabel: "IPIs",
			Lines: []Line{{"one", []float64{5}, []float64{5}}, {"two", []float64{1, 2, 3}, []float64{0, 0, 20000}}},
		},
		[]string{"Linear", "20k", "time (s)"},
	},
	"heat": {
		Heat{
			Title: "Latency of an IPI", XLabel: "to CPU", YLabel: "from CPU", ZLabel: "latency (µs)",
			Rows: many("cpu", 8), Columns: many("cpu", 8),
			Values: table(8, 8, func(r, c int) float64 { return 0.5 + 1.5*float64(1-(r/4+c/4)%2) + 0.01*float64(c) }),
		},
		[]string{"Latency of an IPI", "to CPU", "from CPU", "latency (µs)", "cpu1", "cpu8", "2.07", "0.5"},
	},
	"heat-large": {
		Heat{
			Title: "Latency of an IPI", XLabel: "to CPU", YLabel: "from CPU", ZLabel: "latency (ns)",
			Rows: many("x86-64 ", 128), Columns: many("aarch64 ", 200),
			Values: table(128, 200, func(r, c int) float64 { return float64(r*c) * 3 }),
		},
		[]string{"x86-64 1", "aarch64 1", "latency (ns)"},
	},
	"heat-of-one": {
		Heat{
			Title: "One", XLabel: "to CPU", YLabel: "from CPU", ZLabel: "latency (ns)",
			Rows: []string{"a"}, Columns: []string{"b"}, Values: [][]float64{{2000}},
		},
		[]string{"2000"},
	},
}

func many(prefix string, n int) (out []string) {
	for i := range n {
		out = append(out, fmt.Sprint(prefix, i+1))
	}
	return out
}

func table(rows, columns int, f func(r, c int) float64) [][]float64 {
	out := make([][]float64, rows)
	for r := range out {
		for c := range columns {
			out[r] = append(out[r], f(r, c))
		}
	}
	return out
}

// STRAMASH_FIGURES is a directory to keep the pictures in, to be looked at.
func TestSamples(t *testing.T) {
	for name, s := range samples {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "made")
			if keep := os.Getenv("STRAMASH_FIGURES"); keep != "" {
				dir = keep
			}
			var before [2][]byte
			for range 2 {
				if err := s.figure.Save(dir, name); err != nil {
					t.Fatal(err)
				}
				pixels, svg := read(t, dir, name+".png"), read(t, dir, name+".svg")
				if before[0] != nil && !bytes.Equal(before[0], pixels) || before[1] != nil && !bytes.Equal(before[1], svg) {
					t.Error("the same figure has other bytes the second time")
				}
				before = [2][]byte{pixels, svg}
			}
			checkPNG(t, before[0])
			texts := textsOf(t, before[1])
			for _, want := range s.shows {
				if !strings.Contains(texts, "\n"+want+"\n") {
					t.Errorf("the SVG does not show %q, but %q", want, texts)
				}
			}
		})
	}
}

func read(t *testing.T, dir, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// checkPNG wants a picture with a white margin all around, and something in it.
func checkPNG(t *testing.T, data []byte) {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	b := img.Bounds()
	if b.Dx() < 400 || b.Dy() < 300 || b.Dx() > 6000 || b.Dy() > 6000 {
		t.Errorf("%d x %d pixels", b.Dx(), b.Dy())
	}
	inner := b.Inset(margin)
	inside := 0
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			r, g, bl, _ := img.At(x, y).RGBA()
			if r&g&bl>>8 == 255 {
				continue
			}
			if !image.Pt(x, y).In(inner) {
				t.Fatalf("something stands at %d, %d of %v: it is cut off", x, y, b)
			}
			inside++
		}
	}
	if inside < 1000 {
		t.Errorf("only %d pixels are not white", inside)
	}
}

// textsOf are the texts of an SVG file, which must be XML, one a line.
func textsOf(t *testing.T, svg []byte) string {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(svg))
	out, in := "\n", false
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return html.UnescapeString(out)
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			in = token.Name.Local == "text"
		case xml.EndElement:
			in = false
		case xml.CharData:
			if in {
				out += string(token) + "\n"
			}
		}
	}
}

func TestRefuses(t *testing.T) {
	bars := func(change func(*Bars)) drawable {
		b := Bars{"t", "x", "y", []string{"g1", "g2"}, []string{"s"}, [][]float64{{1}, {2}}}
		change(&b)
		return b
	}
	lines := func(change func(*Lines)) drawable {
		l := Lines{Title: "t", XLabel: "x", YLabel: "y", Lines: []Line{{"l", []float64{1, 2}, []float64{3, 4}}}}
		change(&l)
		return l
	}
	heat := func(change func(*Heat)) drawable {
		h := Heat{"t", "x", "y", "z", []string{"r"}, []string{"c1", "c2"}, [][]float64{{1, 2}}, false}
		change(&h)
		return h
	}
	for want, f := range map[string]drawable{
		`the value of ["g2" "s"] is NaN`:                bars(func(b *Bars) { b.Values[1][0] = math.NaN() }),
		`the value of ["g1" "s"] is +Inf`:               bars(func(b *Bars) { b.Values[0][0] = math.Inf(1) }),
		`the value of ["g1" "s"] is 1e+31`:              bars(func(b *Bars) { b.Values[0][0] = 1e31 }),
		"1 rows of values for 2 names":                  bars(func(b *Bars) { b.Values = b.Values[:1] }),
		`"g2" has 2 values for 1 names`:                 bars(func(b *Bars) { b.Values[1] = []float64{1, 2} }),
		"0 groups: there must be 1 to 1024":             bars(func(b *Bars) { b.Groups, b.Values = nil, nil }),
		"0 series: there must be 1 to 64":               bars(func(b *Bars) { b.Series = nil }),
		"65 series":                                     bars(func(b *Bars) { b.Series = many("s", 65) }),
		`two of the groups are called "g1"`:             bars(func(b *Bars) { b.Groups[1] = "g1" }),
		`the title "": it is empty`:                     bars(func(b *Bars) { b.Title = "" }),
		`the label of y " ": it is empty`:               bars(func(b *Bars) { b.YLabel = " " }),
		`the label of x "a\nb": it holds what is not`:   bars(func(b *Bars) { b.XLabel = "a\nb" }),
		"it is longer than 200 bytes":                   bars(func(b *Bars) { b.Title = strings.Repeat("t", 201) }),
		`name 1 of the series, "\xff": it holds`:        bars(func(b *Bars) { b.Series[0] = "\xff" }),
		"0 lines: there must be":                        lines(func(l *Lines) { l.Lines = nil }),
		`the line "l" has 0 values for x and 0 for y`:   lines(func(l *Lines) { l.Lines[0].X, l.Lines[0].Y = nil, nil }),
		`the line "l" has 1 values for x and 2 for y`:   lines(func(l *Lines) { l.Lines[0].X = []float64{1} }),
		`["l" "point 2" "y"] is -Inf`:                   lines(func(l *Lines) { l.Lines[0].Y[1] = math.Inf(-1) }),
		`"x"] is 0, which has no place on a logarithmi`: lines(func(l *Lines) { l.LogX, l.Lines[0].X[0] = true, 0 }),
		`"x"] is -1, which has no place on a logarithm`: lines(func(l *Lines) { l.BytesX, l.Lines[0].X[0] = true, -1 }),
		`"y"] is 0, which has no place on a logarithmi`: lines(func(l *Lines) { l.LogY, l.Lines[0].Y[0] = true, 0 }),
		`the value of ["r" "c2"] is NaN`:                heat(func(h *Heat) { h.Values[0][1] = math.NaN() }),
		"0 rows: there must be":                         heat(func(h *Heat) { h.Rows, h.Values = nil, nil }),
		"513 columns: there must be 1 to 512":           heat(func(h *Heat) { h.Columns = many("c", 513) }),
		`the label of the values "": it is empty`:       heat(func(h *Heat) { h.ZLabel = "" }),
	} {
		dir := filepath.Join(t.TempDir(), "none")
		err := f.Save(dir, "f")
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v does not say %q in a line", err, want)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%q: a directory was made", want)
		}
	}
	for _, name := range []string{"", "a/b", "..", ".hidden", "/"} {
		if err := bars(func(*Bars) {}).Save(t.TempDir(), name); err == nil || !strings.Contains(err.Error(), "name of a file") {
			t.Errorf("%q: %v", name, err)
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := bars(func(*Bars) {}).Save(file, "f"); err == nil || !strings.Contains(err.Error(), "figure: ") {
		t.Error(err)
	}
}

// Values at the ends of what is allowed, and ones that hardly differ, have axes too:
// around all of them, with some ticks that have different labels.
func TestAxesOfAnyValues(t *testing.T) {
	some := []float64{0, 1e-30, 1e-12, 0.1, 1, 1 + 1e-15, 999, 7e15, 7e15 + 1, maxValue}
	layouts := map[string]func(*plot.Axis){
		"linear": func(a *plot.Axis) { linear(a, false) }, "from zero": func(a *plot.Axis) { linear(a, true) },
		"logarithmic": logarithmic, "binary": binary,
	}
	for _, x := range some {
		for _, y := range some {
			for name, layout := range layouts {
				for _, sign := range []float64{1, -1} {
					lo, hi := min(sign*x, y), max(sign*x, y)
					if lo > 0 || name == "linear" || name == "from zero" {
						checkAxis(t, name, layout, lo, hi)
					}
				}
			}
		}
	}
}

func checkAxis(t *testing.T, name string, layout func(*plot.Axis), lo, hi float64) {
	a := plot.New().X
	a.Min, a.Max = lo, hi
	layout(&a)
	labels := map[string]bool{}
	ticks := a.Tick.Marker.Ticks(a.Min, a.Max)
	for _, tick := range ticks {
		if tick.Label != "" {
			labels[tick.Label] = true
		}
		if at := a.Norm(tick.Value); !(at > -1e-6 && at < 1+1e-6) {
			t.Errorf("%s from %g to %g: a tick at %g", name, lo, hi, at)
		}
	}
	slack := (a.Max - a.Min) * 1e-8
	if !(a.Min <= lo+slack && a.Max >= hi-slack && a.Min < a.Max) || len(ticks) > 600 || len(labels) > 12 || len(labels) < 2 {
		t.Errorf("%s from %g to %g: it goes from %g to %g, with %d ticks and the labels %v", name, lo, hi, a.Min, a.Max, len(ticks), labels)
	}
}

func TestShort(t *testing.T) {
	for want, v := range map[string]float64{
		"0": 0, "0.25": 0.25, "0.004": 0.004, "1.25": 1.25, "1.2": 1.2, "12.3": 12.345, "123": 123.4, "2000": 2000,
		"12.3k": 12345, "-0.3": -0.3, "-15": -15, "3M": 3e6, "30M": 3e7, "1e+18T": 1e30, "1.2e-05": 0.000012345,
	} {
		if got := short(v); got != want {
			t.Errorf("%v is written %q, not %q", v, got, want)
		}
	}
}

// From zero, values that are nearly the same have nearly the same colour.
func TestHeatFromZero(t *testing.T) {
	values := [][]float64{{2001, 2002}}
	for zero, want := range map[bool]float64{false: 0, true: 2001.0 / 2002} {
		if got := newCells(values, zero).at(2001); got != want {
			t.Errorf("from zero: %t: the lower of 2001 and 2002 stands at %g of the scale, want %g", zero, got, want)
		}
	}
}
