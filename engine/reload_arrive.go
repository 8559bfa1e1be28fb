package engine

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/fxamacker/cbor/v2"
	"github.com/monarch-tui/monarch-tui/engine/control"
	"github.com/monarch-tui/monarch-tui/engine/schema"
	"github.com/monarch-tui/monarch-tui/quicnet"
)

// What a process of the new build does: it says which types it has, and begins the actors with the state that the old one gave.

// Names of the engine's messages to a process of a new build.
const (
	sysTypes  = "types"  // request: the actor types that it has
	sysArrive = "arrive" // request: begin an actor with the state that it had in another build
)

type (
	// arriveBody has an actor go on in this process.
	arriveBody struct {
		Spawn spawnBody
		State takenState
	}
	// arrivedBody says what did not fit, by field.
	arrivedBody struct{ Notes []string }
	// typesBody are the types of a build.
	typesBody struct {
		Types []control.Type
		Named schema.Types
	}
)

// arriveHandlers are those of a process that another one moves into.
func arriveHandlers(t *sysTable) {
	handle(t, sysTypes, fromController, func(_ context.Context, _ *node, _ quicnet.Addr, docs bool) (any, error) {
		types, named := describeWith(docs)
		return typesBody{types, named}, nil
	})
	handle(t, sysArrive, fromController, func(ctx context.Context, n *node, _ quicnet.Addr, b arriveBody) (any, error) {
		return n.arriveHere(ctx, b)
	})
}

// maxReloadNotes bounds what is said of one actor.
const maxReloadNotes = 64

// arriveHere begins an actor with the state that it had in another build.
func (n *node) arriveHere(ctx context.Context, b arriveBody) (out arrivedBody, err error) {
	label := rankLabel(b.Spawn.Ref.Name, b.Spawn.Rank)
	note := func(format string, args ...any) {
		if len(out.Notes) < maxReloadNotes {
			out.Notes = append(out.Notes, clip(label+" "+fmt.Sprintf(format, args...), maxCauseText))
		}
	}
	err = n.beginHere(ctx, b.Spawn, func(at *actorType, self any) error {
		data := b.Spawn.Proto
		if b.State.How == stateFields {
			data = b.State.Data
		}
		if len(data) > 0 {
			err := runHook("decoding the fields of "+at.full, func() error {
				notes, err := decodeFields(data, self)
				for _, text := range notes {
					note("%s", text)
				}
				return err
			})
			if err != nil {
				return err
			}
		}
		switch b.State.How {
		case stateNone:
			note("began anew from its prototype: %s had no Snapshot, and fields that are not exported", at.short)
		case stateHook:
			s, ok := self.(Snapshotter)
			if !ok {
				return fmt.Errorf("%s gave a Snapshot, but %s has no Restore in this build: its state would be lost", label, at.short)
			}
			return runHook("Restore", func() error { return s.Restore(b.State.Data) })
		}
		return nil
	})
	if err != nil {
		return out, fmt.Errorf("%s: %w", label, err)
	}
	return out, nil
}

// decodeFields decodes fields by name into a zero value of a type that may have other ones. What does not fit keeps its zero
// value, and is told.
func decodeFields(b []byte, self any) (notes []string, err error) {
	var fields map[string]cbor.RawMessage
	if err := quicnet.Dec().Unmarshal(b, &fields); err != nil { // it has an encoding of its own
		return nil, bodies.Decode(b, self)
	}
	t := reflect.TypeOf(self).Elem()
	knows := fieldNames(t)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if !knows[name] {
			notes = append(notes, fmt.Sprintf("%s is no field any more: its value is gone", clip(name, 100)))
			delete(fields, name)
			continue
		}
		one, err := quicnet.Enc().Marshal(map[string]cbor.RawMessage{name: fields[name]})
		if err == nil {
			err = bodies.Decode(one, reflect.New(t).Interface())
		}
		if err != nil {
			notes = append(notes, fmt.Sprintf("%s does not fit: %v; it has its zero value", name, err))
			delete(fields, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(knows)) {
		if _, has := fields[name]; !has && !slices.ContainsFunc(notes, func(n string) bool { return len(n) > len(name) && n[:len(name)+1] == name+" " }) {
			notes = append(notes, name+" is new: it has its zero value")
		}
	}
	rest, err := quicnet.Enc().Marshal(fields)
	if err != nil {
		return notes, err
	}
	return notes, bodies.Decode(rest, self)
}

// fieldNames are the names by which fields travel.
func fieldNames(t reflect.Type) map[string]bool {
	registry.mu.RLock()
	defer registry.mu.RUnlock()
	names := map[string]bool{}
	if at := registry.byType[t]; at != nil {
		for _, f := range at.fields {
			names[f.Name] = true
		}
	}
	return names
}

// lacksType is the error of a process that has not registered the type of an actor which is to begin there.
func (n *node) lacksType(b spawnBody) error {
	if b.Loose {
		return fmt.Errorf("the new build has no actor type %s", b.Ref.Type)
	}
	return fmt.Errorf("actor type %s is not registered in the worker: call engine.Register before engine.Main, on every path", b.Ref.Type)
}
