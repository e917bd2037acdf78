package evidence

import (
	"bytes"
	"compress/zlib"
	"io"
)

const (
	maxAttachments     = 16
	maxAttachmentBytes = 8 << 20
)

// attachments finds the files inside a PDF by name, on the way that a viewer goes: from the last cross-reference table to the
// catalogue, its /EmbeddedFiles, each /Filespec and its /EmbeddedFile stream. It is no PDF reader: it takes what our own
// sheets hold (tables, not streams, of references; one flat list of names; a stream plain or deflated) and refuses the rest.
func attachments(pdf []byte) (map[string][]byte, error) {
	f, err := openPDF(pdf)
	if err != nil {
		return nil, err
	}
	names, _ := f.catalog["Names"].(pdfDict)
	embedded, _ := names["EmbeddedFiles"].(pdfDict)
	list, _ := embedded["Names"].([]any) // name, reference, name, reference …
	if len(list)%2 != 0 || len(list) > 2*maxAttachments || len(embedded) > 1 {
		return nil, forged("the attachments are not listed as ours are")
	}
	files := make(map[string][]byte, len(list)/2)
	for i := 0; i < len(list); i += 2 {
		name, ok := list[i].(string)
		ref, isRef := list[i+1].(pdfRef)
		if _, twice := files[name]; !ok || !isRef || twice {
			return nil, forged("the attachment %q is not listed as ours are, or is there twice", name)
		}
		if files[name], err = f.attachment(name, ref); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// attachment reads the file that a /Filespec speaks of. All its names must be the one it is listed by.
func (f *pdfFile) attachment(name string, ref pdfRef) ([]byte, error) {
	spec, _, err := f.object(ref)
	if err != nil {
		return nil, err
	}
	for _, key := range []pdfName{"F", "UF"} {
		if given, ok := spec[key]; ok && given != name {
			return nil, forged("the attachment %q also has another name", name)
		}
	}
	ef, ok := spec["EF"].(pdfDict)
	if spec["Type"] != pdfName("Filespec") || !ok {
		return nil, forged("the attachment %q is not written as ours are", name)
	}
	content, ok := ef["F"].(pdfRef)
	if other, given := ef["UF"]; !ok || given && other != content {
		return nil, forged("the attachment %q has two contents", name)
	}
	return f.stream(content)
}

// stream reads an /EmbeddedFile.
func (f *pdfFile) stream(ref pdfRef) ([]byte, error) {
	dict, rest, err := f.object(ref)
	if err != nil {
		return nil, err
	}
	length, ok := dict["Length"].(int)
	r := pdfReader{b: rest}
	if !ok || length > maxAttachmentBytes || dict["Type"] != pdfName("EmbeddedFile") || !r.take("stream") {
		return nil, forged("an attachment is not written as ours are")
	}
	if bytes.HasPrefix(r.b[r.at:], []byte("\r\n")) {
		r.at++
	}
	if r.at++; len(r.b)-r.at < length {
		return nil, forged("an attachment is cut off")
	}
	raw := r.b[r.at : r.at+length]
	if r.at += length; !r.take("endstream") {
		return nil, forged("an attachment is longer than it says")
	}
	return unfilter(dict["Filter"], raw)
}

// unfilter undoes the one filter that is allowed.
func unfilter(filter any, raw []byte) ([]byte, error) {
	if list, ok := filter.([]any); ok && len(list) == 1 {
		filter = list[0]
	}
	switch filter {
	case nil:
		return raw, nil
	case pdfName("FlateDecode"):
		z, err := zlib.NewReader(bytes.NewReader(raw))
		if err != nil {
			return nil, forged("an attachment does not inflate")
		}
		data, err := io.ReadAll(io.LimitReader(z, maxAttachmentBytes+1))
		if err != nil || len(data) > maxAttachmentBytes {
			return nil, forged("an attachment does not inflate, or to too much")
		}
		return data, nil
	default:
		return nil, forged("an attachment has a filter that ours never have")
	}
}
