package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"example.com/walkaround/storage"
)

// sendOne streams a document that has a revision.
func sendOne[T any](c *gin.Context, from *storage.Collection[T]) error {
	id, err := pathID(c, "id")
	if err != nil {
		return err
	}
	doc, _, err := from.Raw(c.Request.Context(), key(c, id))
	if err != nil {
		return err
	}
	revision, _ := doc.Int("revision")
	if !notModified(c, etag(revision, "")) {
		send(c, http.StatusOK, doc.AppendJSON)
	}
	return nil
}

// updateOne changes a document that has a revision, if it still is what the client saw, and sends it.
func updateOne[T any](c *gin.Context, in *storage.Collection[T], revision func(*T) int64, change func(*T) error) error {
	id, err := pathID(c, "id")
	if err != nil {
		return err
	}
	saved, err := in.Update(c.Request.Context(), key(c, id), func(doc *T) error {
		if err := precondition(c, revision(doc), etag(revision(doc), "")); err != nil {
			return err
		}
		return change(doc)
	})
	if err != nil {
		return err
	}
	c.Header("ETag", etag(revision(&saved.Value), ""))
	send(c, http.StatusOK, saved.Doc.AppendJSON)
	return nil
}
