// Package train runs the compiled training step: forward, backward, global-norm clipping and AdamW as one XLA program whose state
// (parameters and moments) stays on the device and is updated in place. It may import device, lm and objective.
//
// An update is a pure function of (state, batch, settings): the same three give the same bits on the same kind of device.
package train
