package mongoserver

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// Harm is done to one command on its way.
type Harm struct {
	Unsent bool   // the server never sees it; otherwise it is done, and the answer is harmed
	Answer bson.D // what the client is told instead; nil: the connection is cut
	Times  int    // to how many commands in a row; 0: one
}

// Code is an answer by an error code.
func Code(code int32, name string) bson.D {
	return bson.D{{Key: "ok", Value: 0.0}, {Key: "errmsg", Value: name}, {Key: "code", Value: code}, {Key: "codeName", Value: name}}
}

// Proxy passes what a client and a server say to each other, message by message.
type Proxy struct {
	URI string // without a database; it leads to the server by way of the proxy

	server string
	mu     sync.Mutex
	listen net.Listener
	down   bool
	harms  map[string][]Harm // by command
	conns  map[net.Conn]bool
}

// NewProxy stands before a server until the test ends.
func NewProxy(tb testing.TB, s *Server) *Proxy {
	tb.Helper()
	scheme, rest, _ := strings.Cut(s.URI, "://")
	login, hosts := "", rest
	if before, after, ok := strings.Cut(rest, "@"); ok {
		login, hosts = before+"@", after
	}
	hosts, options, _ := strings.Cut(hosts, "/")
	host, _, _ := strings.Cut(hosts, ",")
	if scheme != "mongodb" || strings.Contains(options, "tls=true") {
		tb.Skip("the proxy can't read what is encrypted, nor find hosts by SRV: give MONGODB_TEST_URI another form")
	}
	listen, err := new(net.ListenConfig).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	p := &Proxy{server: host, listen: listen, harms: map[string][]Harm{}, conns: map[net.Conn]bool{}}
	p.URI = "mongodb://" + login + listen.Addr().String() + "/?directConnection=true"
	go p.accept(listen)
	tb.Cleanup(p.Down)
	return p
}

// Next does harm to the commands of a name that come next, each harm after the one before it.
func (p *Proxy) Next(command string, harms ...Harm) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, h := range harms {
		for range max(h.Times, 1) {
			p.harms[command] = append(p.harms[command], h)
		}
	}
}

// Down cuts all connections and refuses new ones.
func (p *Proxy) Down() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = true
	_ = p.listen.Close() // it may be closed
	for c := range p.conns {
		_ = c.Close() // likewise
	}
}

// Up serves again, at the same address.
func (p *Proxy) Up(tb testing.TB) {
	tb.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	listen, err := new(net.ListenConfig).Listen(tb.Context(), "tcp", p.listen.Addr().String())
	if err != nil {
		tb.Fatal(err)
	}
	p.listen, p.down = listen, false
	go p.accept(listen)
}

func (p *Proxy) accept(listen net.Listener) {
	for {
		client, err := listen.Accept()
		if err != nil {
			return
		}
		server, err := new(net.Dialer).DialContext(context.Background(), "tcp", p.server)
		if err != nil {
			_ = client.Close() // as if nobody were there
			continue
		}
		if !p.keep(client, server) {
			return
		}
		link := &link{Proxy: p, client: client, server: server, harmed: map[uint32]Harm{}}
		go link.run(client, server, link.fromClient)
		go link.run(server, client, link.fromServer)
	}
}

// keep remembers connections, unless the proxy is down.
func (p *Proxy) keep(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		if p.down {
			_ = c.Close() // as if nobody were there
			continue
		}
		p.conns[c] = true
	}
	return !p.down
}

// harm is what is to be done to a command, if anything is.
func (p *Proxy) harm(command string) (Harm, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	queue := p.harms[command]
	if len(queue) == 0 {
		return Harm{}, false
	}
	p.harms[command] = queue[1:]
	return queue[0], true
}

// link is one connection of a client with one to the server.
type link struct {
	*Proxy
	client, server net.Conn

	writing sync.Mutex // of what goes to the client
	harmed  map[uint32]Harm
}

var errCut = errors.New("the connection is cut")

// run passes messages from one side to the other until either ends, and then ends both.
func (l *link) run(from, to net.Conn, pass func([]byte, net.Conn) error) {
	for {
		message, err := read(from)
		if err == nil {
			err = pass(message, to)
		}
		if err != nil {
			_, _ = l.client.Close(), l.server.Close() // the other side may have done so
			return
		}
	}
}

// read takes one message of the wire protocol, which says its length first.
func read(from io.Reader) ([]byte, error) {
	head := make([]byte, 4)
	if _, err := io.ReadFull(from, head); err != nil {
		return nil, err
	}
	length := binary.LittleEndian.Uint32(head)
	if length < headerBytes || length > 64<<20 {
		return nil, errCut
	}
	message := make([]byte, length)
	copy(message, head)
	_, err := io.ReadFull(from, message[4:])
	return message, err
}

// A message begins with its length, its number, the number that it answers, and its kind: OP_MSG has flags and a document.
const (
	headerBytes = 16
	opMsg       = 2013
)

func (l *link) fromClient(message []byte, to net.Conn) error {
	harm, harmed := l.harm(command(message))
	if !harmed {
		_, err := to.Write(message)
		return err
	}
	number := binary.LittleEndian.Uint32(message[4:])
	if harm.Unsent {
		return l.answer(harm, number)
	}
	l.writing.Lock()
	l.harmed[number] = harm
	l.writing.Unlock()
	_, err := to.Write(message)
	return err
}

func (l *link) fromServer(message []byte, to net.Conn) error {
	number := binary.LittleEndian.Uint32(message[8:])
	l.writing.Lock()
	harm, harmed := l.harmed[number]
	l.writing.Unlock()
	if harmed {
		return l.answer(harm, number)
	}
	l.writing.Lock()
	defer l.writing.Unlock()
	_, err := to.Write(message)
	return err
}

// answer tells the client what the harm says.
func (l *link) answer(harm Harm, number uint32) error {
	if harm.Answer == nil {
		return errCut
	}
	doc, err := bson.Marshal(harm.Answer)
	if err != nil {
		return err
	}
	message := make([]byte, headerBytes+5, headerBytes+5+len(doc))
	binary.LittleEndian.PutUint32(message, uint32(len(message)+len(doc))) //nolint:gosec // an answer is short
	binary.LittleEndian.PutUint32(message[8:], number)
	binary.LittleEndian.PutUint32(message[12:], opMsg)
	l.writing.Lock()
	defer l.writing.Unlock()
	_, err = l.client.Write(append(message, doc...))
	return err
}

// command is the name of a message's command, which is the first field of its document; empty for other kinds.
func command(message []byte) string {
	if binary.LittleEndian.Uint32(message[12:]) != opMsg || len(message) < headerBytes+5 {
		return ""
	}
	first, err := bson.Raw(message[headerBytes+5:]).IndexErr(0)
	if err != nil {
		return ""
	}
	return first.Key()
}
