package api

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"example.com/walkaround/domain"
)

// Refusals of preconditions.
const (
	codePreconditionNeeded domain.Code = "precondition_required"
	codePreconditionFailed domain.Code = "precondition_failed"
)

// etag names a revision and the start of a digest: If-Match compares the revision alone, caches the whole.
func etag(revision int64, digest string) string {
	short := strings.TrimPrefix(digest, "sha256:")
	return `"` + strconv.FormatInt(revision, 10) + "-" + short[:min(12, len(short))] + `"`
}

// precondition holds a change to the revision that the client saw (RFC 9110 section 13): If-Match must name it, If-None-Match
// must not. current is the resource's ETag; a resource that was never saved has revision 0 and is also met by
// If-None-Match: *.
func precondition(c *gin.Context, revision int64, current string) error {
	match, err := readTags(c.Request.Header, "If-Match")
	if err != nil {
		return err
	}
	none, err := readTags(c.Request.Header, "If-None-Match")
	if err != nil {
		return err
	}
	switch {
	case match.sent && !match.strong().name(revision), none.sent && none.name(revision):
		c.Header("ETag", current)
		if match.sent && len(match.strong().list) < len(match.list) {
			return domain.Refuse(codePreconditionFailed, "a weak tag matches nothing here; the current ETag is %s", current)
		}
		return domain.Refuse(codePreconditionFailed, "the resource has moved on; its current ETag is %s", current)
	case !match.sent && !none.any:
		return domain.Refuse(codePreconditionNeeded, "send If-Match with the ETag that you saw, or If-None-Match: * for the first PUT of a section")
	}
	return nil
}

// notModified answers a conditional GET whose representation the client has. A header that can't be read names nothing: the
// whole answer is never wrong.
func notModified(c *gin.Context, tag string) bool {
	c.Header("ETag", tag)
	c.Header("Cache-Control", "private, no-cache")
	known, err := readTags(c.Request.Header, "If-None-Match")
	if err != nil {
		return false
	}
	for _, k := range known.list {
		known.any = known.any || `"`+k.opaque+`"` == tag
	}
	if known.any {
		c.Status(http.StatusNotModified)
		c.Writer.WriteHeaderNow()
	}
	return known.any
}

// tags are what If-Match or If-None-Match names.
type tags struct {
	sent bool
	any  bool // *
	list []entityTag
}

// entityTag is one of RFC 9110 section 8.8.3, without its quotation marks.
type entityTag struct {
	opaque string
	weak   bool
}

// strong leaves the weak tags out: If-Match compares strongly.
func (t tags) strong() tags {
	list := make([]entityTag, 0, len(t.list))
	for _, tag := range t.list {
		if !tag.weak {
			list = append(list, tag)
		}
	}
	t.list = list
	return t
}

// name says whether a revision is among them; revision 0 is none that * could mean.
func (t tags) name(revision int64) bool {
	if t.any {
		return revision > 0
	}
	for _, tag := range t.list {
		if number, _, _ := strings.Cut(tag.opaque, "-"); number == strconv.FormatInt(revision, 10) {
			return true
		}
	}
	return false
}

// readTags reads "*" or a list of entity tags, in one line or several. codeBadHeader for anything else.
func readTags(h http.Header, header string) (tags, error) {
	lines := h.Values(header)
	t := tags{sent: len(lines) > 0}
	rest := strings.Trim(strings.Join(lines, ","), " \t")
	if t.any = rest == "*"; t.any {
		return t, nil
	}
	for rest != "" {
		if empty, ok := strings.CutPrefix(rest, ","); ok { // which the list syntax of HTTP passes over
			rest = strings.TrimLeft(empty, " \t")
			continue
		}
		tag, after, ok := cutTag(rest)
		rest = strings.TrimLeft(after, " \t")
		if !ok || rest != "" && rest[0] != ',' {
			return t, domain.Refuse(codeBadHeader, `%s is * or a list of entity tags in quotation marks, as "3-9f86d081884c"`, header)
		}
		t.list = append(t.list, tag)
	}
	if t.sent && len(t.list) == 0 {
		return t, domain.Refuse(codeBadHeader, "%s names no entity tag", header)
	}
	return t, nil
}

// cutTag takes the entity tag off that s begins with.
func cutTag(s string) (tag entityTag, rest string, ok bool) {
	s, tag.weak = strings.CutPrefix(s, "W/")
	s, ok = strings.CutPrefix(s, `"`)
	if !ok {
		return tag, s, false
	}
	tag.opaque, rest, ok = strings.Cut(s, `"`)
	for i := range len(tag.opaque) {
		ok = ok && tag.opaque[i] > ' ' && tag.opaque[i] != 0x7f
	}
	return tag, rest, ok
}
