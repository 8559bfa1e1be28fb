package gpu

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// VisibleEnv hides devices from CUDA, and says in which order it sees the others. NVIDIA_VISIBLE_DEVICES is another one: by it
// a container's runtime has chosen what is there at all.
const VisibleEnv = "CUDA_VISIBLE_DEVICES"

// Visible are the devices that CUDA_VISIBLE_DEVICES lets this process see, in its order, as CUDA reads it (CUDA Programming
// Guide, "CUDA Environment Variables"): indices, UUIDs, or the beginning of a UUID where it fits one device only. An entry that
// names no device ends the list: what follows is hidden too. An empty list hides all. The guide does not say what a repeated
// device does: by PyTorch's reading of the variable (torch/cuda/__init__.py, _parse_visible_devices), as by the driver, nothing
// is visible then; and a number is read as by strtoul, so that "1st" is 1. note says what was hidden, and why; "" if nothing.
//
// CUDA shows a process the first instance of a GPU in MIG mode. Here the variable says what may be given to many processes,
// each of which gets one, so an entry that names such a GPU names all its instances.
//
// Indices are PCI order, as nvidia-smi, NVML and schedulers count. CUDA counts so only under CUDA_DEVICE_ORDER=PCI_BUS_ID, and
// else from the fastest on, which cannot be known without CUDA: the two differ only where the GPUs do. mayDiffer in Found says
// so. A rank is not concerned: it gets a UUID.
func Visible(all []Device, value string, set bool) (visible []Device, note string) {
	if !set {
		for _, d := range all {
			visible = append(visible, d.usable()...)
		}
		return visible, ""
	}
	if strings.TrimSpace(value) == "" {
		return nil, VisibleEnv + " is empty, which hides all devices"
	}
	if len(value) > maxVisible {
		return nil, fmt.Sprintf("%s has %d bytes; more than %d are not read, and all devices are hidden", VisibleEnv, len(value), maxVisible)
	}
	for entry := range strings.SplitSeq(value, ",") {
		found, why := named(all, strings.TrimSpace(entry))
		if why != "" {
			return visible, fmt.Sprintf("%s: %s, so it and what follows it is hidden, as CUDA does", VisibleEnv, why)
		}
		for _, d := range found {
			if slices.ContainsFunc(visible, func(v Device) bool { return v.UUID == d.UUID }) {
				return nil, fmt.Sprintf("%s names %s twice, which hides all devices, as CUDA does", VisibleEnv, Short(d.UUID))
			}
		}
		visible = append(visible, found...)
	}
	return visible, ""
}

// maxVisible bounds what is read of the variable: 256 UUIDs.
const maxVisible = 16 << 10

// named finds what an entry names, or says why it names nothing.
func named(all []Device, entry string) (found []Device, why string) {
	shown := clean.Quote(entry, 60)
	if !strings.HasPrefix(entry, "GPU-") && !strings.HasPrefix(entry, "MIG-") {
		n, ok := leadingNumber(entry)
		switch {
		case !ok:
			return nil, shown + " is no index and no UUID"
		case n < 0 || n >= len(all):
			return nil, fmt.Sprintf("there is no GPU %s (%s)", shown, indices(len(all)))
		}
		return all[n].usable(), ""
	}
	for _, d := range all {
		candidates := []Device{d}
		if strings.HasPrefix(entry, "MIG-") {
			candidates = d.Instances
		}
		for _, c := range candidates {
			switch {
			case !strings.HasPrefix(c.UUID, entry):
			case c.UUID == entry:
				return c.usable(), ""
			case why == "" && found != nil:
				why = shown + " is the beginning of more than one UUID"
			default:
				found = append([]Device{}, c.usable()...)
			}
		}
	}
	if found == nil && why == "" {
		why = "no device has the UUID " + shown
	}
	return found, why
}

func indices(n int) string {
	switch n {
	case 0:
		return "there are none"
	case 1:
		return "0 is the only one"
	}
	return fmt.Sprintf("they are 0 to %d", n-1)
}

// leadingNumber reads the number that s begins with. One that is too long is beyond every device.
func leadingNumber(s string) (n int, ok bool) {
	digits, negative := strings.CutPrefix(s, "-")
	if !negative {
		digits = strings.TrimPrefix(s, "+")
	}
	end := 0
	for end < len(digits) && digits[end] >= '0' && digits[end] <= '9' {
		end++
	}
	if end == 0 {
		return 0, false
	}
	n, err := strconv.Atoi(digits[:min(end, 9)])
	if err != nil || !utf8.ValidString(s) {
		return 0, false
	}
	if negative {
		n = -1
	}
	return n, true
}
