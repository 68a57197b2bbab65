// Package optim turns gradients into parameter updates: learning-rate schedules, clipping by the global norm, Adam and
// AdamW. Definitions, defaults and corner cases are those of DeePMD-kit's PyTorch backend, so that a training input
// means the same here; one upstream defect is not copied: after a restart the rate at step n is Schedule.At(n),
// not a rate offset twice.
//
// A step is
//
//	lr := schedule.At(step)
//	norm, err := optim.Clip(params, maxNorm)
//	err = adam.Step(lr, params)
//
// Parameters whose gradient is nil are left alone: neither their value nor their moments nor their step counters
// advance. That is what keeps a head that was not drawn in a multi-head step where it was.
//
// DeviceAdam does the same, clipping included, to parameters that are in the memory of a GPU.
//
// Everything on the host is float64 and sequential in the order of the parameters, so results do not depend on threads.
package optim
