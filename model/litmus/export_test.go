package litmus

// Lineless is the test without the numbers of the lines.
func Lineless(t *Test) *Test {
	out := *t
	out.Threads = nil
	for _, c := range t.Threads {
		c.Cells = append([]Cell(nil), c.Cells...)
		for i := range c.Cells {
			c.Cells[i].Line = 0
		}
		c.code = append([]Op(nil), c.code...)
		for i := range c.code {
			c.code[i].Line = 0
		}
		out.Threads = append(out.Threads, c)
	}
	return &out
}
