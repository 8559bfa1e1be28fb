package chaos

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/monarch-tui/monarch-tui/engine/control"
)

// Check says what is wrong with a fault by itself, whatever it is on.
func Check(f *control.Fault) error {
	if !slices.Contains(control.Faults(), f.Kind) {
		return fmt.Errorf("fault %.40q: want %s", f.Kind, strings.Join(control.Faults(), ", "))
	}
	if (f.Procs == "") == (f.Mesh == "") {
		return fmt.Errorf("%s: want a proc mesh or an actor mesh that it is on", f.Kind)
	}
	if err := checkMeasure(f); err != nil {
		return fmt.Errorf("%s: %w", f.Kind, err)
	}
	if f.For < 0 || f.For > control.MaxFaultTime {
		return fmt.Errorf("%s for %v: want more than 0s, up to %v", f.Kind, f.For, control.MaxFaultTime)
	}
	if !slices.Contains([]string{control.WayBoth, control.WayIn, control.WayOut}, f.Way) {
		return fmt.Errorf("%s: packets go in or out, not %.40q", f.Kind, f.Way)
	}
	return checkPlace(f)
}

// checkMeasure judges how much of it is wanted.
func checkMeasure(f *control.Fault) error {
	delay, percent, rate := f.Delay != 0 || f.Jitter != 0, f.Percent != 0, f.Rate != 0
	switch f.Kind {
	case control.FaultDelay:
		switch {
		case f.Delay <= 0 || f.Delay > control.MaxFaultDelay:
			return fmt.Errorf("%v: want more than 0s, up to %v", f.Delay, control.MaxFaultDelay)
		case f.Jitter < 0 || f.Jitter > f.Delay:
			return fmt.Errorf("±%v: want up to the delay, which is %v", f.Jitter, f.Delay)
		}
		delay = false
	case control.FaultDrop:
		if math.IsNaN(f.Percent) || f.Percent <= 0 || f.Percent > 100 {
			return fmt.Errorf("%v%%: want more than 0%%, up to 100%%", f.Percent)
		}
		percent = false
	case control.FaultRate:
		if f.Rate < 1 || f.Rate > control.MaxRate {
			return fmt.Errorf("%d bytes a second: want 1 to %s", f.Rate, control.FormatRate(control.MaxRate))
		}
		rate = false
	}
	if delay || percent || rate {
		return errors.New("it has a measure that is of another fault")
	}
	return nil
}

// checkPlace judges what goes with where it is.
func checkPlace(f *control.Fault) error {
	other := f.To != "" || f.Controller
	switch {
	case f.To != "" && f.Controller:
		return fmt.Errorf("%s: the other end is a proc mesh or the controller, not both", f.Kind)
	case f.OnMessages() && f.Kind != control.FaultDelay && f.Kind != control.FaultDrop:
		return fmt.Errorf("%s is for processes and their links, not for the messages of an actor mesh: want delay or drop, or the name of a proc mesh", f.Kind)
	case f.OnMessages() && (other || f.Way != control.WayBoth):
		return fmt.Errorf("%s @%s: messages have one end, the mailbox: no other end and no way can be chosen", f.Kind, f.Mesh)
	case !f.OnMessages() && f.Endpoint != "":
		return fmt.Errorf("%s %s: processes have no endpoints", f.Kind, f.Procs)
	case f.Kind == control.FaultPause && (other || f.Way != control.WayBoth):
		return errors.New("pause stops processes, not their links: no other end and no way can be chosen")
	}
	return nil
}
