package main

import (
	"fmt"
	"strings"
	"time"
)

// progress redraws one line on the standard error, if that is a terminal.
type progress struct {
	a     *app
	began time.Time
	drawn time.Time
	width int
}

// redraw is how often the line changes at most.
const redraw = 100 * time.Millisecond

// newProgress makes a line that has not been drawn yet.
func (a *app) newProgress() *progress { return &progress{a: a, began: time.Now()} }

// runs tells how many runs of a target are done.
func (p *progress) runs(what string, done, all uint64) {
	if !p.due() {
		return
	}
	took := time.Since(p.began)
	rate := float64(done) / max(took.Seconds(), 1e-3)
	p.draw(fmt.Sprintf("%s: %s of %s runs, %s a second, %v", what, grouped(done), grouped(all),
		grouped(uint64(rate)), took.Round(time.Second)))
}

// due says whether the line may change now.
func (p *progress) due() bool { return p.a.terminal && time.Since(p.drawn) >= redraw }

// draw replaces the line.
func (p *progress) draw(line string) {
	if !p.due() {
		return
	}
	p.drawn = time.Now()
	fmt.Fprintf(p.a.stderr, "\r%-*s", p.width, line)
	p.width = len(line)
}

// clear removes the line.
func (p *progress) clear() {
	if p.width > 0 {
		fmt.Fprintf(p.a.stderr, "\r%s\r", strings.Repeat(" ", p.width))
		p.width, p.drawn = 0, time.Time{}
	}
}

// grouped writes a number with a comma between groups of three digits.
func grouped(n uint64) string {
	s := fmt.Sprint(n)
	for at := len(s) - 3; at > 0; at -= 3 {
		s = s[:at] + "," + s[at:]
	}
	return s
}
