package bench

import (
	"time"

	"github.com/fedlam/fedlam/training/dpa2"
)

// place is where the options say that programs run.
func (o *Options) place() dpa2.Place { return dpa2.Place{Threads: o.Threads, Device: o.Device} }

// ceilings measures what the processor or the GPU can do at best, before and after the runs; the best counts.
type ceilings struct {
	o      *Options
	report *Report
	peak   *Peak
	device *deviceBench // nil for the processor
}

func newCeilings(o *Options, r *Report) (*ceilings, error) {
	c := &ceilings{o: o, report: r, peak: &r.Peak}
	if o.Device == nil {
		return c, nil
	}
	r.Device = o.Device.Info().String()
	var err error
	c.device, err = newDeviceBench(o.Device)
	return c, err
}

// before measures the rate of products.
func (c *ceilings) before() error {
	if c.device != nil {
		return c.onDevice()
	}
	c.peak.GFLOPS = measurePeak(c.o.Precision, c.o.Threads)
	return nil
}

// after measures it again, and the rate of memory.
func (c *ceilings) after() error {
	if c.device != nil {
		c.report.Tiles = tiles(c.o.Device)
		return c.onDevice()
	}
	c.peak.GFLOPS = max(c.peak.GFLOPS, measurePeak(c.o.Precision, c.o.Threads))
	c.peak.GBPS = measureBandwidth(c.o.Threads)
	return nil
}

func (c *ceilings) onDevice() error {
	p, err := c.device.peak(c.o.Precision)
	c.peak.GFLOPS, c.peak.GBPS = max(c.peak.GFLOPS, p.GFLOPS), max(c.peak.GBPS, p.GBPS)
	return err
}

// deviceClock collects how long a GPU was at work on each run.
type deviceClock struct {
	meterOf func() dpa2.Meter
	started dpa2.Meter // that the clock was started of: an evaluator has a program for small and one for large frames
	seconds []float64
}

// read notes the time of the run that was just done.
func (c *deviceClock) read() error {
	m := c.meterOf()
	meter, ok := m.(dpa2.DeviceMeter)
	if !ok {
		return nil
	}
	if c.started != m {
		c.started, c.seconds = m, nil
		return meter.StartClock()
	}
	d, err := meter.Elapsed()
	c.seconds = append(c.seconds, max(d, time.Nanosecond).Seconds())
	return err
}

// times returns the statistics of the last so many runs; nil on a processor.
func (c *deviceClock) times(runs int) *Times {
	if len(c.seconds) < runs {
		return nil
	}
	t := statistics(c.seconds[len(c.seconds)-runs:])
	return &t
}
