package sqlite

import (
	"fmt"
	"regexp"
	"strings"

	"example.com/walkaround/storage"
)

// table is a declared collection with its statements.
//
// The document comes last in its row, so that a list reads summaries without the pages of large documents. An entry of
// a key is found by (name, value, id) alone; the entries of one document stand in its row once more (keys), which spares
// a second index: a change compares and writes only what differs, and a list sees which entry of a document comes first.
type table struct {
	name    string
	keys    map[string]bool
	missing bool // read-only, and not there yet

	create, get, head, insert, update, remove, enter, leave string

	find    map[way]string
	chunk   string
	entry   string
	entries string
}

// way is a direction and an extent of a walk.
type way struct{ desc, whole bool }

var word = regexp.MustCompile(`^[a-z_]{1,40}$`)

func newTable(d storage.Declaration) (*table, error) {
	t := &table{name: d.Name, keys: map[string]bool{}}
	for _, k := range d.Keys {
		if !word.MatchString(k) {
			return nil, fmt.Errorf("storage/sqlite: %q cannot name a key", k)
		}
		t.keys[k] = true
	}
	if !word.MatchString(d.Name) {
		return nil, fmt.Errorf("storage/sqlite: %q cannot name a collection", d.Name)
	}
	for sql, text := range map[*string]string{
		&t.create: `CREATE TABLE IF NOT EXISTS c_@ (row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
			version INTEGER NOT NULL, sums INTEGER NOT NULL, keys BLOB NOT NULL, summary BLOB, doc BLOB NOT NULL) STRICT;
			CREATE TABLE IF NOT EXISTS k_@ (name TEXT NOT NULL, value TEXT NOT NULL, id TEXT NOT NULL,
			PRIMARY KEY (name, value, id)) STRICT, WITHOUT ROWID`,
		&t.get:    `SELECT version, sums, doc FROM c_@ WHERE id = ?1`,
		&t.head:   `SELECT version, sums, keys, summary, row FROM c_@ WHERE id = ?1`,
		&t.insert: `INSERT INTO c_@ (id, version, sums, keys, summary, doc) VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (id) DO NOTHING`,
		&t.update: `UPDATE c_@ SET version = ?2, sums = ?3, keys = ?4, summary = ?5, doc = ?6 WHERE row = ?1`,
		&t.remove: `DELETE FROM c_@ WHERE row = ?1`,
		&t.enter:  `INSERT INTO k_@ (name, value, id) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING`,
		&t.leave:  `DELETE FROM k_@ WHERE name = ?1 AND value = ?2 AND id = ?3`,
		&t.chunk:  `SELECT version, sums, keys, summary, doc, id FROM c_@ WHERE id > ?1 ORDER BY id LIMIT ?2`,
		&t.entry:  `SELECT 1 FROM k_@ WHERE name = ?1 AND value = ?2 AND id = ?3`,
		&t.entries: `SELECT k.name, k.value, k.id, r.keys FROM k_@ AS k LEFT JOIN c_@ AS r ON r.id = k.id
			WHERE (k.name, k.value, k.id) > (?1, ?2, ?3) ORDER BY k.name, k.value, k.id LIMIT ?4`,
	} {
		*sql = strings.ReplaceAll(text, "@", t.name)
	}
	t.find = map[way]string{}
	for _, w := range []way{{}, {desc: true}, {whole: true}, {desc: true, whole: true}} {
		t.find[w] = strings.ReplaceAll(w.sql(), "@", t.name)
	}
	return t, nil
}

// sql walks one key. The left join shows an entry whose document is gone.
func (w way) sql() string {
	doc := `CASE WHEN r.summary IS NULL THEN r.doc END`
	if w.whole {
		doc = `r.doc`
	}
	between, order := `(k.value, k.id) > (?2, ?3) AND k.value < ?4`, `k.value, k.id`
	if w.desc {
		between, order = `(k.value, k.id) < (?2, ?3) AND k.value >= ?4`, `k.value DESC, k.id DESC`
	}
	return `SELECT r.version, r.sums, r.keys, r.summary, ` + doc + `, k.id, k.value
		FROM k_@ AS k LEFT JOIN c_@ AS r ON r.id = k.id WHERE k.name = ?1 AND ` + between + ` ORDER BY ` + order
}
