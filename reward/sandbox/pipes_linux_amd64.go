package sandbox

import (
	"os"
	"strconv"
	"sync"
	"syscall"
)

// pipes are the descriptors between this process and bwrap beside the standard three. The first error stays.
type pipes struct {
	theirs []*os.File // in the order of their numbers in the child, from 3 on
	ours   []*os.File
	inputs []input
	err    error
	after  []*os.File // the child's ends of the outputs
	wait   sync.WaitGroup
}

type input struct {
	to   *os.File
	data []byte
}

// channel is an output of the child.
type channel struct{ ours, theirs *os.File }

func (p *pipes) pipe() (r, w *os.File) {
	r, w, err := os.Pipe()
	if err != nil && p.err == nil {
		p.err = err
	}
	return r, w
}

// last is the number in the child of the descriptor added last.
func (p *pipes) last() int { return 2 + len(p.theirs) }

func (p *pipes) fromChild() *os.File {
	r, w := p.pipe()
	p.theirs, p.ours = append(p.theirs, w), append(p.ours, r)
	return r
}

// toChild is read by the child to its end, which is data's.
func (p *pipes) toChild(data []byte) {
	r, w := p.pipe()
	p.theirs = append(p.theirs, r)
	p.inputs = append(p.inputs, input{w, data})
}

// held is an input that is written later.
func (p *pipes) held() *os.File {
	r, w := p.pipe()
	p.theirs, p.ours = append(p.theirs, r), append(p.ours, w)
	return w
}

// output is for the child's standard output or error.
func (p *pipes) output() channel {
	r, w := p.pipe()
	p.after, p.ours = append(p.after, w), append(p.ours, r)
	return channel{r, w}
}

// started closes the child's ends here and writes the inputs, each at the pace of its reader.
func (p *pipes) started() {
	closeAll(p.theirs)
	closeAll(p.after)
	p.theirs, p.after = nil, nil
	for _, in := range p.inputs {
		p.wait.Go(func() {
			_, _ = in.to.Write(in.data) // a reader that is gone has its reason in bwrap's exit status
			in.to.Close()
		})
	}
	p.inputs = nil
}

func (p *pipes) close() {
	closeAll(p.theirs)
	closeAll(p.after)
	for _, in := range p.inputs {
		in.to.Close()
	}
	closeAll(p.ours)
	p.wait.Wait()
}

func closeAll(files []*os.File) {
	for _, f := range files {
		f.Close() // nil after an error: Close says so and does nothing
	}
}

// keep closes the descriptors of this process to its children, but for the standard three. Go's are closed to them anyway; those that came
// from a parent or that a C library opened, as for a device, may not be.
func keep() error {
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	for _, e := range open {
		if fd, err := strconv.Atoi(e.Name()); err == nil && fd > 2 {
			syscall.CloseOnExec(fd) // the descriptor of the list itself is gone by now, which does no harm
		}
	}
	return nil
}
