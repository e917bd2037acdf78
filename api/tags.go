package api

import (
	"fmt"
	"strings"

	"example.com/walkaround/domain/visit"
	"example.com/walkaround/storage"
)

// visitTag is the ETag of a visit. It shows how its sections stand, so their revisions are told too.
func visitTag(v *visit.Visit) string {
	return tagWith(etag(v.Revision, v.Sections.Inspection.Digest), fmt.Sprintf("%d.%d", v.Sections.Intake.Revision, v.Sections.Inspection.Revision))
}

// sectionTag is the ETag of a section. A signature freezes it as it stands, and a new revision thaws it, so that is told too.
func sectionTag(section visit.Section) string {
	tag := etag(section.Revision, section.Digest)
	if section.Frozen {
		tag = tagWith(tag, "f")
	}
	return tag
}

// tagWith tells more in a tag than revision and digest: caches compare the whole, If-Match the revision alone.
func tagWith(tag, more string) string { return strings.TrimSuffix(tag, `"`) + "-" + more + `"` }

// storedTag is visitTag of a visit that is not decoded.
func storedTag(doc storage.Document) string {
	v := visit.Visit{Sections: visit.Sections{Intake: standing(doc, "intake"), Inspection: standing(doc, "inspection")}}
	v.Revision, _ = doc.Int("revision")
	return visitTag(&v)
}

// standing reads what the tag of a section is made of.
func standing(doc storage.Document, name string) visit.Section {
	section, _ := doc.Sub("sections", name)
	revision, _ := section.Int("revision")
	digest, _ := section.String("digest")
	return visit.Section{Revision: revision, Digest: digest, Frozen: section.Bool("frozen")}
}
