package quicnet

import (
	"bytes"
	"testing"
)

func TestAnEnvelopeThatWasGivenBackHoldsNobodysThings(t *testing.T) {
	e := NewEnvelope()
	large := make([]byte, 1<<20)
	e.Kind, e.Body, e.Memo, e.Route, e.Chain, e.Endpoint = KindCall, large, t, &Route{}, make([]ChainEntry, 3), "Echo"
	e.Free()
	if len(e.Body) > keptBytes || e.Memo != nil || e.Route != nil || e.Chain != nil || e.Owned() {
		t.Errorf("it holds a body of %d bytes, %v, %v, %v; owned %v", len(e.Body), e.Memo, e.Route, e.Chain, e.Owned())
	}
	if Poison && (e.Kind != poisoned || e.Endpoint == "" || e.Endpoint == "Echo") {
		t.Errorf("nobody would see that it was given back: %v %q", e.Kind, e.Endpoint)
	}
}

func TestAnEnvelopeThatIsKeptStaysAsItIs(t *testing.T) {
	e := NewEnvelope()
	e.memory = append(e.memory, "body"...)
	e.Kind, e.Body = KindCall, e.memory
	e.Keep()
	e.Free()
	e.Free()
	if e.Kind != KindCall || string(e.Body) != "body" || e.Owned() {
		t.Errorf("%v %q, owned %v", e.Kind, e.Body, e.Owned())
	}
}

func TestAnEnvelopeIsGivenBackOnce(t *testing.T) {
	if !Poison {
		t.Skip("only builds under the race detector look")
	}
	e := NewEnvelope()
	e.Free()
	defer func() {
		if recover() == nil {
			t.Error("it was given back twice, and nobody said so")
		}
	}()
	e.Free()
}

func TestACloneHasABodyOfItsOwn(t *testing.T) {
	e := NewEnvelope()
	e.memory = append(e.memory, "body"...)
	e.Kind, e.Body, e.Region, e.Memo, e.At, e.Back = KindCall, e.memory, []byte("view"), t, 7, &peer{}
	c := e.Clone()
	e.Body[0] = 'X'
	if !c.Owned() || string(c.Body) != "body" || !bytes.Equal(c.Region, e.Region) || c.Memo != nil || c.At != 7 || c.Back != nil {
		t.Errorf("%+v", c)
	}
	none := (&Envelope{Kind: KindCall, Body: []byte{}}).Clone()
	if none.Body != nil {
		t.Errorf("the clone of an empty body is %v", none.Body)
	}
}

// TestAChainOutlivesItsMessage: what a handler sends while others wait for it names them, also when its message is over.
func TestAChainOutlivesItsMessage(t *testing.T) {
	b := AppendEnvelope(nil, &Envelope{Kind: KindCall, Chain: []ChainEntry{{Proc: 1, Actor: 2, Name: "@a[0]", Msg: 3}, {Name: ""}, {Proc: 4, Actor: 5, Name: "@second[1]"}}})
	var e Envelope
	if err := DecodeEnvelope(b, &e); err != nil {
		t.Fatal(err)
	}
	for i := range b {
		b[i] = poisoned
	}
	if c := e.Chain; len(c) != 3 || c[0] != (ChainEntry{Proc: 1, Actor: 2, Name: "@a[0]", Msg: 3}) || c[1].Name != "" || c[2].Name != "@second[1]" {
		t.Errorf("the chain is %+v", c)
	}
}
