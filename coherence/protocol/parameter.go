package protocol

// Parameter is a number that a system of the protocol is built with.
type Parameter struct {
	Name     string
	Default  int
	Min, Max int
}

// Many is the parameter that says how many controllers there are of the first kind of
// which there is not just one, as caches or hosts; nil if there is one of every kind.
func (p *Protocol) Many() *Parameter {
	for _, k := range p.kinds {
		if k.many != "" {
			return p.findParameter(k.many)
		}
	}
	return nil
}

// Parameter is the number that the system was built with for a parameter of the
// protocol.
func (s *System) Parameter(name string) int { return s.parameters[name] }
