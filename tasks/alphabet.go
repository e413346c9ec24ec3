package tasks

// Alphabet holds every character that the source's prompts and demonstrations can have, for a character tokenizer: the domain's own, and
// printable ASCII with the newline for everything else, and the tab where programs in Go are written.
func (s Source) Alphabet() string {
	if s.Procedural == "chain" {
		return Alphabet()
	}
	text := []byte{'\n'}
	if s.Procedural == "write_go" {
		text = append(text, '\t')
	}
	for c := byte(' '); c <= '~'; c++ {
		text = append(text, c)
	}
	return string(text)
}
