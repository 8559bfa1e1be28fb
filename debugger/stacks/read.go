package stacks

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
)

// The bounds of one profile. Ten thousand goroutines that all differ make about 5 MiB.
const (
	maxPacked  = 16 << 20 // bytes as they come
	maxBytes   = 32 << 20 // bytes unpacked
	maxEntries = 200_000  // strings, functions, locations and stacks, of each
	maxFrames  = 1 << 19  // in all stacks
	maxDeep    = 1024     // frames of one stack
	maxInlined = 64       // frames of one location
	maxLabels  = 64       // of one stack
)

// The labels by which the engine tells whose a goroutine is. A mesh goes by "actor" where there is no "mesh".
const (
	labelMesh     = "mesh"
	labelActor    = "actor"
	labelRank     = "rank"
	labelEndpoint = "endpoint"
)

// Frame is one call of a stack.
type Frame struct {
	Func string // with its package path
	File string // base of the source file
	Line int
}

// Stack is goroutines of one process that are at the same place for the same actor.
type Stack struct {
	Count    int
	Mesh     string // "" where the labels do not say
	Rank     int    // of Mesh; -1 without one
	Endpoint string
	Frames   []Frame // the outermost first
}

// Read reads a goroutine profile, as runtime/pprof writes it with debug 0.
func Read(profile []byte) ([]Stack, error) {
	raw, err := unpack(profile)
	if err != nil {
		return nil, fmt.Errorf("the profile cannot be read: %w", err)
	}
	r := reader{funcs: map[uint64]function{}, places: map[uint64][]Frame{}, left: maxFrames}
	for _, pass := range []func(field) error{r.stringsAndFunctions, r.locations, r.samples} {
		if err := fields(raw, pass); err != nil {
			return nil, fmt.Errorf("the profile cannot be read: %w", err)
		}
	}
	if !r.goroutines {
		return nil, errors.New("the profile is not one of goroutines: it has no sample type goroutine")
	}
	return r.stacks, nil
}

func unpack(profile []byte) ([]byte, error) {
	if len(profile) > maxPacked {
		return nil, fmt.Errorf("it has %d bytes and %d are read", len(profile), maxPacked)
	}
	if len(profile) < 2 || profile[0] != 0x1f || profile[1] != 0x8b {
		return profile, nil
	}
	z, err := gzip.NewReader(bytes.NewReader(profile))
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(io.LimitReader(z, maxBytes+1))
	if err != nil {
		return nil, err
	}
	if len(raw) > maxBytes {
		return nil, fmt.Errorf("unpacked it has more than %d bytes", maxBytes)
	}
	return raw, nil
}

// reader reads a profile in passes, because what refers to another entry may come before it.
type reader struct {
	strings    []string
	funcs      map[uint64]function
	places     map[uint64][]Frame // of a location: what is inlined there, the outermost first
	stacks     []Stack
	left       int // frames that may still be kept
	goroutines bool
}

type function struct{ name, file uint64 }

// The fields of a Profile, a Sample, a Label, a Location, a Line, a Function and a ValueType.
const (
	profileType, profileSample, profileLocation, profileFunction, profileString = 1, 2, 4, 5, 6

	sampleLocation, sampleValue, sampleLabel = 1, 2, 3
	labelKey, labelStr                       = 1, 2
	locationID, locationLine                 = 1, 4
	lineFunction, lineLine                   = 1, 2
	functionID, functionName, functionFile   = 1, 2, 4
	typeName                                 = 1
)

func tooMany(what string) error { return fmt.Errorf("it has more than %d %s", maxEntries, what) }

func (r *reader) stringsAndFunctions(f field) error {
	switch {
	case f.wire != packed:
	case f.num == profileString:
		if len(r.strings) == maxEntries {
			return tooMany("strings")
		}
		r.strings = append(r.strings, string(f.data))
	case f.num == profileFunction:
		if len(r.funcs) == maxEntries {
			return tooMany("functions")
		}
		var id uint64
		var fn function
		err := fields(f.data, func(f field) error {
			switch f.num {
			case functionID:
				id = f.v
			case functionName:
				fn.name = f.v
			case functionFile:
				fn.file = f.v
			}
			return nil
		})
		r.funcs[id] = fn
		return err
	}
	return nil
}

func (r *reader) locations(f field) error {
	if f.wire != packed {
		return nil
	}
	switch f.num {
	case profileType:
		return fields(f.data, func(f field) error {
			if f.num == typeName {
				name, err := r.text(f.v)
				r.goroutines = r.goroutines || name == "goroutine"
				return err
			}
			return nil
		})
	case profileLocation:
		return r.location(f.data)
	}
	return nil
}

func (r *reader) location(b []byte) error {
	if len(r.places) == maxEntries {
		return tooMany("locations")
	}
	var id uint64
	var frames []Frame // the innermost first, as they come
	err := fields(b, func(f field) error {
		switch f.num {
		case locationID:
			id = f.v
		case locationLine:
			if len(frames) == maxInlined {
				return fmt.Errorf("a location has more than %d lines", maxInlined)
			}
			if r.left--; r.left < 0 {
				return fmt.Errorf("it has more than %d frames", maxFrames)
			}
			frame, err := r.frame(f.data)
			frames = append(frames, frame)
			return err
		}
		return nil
	})
	slices.Reverse(frames)
	r.places[id] = frames
	return err
}

func (r *reader) frame(b []byte) (Frame, error) {
	var fn, line uint64
	if err := fields(b, func(f field) error {
		switch f.num {
		case lineFunction:
			fn = f.v
		case lineLine:
			line = f.v
		}
		return nil
	}); err != nil {
		return Frame{}, err
	}
	name, err := r.text(r.funcs[fn].name)
	if err != nil {
		return Frame{}, err
	}
	file, err := r.text(r.funcs[fn].file)
	if err != nil {
		return Frame{}, err
	}
	if line > math.MaxInt32 {
		line = 0
	}
	return Frame{Func: name, File: base(file), Line: int(line)}, nil
}

// base is the last part of a path of any system.
func base(file string) string {
	if file == "" {
		return ""
	}
	return path.Base(strings.ReplaceAll(file, `\`, "/"))
}

func (r *reader) samples(f field) error {
	if f.wire != packed || f.num != profileSample {
		return nil
	}
	if len(r.stacks) == maxEntries {
		return tooMany("stacks")
	}
	s := Stack{Rank: -1}
	labels := map[string]string{}
	values := 0
	err := fields(f.data, func(f field) error {
		switch f.num {
		case sampleLocation:
			return f.numbers(func(id uint64) error { return r.add(&s, id) })
		case sampleValue:
			return f.numbers(func(v uint64) error {
				if values++; values == 1 { // a goroutine profile has one value
					s.Count = int(min(v, math.MaxInt32))
				}
				return nil
			})
		case sampleLabel:
			return r.label(labels, f.data)
		}
		return nil
	})
	if err != nil {
		return err
	}
	slices.Reverse(s.Frames)
	s.labelled(labels)
	if s.Count > 0 && len(s.Frames) > 0 {
		r.stacks = append(r.stacks, s)
	}
	return nil
}

// add appends the frames of a location, the innermost first.
func (r *reader) add(s *Stack, location uint64) error {
	frames, known := r.places[location]
	switch {
	case !known:
		return fmt.Errorf("a stack refers to location %d, which it does not have", location)
	case len(s.Frames)+len(frames) > maxDeep:
		return fmt.Errorf("a stack has more than %d frames", maxDeep)
	}
	if r.left -= max(len(frames), 1); r.left < 0 {
		return fmt.Errorf("it has more than %d frames", maxFrames)
	}
	for i := range frames {
		s.Frames = append(s.Frames, frames[len(frames)-1-i])
	}
	return nil
}

func (r *reader) label(into map[string]string, b []byte) error {
	if len(into) == maxLabels {
		return fmt.Errorf("a stack has more than %d labels", maxLabels)
	}
	var key, str uint64
	if err := fields(b, func(f field) error {
		switch f.num {
		case labelKey:
			key = f.v
		case labelStr:
			str = f.v
		}
		return nil
	}); err != nil {
		return err
	}
	k, err := r.text(key)
	if err != nil {
		return err
	}
	v, err := r.text(str)
	into[k] = v
	return err
}

// labelled takes whose the stack is from its labels. A rank that is no number is none.
func (s *Stack) labelled(labels map[string]string) {
	mesh := labels[labelMesh]
	if mesh == "" {
		mesh = labels[labelActor]
	}
	rank, err := strconv.Atoi(labels[labelRank])
	if mesh == "" || err != nil || rank < 0 {
		return
	}
	s.Mesh, s.Rank, s.Endpoint = mesh, rank, labels[labelEndpoint]
}

func (r *reader) text(i uint64) (string, error) {
	if i >= uint64(len(r.strings)) {
		if i == 0 {
			return "", nil
		}
		return "", fmt.Errorf("it refers to string %d and has %d", i, len(r.strings))
	}
	return r.strings[i], nil
}
