package quicnet

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
	"unsafe"
)

// Version is the version of the envelope and of the link frames.
const Version = 6

// Envelope is one message between two actors. envelope.cddl describes its encoding.
//
// The fields stand here in the order of the encoding. A new one also needs a line in appendFields, in decodeEnvelope and in
// envelope.cddl, the next number in envelopeFields, and a thought in route.go; the tests make theirs from this type, and fail
// where one of these is missing.
type Envelope struct {
	Kind     Kind
	Epoch    uint32 // of the sending process; filled by the link
	Seq, Ack uint64 // position in the lane, and the last position received in it; filled by the link
	ID       uint64 // message id, unique per sending process
	Call     uint64 // one per cast: what folds its messages
	Parent   uint64 // message whose handler sent this one, or that this one answers; unique in the session
	Trace    uint64
	Life     uint32        // of To: how often the actor that is meant has been started anew; opaque here
	Adverb   uint8         // opaque here
	Flags    uint8         // opaque here
	Token    uint8         // debugger token bits; opaque here
	Clock    uint64        // hybrid logical clock
	From, To Addr          // From.Proc must be the sender's: the receiver closes the link otherwise
	Region   []byte        // the view that was called; opaque here
	Index    uint64        // position in that view
	Endpoint string        // name of the method
	Hash     uint64        // schema hash of the endpoint
	Budget   time.Duration // what remains of the caller's time; 0 = no limit
	Step     uint64        // debugger: the step that the bits of Token belong to; opaque here
	Load     uint64        // of an answer: messages that wait in the mailbox of who answers; of an acknowledgement of messages: bytes they had
	Arrived  uint64        // of an answer: Clock of who answers when its message came into the mailbox; 0 elsewhere
	Began    uint64        // of an answer: Clock of who answers when the handler began; 0 if none did, and elsewhere
	Chain    []ChainEntry  // activations that wait for this message, outermost first
	Body     []byte        // CBOR of the argument or result; opaque here

	Local // what does not travel
}

// envelopeFields is the length of the CBOR array that an envelope is: the version and the fields of Envelope, of which an
// Addr is two.
const envelopeFields = 29

// chainEntryFields is the length of the CBOR array that an entry of the chain is.
const chainEntryFields = 4

// maxChain bounds a chain: each entry is an activation that blocks its actor, so a longer one is an attack.
const maxChain = 1024

// AppendEnvelope appends the encoding of e, a CBOR array in deterministic form, and allocates
// nothing but the growth of dst. Strings must be UTF-8 for the result to be decodable.
func AppendEnvelope(dst []byte, e *Envelope) []byte {
	dst = appendPrefix(dst, e.Kind, e.Epoch, e.Seq, e.Ack)
	dst = appendFields(dst, e)
	return append(appendHead(dst, majorBytes, uint64(len(e.Body))), e.Body...)
}

// appendPrefix appends the part of an envelope that the link fills: it is encoded when the frame is
// written, the rest when it is sent, outside the lane's lock.
func appendPrefix(dst []byte, k Kind, epoch uint32, seq, ack uint64) []byte {
	dst = append(dst, majorArray<<5|24, envelopeFields, Version)
	dst = appendUint(dst, uint64(k))
	dst = appendUint(dst, uint64(epoch))
	dst = appendUint(dst, seq)
	return appendUint(dst, ack)
}

// maxPrefix is the most that appendPrefix appends.
const maxPrefix = 3 + 2 + 5 + 9 + 9

// appendFields appends what stands between the prefix and the body.
func appendFields(dst []byte, e *Envelope) []byte {
	dst = appendUint(dst, e.ID)
	dst = appendUint(dst, e.Call)
	dst = appendUint(dst, e.Parent)
	dst = appendUint(dst, e.Trace)
	dst = appendUint(dst, uint64(e.Life))
	dst = appendUint(dst, uint64(e.Adverb))
	dst = appendUint(dst, uint64(e.Flags))
	dst = appendUint(dst, uint64(e.Token))
	dst = appendUint(dst, e.Clock)
	dst = appendUint(dst, e.From.Proc)
	dst = appendUint(dst, e.From.Actor)
	dst = appendUint(dst, e.To.Proc)
	dst = appendUint(dst, e.To.Actor)
	dst = append(appendHead(dst, majorBytes, uint64(len(e.Region))), e.Region...)
	dst = appendUint(dst, e.Index)
	dst = append(appendHead(dst, majorText, uint64(len(e.Endpoint))), e.Endpoint...)
	dst = appendUint(dst, e.Hash)
	dst = appendInt(dst, int64(e.Budget))
	dst = appendUint(dst, e.Step)
	dst = appendUint(dst, e.Load)
	dst = appendUint(dst, e.Arrived)
	dst = appendUint(dst, e.Began)
	return appendChain(dst, e.Chain)
}

func appendChain(dst []byte, chain []ChainEntry) []byte {
	dst = appendHead(dst, majorArray, uint64(len(chain)))
	for i := range chain {
		h := &chain[i]
		dst = append(dst, majorArray<<5|chainEntryFields)
		dst = appendUint(dst, h.Proc)
		dst = appendUint(dst, h.Actor)
		dst = append(appendHead(dst, majorText, uint64(len(h.Name))), h.Name...)
		dst = appendUint(dst, h.Msg)
	}
	return dst
}

// DecodeEnvelope decodes what AppendEnvelope encodes and refuses everything else: other versions,
// encodings that are not the shortest, invalid UTF-8, bytes that follow. Region, Body and
// Endpoint of e alias b, which must not change as long as they are in use; Chain does not.
func DecodeEnvelope(b []byte, e *Envelope) error {
	bulk, err := decodeEnvelope(b, e)
	if err == nil && bulk >= 0 {
		return errors.New("envelope: its body travels on another stream")
	}
	return err
}

// decodeEnvelope is DecodeEnvelope that also takes a header whose body travels apart; bulk is that
// body's size, or -1.
func decodeEnvelope(b []byte, e *Envelope) (bulk int64, err error) {
	r := cborReader{b: b}
	n := r.head(majorArray, "envelope")
	if r.err != nil {
		return -1, r.err
	}
	if v := r.uint8("version"); r.err == nil && v != Version { // before the count: that is another one in every version
		return -1, fmt.Errorf("envelope: version %d, this program speaks %d; both sides must be of the same release", v, Version)
	}
	if n != envelopeFields {
		return -1, fmt.Errorf("envelope: %d fields, want %d", n, envelopeFields)
	}
	e.Kind = Kind(r.uint8("kind"))
	if r.err == nil && (e.Kind == 0 || e.Kind >= kindEnd) {
		return -1, fmt.Errorf("envelope: unknown kind %d", e.Kind)
	}
	e.Epoch = r.uint32("epoch")
	e.Seq = r.uint64("seq")
	e.Ack = r.uint64("ack")
	e.ID = r.uint64("id")
	e.Call = r.uint64("call")
	e.Parent = r.uint64("parent")
	e.Trace = r.uint64("trace")
	e.Life = r.uint32("life")
	e.Adverb = r.uint8("adverb")
	e.Flags = r.uint8("flags")
	e.Token = r.uint8("token")
	e.Clock = r.uint64("clock")
	e.From.Proc = r.uint64("from")
	e.From.Actor = r.uint64("from")
	e.To.Proc = r.uint64("to")
	e.To.Actor = r.uint64("to")
	e.Region = r.bytes(majorBytes, "region")
	e.Index = r.uint64("index")
	e.Endpoint = r.text("endpoint")
	e.Hash = r.uint64("hash")
	e.Budget = time.Duration(r.int("budget"))
	e.Step = r.uint64("step")
	e.Load = r.uint64("load")
	e.Arrived = r.uint64("arrived")
	e.Began = r.uint64("began")
	e.Chain = r.chain()
	bulk = -1
	if r.err == nil && r.at < len(b) && b[r.at]>>5 == majorUint {
		bulk = int64(r.uint(1<<62, "body size"))
		e.Body = nil
	} else {
		e.Body = r.bytes(majorBytes, "body")
	}
	if r.err == nil && r.at != len(b) {
		r.fail("envelope", fmt.Sprintf("%d bytes follow the body", len(b)-r.at))
	}
	return bulk, r.err
}

// chain reads the activation chain. An entry is at least 5 bytes, so the count is checked against what
// is there before anything is allocated. Its names get memory of their own, because the chain outlives its message: what the
// handler of that sends has it as well.
func (r *cborReader) chain() []ChainEntry {
	n := r.head(majorArray, "chain")
	if r.err != nil || n == 0 {
		return nil
	}
	if n > maxChain || n > uint64(len(r.b)-r.at)/(1+chainEntryFields) {
		r.fail("chain", fmt.Sprintf("%d entries in %d bytes", n, len(r.b)-r.at))
		return nil
	}
	chain := make([]ChainEntry, n)
	size := 0
	for i := range chain {
		if k := r.head(majorArray, "chain entry"); r.err == nil && k != chainEntryFields {
			r.fail("chain entry", fmt.Sprintf("%d fields, want %d", k, chainEntryFields))
		}
		chain[i] = ChainEntry{Proc: r.uint64("chain entry"), Actor: r.uint64("chain entry"), Name: r.text("name in the chain"), Msg: r.uint64("message in the chain")}
		if r.err != nil {
			return nil
		}
		size += len(chain[i].Name)
	}
	var names strings.Builder
	names.Grow(size)
	for i := range chain {
		names.WriteString(chain[i].Name)
	}
	all := names.String()
	for i := range chain {
		chain[i].Name, all = all[:len(chain[i].Name)], all[len(chain[i].Name):]
	}
	return chain
}

// text reads a text string without copying it.
func (r *cborReader) text(what string) string {
	b := r.bytes(majorText, what)
	if len(b) == 0 {
		return ""
	}
	if !utf8.Valid(b) {
		r.fail(what, "invalid UTF-8")
		return ""
	}
	return unsafe.String(&b[0], len(b)) //nolint:gosec // b belongs to the envelope from here on: DecodeEnvelope says so
}
