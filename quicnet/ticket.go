package quicnet

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/monarch-tui/monarch-tui/quicnet/clean"
)

// ticketVersion is the form of a ticket and of the join that it is for. It is apart from Version: a worker is told by its ticket
// that it cannot join as the controller wants it to, before it dials.
const ticketVersion = 3

// secretSize is the size of a ticket's secret in bytes.
const secretSize = 16

// Ticket lets one process join a session once. It holds a secret: give it away through a pipe, never
// in arguments or the environment. Printing one shows everything but the secret.
type Ticket struct {
	Addrs   []string // where the controller listens
	Session string
	ID      ID        // who the holder becomes
	Expires time.Time // whole seconds
	secret  [secretSize]byte
	pin     [sha256.Size]byte // of the CA certificate
}

// ticketWire is a ticket in CBOR.
type ticketWire struct {
	_       struct{} `cbor:",toarray"`
	Version uint8
	Addrs   []string
	Session string
	Proc    uint64
	Epoch   uint32
	Expires int64 // Unix seconds
	Secret  []byte
	Pin     []byte
}

// MarshalBinary returns the ticket with its secret.
func (t Ticket) MarshalBinary() ([]byte, error) {
	return Enc().Marshal(ticketWire{Version: ticketVersion, Addrs: t.Addrs, Session: t.Session, Proc: t.ID.Proc, Epoch: t.ID.Epoch,
		Expires: t.Expires.Unix(), Secret: t.secret[:], Pin: t.pin[:]})
}

// UnmarshalBinary reads what MarshalBinary wrote.
func (t *Ticket) UnmarshalBinary(b []byte) error {
	var w ticketWire
	if err := StrictDec().Unmarshal(b, &w); err != nil {
		return fmt.Errorf("join ticket: %w", err)
	}
	switch {
	case w.Version != ticketVersion:
		return fmt.Errorf("join ticket: version %d, this program speaks %d", w.Version, ticketVersion)
	case len(w.Addrs) == 0:
		return errors.New("join ticket: no address")
	case !isSessionName(w.Session):
		return fmt.Errorf("join ticket: session name %q", clean.OneLine(w.Session, maxReason))
	case w.Proc == Controller || w.Epoch == 0:
		return fmt.Errorf("join ticket: proc %d epoch %d cannot join", w.Proc, w.Epoch)
	case len(w.Secret) != secretSize || len(w.Pin) != sha256.Size:
		return errors.New("join ticket: secret or pin of the wrong size")
	}
	*t = Ticket{Addrs: w.Addrs, Session: w.Session, ID: ID{w.Proc, w.Epoch}, Expires: time.Unix(w.Expires, 0),
		secret: [secretSize]byte(w.Secret), pin: [sha256.Size]byte(w.Pin)}
	return nil
}

// String returns the ticket without its secret.
func (t Ticket) String() string {
	return fmt.Sprintf("ticket{%s of %s at %v, until %s, secret redacted}", t.ID, t.Session, t.Addrs, t.Expires.UTC().Format(time.RFC3339))
}

// Format prints String for every verb: %x and %d would print the secret otherwise.
func (t Ticket) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, t.String()) }

// LogValue implements slog.LogValuer.
func (t Ticket) LogValue() slog.Value { return slog.StringValue(t.String()) }

// MarshalText keeps a ticket out of JSON: it refuses.
func (t Ticket) MarshalText() ([]byte, error) {
	return nil, errors.New("a join ticket is a secret; use MarshalBinary where it must travel")
}

var (
	_ fmt.Formatter  = Ticket{}
	_ slog.LogValuer = Ticket{}
)
