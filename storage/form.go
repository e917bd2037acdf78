package storage

import (
	"encoding/json"
	"reflect"
	"strings"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// form is what is known of the Go type behind stored BSON, compiled once: which members it has, how they are called in
// JSON, and which of them JSON never shows. A nil form knows nothing and shows everything.
type form struct {
	members []member
	index   map[string]int // by stored name
	elem    *form          // of what a slice, an array or a map holds
	open    bool           // a struct with an inline map: members unknown to it are its own
	base64  bool           // bytes that are not JSON themselves
}

type member struct {
	name   string // as stored
	key    string // `"name":` as written to JSON
	hidden bool   // json:"-"
	form   *form
}

// find looks up a member, first where it is expected: documents are stored in the order of their type.
func (f *form) find(name []byte, expected int) (int, bool) {
	if expected < len(f.members) && f.members[expected].name == string(name) {
		return expected, true
	}
	i, ok := f.index[string(name)]
	return i, ok
}

// isStruct says whether the form lists members.
func (f *form) isStruct() bool { return f != nil && f.index != nil }

type former struct{ seen map[reflect.Type]*form }

// forms remembers what was compiled. A form is the same whoever asks first, and never changes.
var forms sync.Map // of reflect.Type to *form

func formOf(t reflect.Type) *form {
	if known, ok := forms.Load(t); ok {
		f, _ := known.(*form)
		return f
	}
	f := former{seen: map[reflect.Type]*form{}}.of(t)
	forms.Store(t, f)
	return f
}

var (
	valueMarshaler = reflect.TypeFor[bson.ValueMarshaler]()
	jsonMarshaler  = reflect.TypeFor[json.Marshaler]()
	timeType       = reflect.TypeFor[time.Time]()
)

func (b former) of(t reflect.Type) *form {
	if t == nil || t == timeType || t.Implements(valueMarshaler) {
		return nil
	}
	if known, ok := b.seen[t]; ok {
		return known
	}
	switch t.Kind() {
	case reflect.Pointer:
		return b.of(t.Elem())
	case reflect.Slice, reflect.Array, reflect.Map:
		f := &form{base64: t.Elem().Kind() == reflect.Uint8 && !t.Implements(jsonMarshaler)}
		b.seen[t] = f
		f.elem = b.of(t.Elem())
		return f
	case reflect.Struct:
		f := &form{index: map[string]int{}}
		b.seen[t] = f
		b.collect(f, t)
		return f
	default:
		return nil
	}
}

// collect adds the members of struct t to f, as the driver's codec stores them.
func (b former) collect(f *form, t reflect.Type) {
	for field := range t.Fields() {
		name, options, _ := strings.Cut(field.Tag.Get("bson"), ",")
		if name == "-" || !field.IsExported() {
			continue
		}
		if strings.Contains(options, "inline") {
			b.inline(f, field.Type)
			continue
		}
		if name == "" {
			name = strings.ToLower(field.Name)
		}
		f.add(name, jsonName(field), b.of(field.Type))
	}
}

func (b former) inline(f *form, t reflect.Type) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() == reflect.Map {
		f.open = true
		return
	}
	b.collect(f, t)
}

func (f *form) add(name, shown string, child *form) {
	f.index[name] = len(f.members)
	f.members = append(f.members, member{
		name:   name,
		key:    string(appendString(nil, []byte(shown))) + ":",
		hidden: shown == "",
		form:   child,
	})
}

// jsonName is the name that encoding/json gives a field, or "" when it leaves the field out.
func jsonName(field reflect.StructField) string {
	tag := field.Tag.Get("json")
	if tag == "-" {
		return ""
	}
	name, _, _ := strings.Cut(tag, ",")
	if name == "" {
		return field.Name
	}
	return name
}
