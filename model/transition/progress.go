package transition

// checkProgress is below.
func (x *explorer) checkProgress(r *Result) error { return nil }
