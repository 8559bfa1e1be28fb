//go:build !(nvml && cgo && linux)

package gpu

// nvmlBuilt says whether NVML is linked: with the tag nvml, on Linux, with cgo.
const nvmlBuilt = false

// openNVML is never called here.
func openNVML() (Source, error) { return nil, &NoneError{"built without the tag nvml"} }
