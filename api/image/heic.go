package image

import (
	"bytes"
	"compress/gzip"
	"context"
	_ "embed" // for heifWasm
	"errors"
	"fmt"
	"image"
	"io"
	"sync"

	"github.com/bep/imagemeta"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// heifWasm is libheif with libde265, gzipped; heif/README.md says where it is from. The Go package that carries it opens a
// libheif of the system as soon as it is imported, so it lies here by itself: strangers' bytes meet the sandbox alone, in
// bounded memory.
//
//go:embed heif/heif.wasm.gz
var heifWasm []byte

// heicMemoryPages bounds the sandbox, in pages of 64 KiB: as much as MaxDecoded.
const heicMemoryPages = MaxDecoded / (64 << 10)

// heicPerPixel is what the sandbox holds, in bytes a pixel: measured 5.8 for a phone's photo in tiles, 6.7 for one piece.
const heicPerPixel = 7

// heicFrame reads the dimensions from the properties of the primary item, turned as they will be shown.
func heicFrame(src *source) (frame, error) {
	if _, err := src.Seek(0, io.SeekStart); err != nil {
		return frame{}, err
	}
	f := frame{perPixel: heicPerPixel}
	err := guarded(func() error {
		res, err := imagemeta.Decode(imagemeta.Options{R: src, ImageFormat: imagemeta.HEIF, Sources: imagemeta.CONFIG})
		f.width, f.height = res.ImageConfig.Width, res.ImageConfig.Height
		return err
	})
	if err == nil && f.width == 0 {
		err = boxesWithout(src)
	}
	return f, err
}

// boxesWithout says why a HEIC has no dimensions: cut off before them, or without.
func boxesWithout(src *source) error {
	br, err := src.rewound()
	if err != nil {
		return err
	}
	if err := boxesEnd(br, src.size, skipping(br), "meta"); err != nil {
		return err
	}
	return fmt.Errorf("image: no dimensions: %w", ErrMalformed)
}

// heicDecoder runs the decoder in a sandbox of its own a picture. It is made at the first HEIC, as compiling takes a
// second.
type heicDecoder struct {
	turn    chan struct{} // holds one: a decode at a time
	once    sync.Once
	err     error
	runtime wazero.Runtime
	code    wazero.CompiledModule
}

func newHEICDecoder() *heicDecoder { return &heicDecoder{turn: make(chan struct{}, 1)} }

// decode waits for its turn and decodes; the result stands upright. The sandbox can't be interrupted at a price worth
// paying (looking at the context in each loop takes five times as long), so when ctx ends while it runs, the caller goes
// and the decode keeps the turn until it is through.
func (d *heicDecoder) decode(ctx context.Context, src *source) (image.Image, error) {
	select {
	case d.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("image: waiting for the HEIC decoder: %w", ctx.Err())
	}
	h, err := d.load(context.WithoutCancel(ctx), src)
	if err != nil {
		<-d.turn
		return nil, src.verdict(err)
	}
	done := make(chan heicOutcome, 1)
	go func() {
		defer func() { <-d.turn }()
		img, err := h.run()
		done <- heicOutcome{img, err}
	}()
	select {
	case o := <-done:
		return o.img, src.verdict(o.err)
	case <-ctx.Done():
		return nil, fmt.Errorf("image: HEIC decoder: %w", ctx.Err())
	}
}

// heicOutcome is what a decode came to.
type heicOutcome struct {
	img image.Image
	err error
}

// compile prepares the runtime once.
func (d *heicDecoder) compile() {
	ctx := context.Background()
	code, err := unzip(heifWasm)
	if err != nil {
		d.err = fmt.Errorf("image: HEIC decoder: %w", err)
		return
	}
	config := wazero.NewRuntimeConfig().WithMemoryLimitPages(heicMemoryPages)
	d.runtime = wazero.NewRuntimeWithConfig(ctx, config)
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, d.runtime); err != nil {
		d.err = fmt.Errorf("image: HEIC decoder: %w", err)
		return
	}
	if d.code, err = d.runtime.CompileModule(ctx, code); err != nil {
		d.err = fmt.Errorf("image: HEIC decoder: %w", err)
	}
}

func unzip(b []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

// close frees the runtime, after the decode that runs.
func (d *heicDecoder) close(ctx context.Context) error {
	d.turn <- struct{}{}
	defer func() { <-d.turn }()
	d.once.Do(func() { d.err = fmt.Errorf("image: HEIC decoder: closed") })
	if d.runtime == nil {
		return nil
	}
	return d.runtime.Close(ctx)
}

// load makes a fresh sandbox and copies the file into it.
func (d *heicDecoder) load(ctx context.Context, src *source) (*heicRun, error) {
	if d.once.Do(d.compile); d.err != nil {
		return nil, src.fail(d.err)
	}
	mod, err := d.runtime.InstantiateModule(ctx, d.code, wazero.NewModuleConfig().WithName(""))
	if err != nil {
		return nil, src.fail(fmt.Errorf("image: HEIC decoder: %w", err))
	}
	h := &heicRun{ctx: ctx, mod: mod}
	if err := h.load(src); err != nil {
		return nil, errors.Join(err, mod.Close(ctx))
	}
	return h, nil
}

// heicRun is one picture in one sandbox.
type heicRun struct {
	ctx     context.Context // never ends: it carries values only
	mod     api.Module
	in      uint32
	size    uint32
	results uint32 // where five uint32 are: width, height, colour space, chroma, premultiplied
}

// run decodes what was loaded and drops the sandbox, whose memory stays with the picture.
func (h *heicRun) run() (image.Image, error) {
	img, err := h.picture()
	return img, errors.Join(err, h.mod.Close(h.ctx))
}

// call runs an exported function that returns one number.
func (h *heicRun) call(name string, args ...uint32) (uint32, error) {
	f := h.mod.ExportedFunction(name)
	if f == nil {
		return 0, fmt.Errorf("image: HEIC decoder: no function %q", name)
	}
	wide := make([]uint64, len(args))
	for i, arg := range args {
		wide[i] = uint64(arg)
	}
	res, err := f.Call(h.ctx, wide...)
	if err != nil { // a trap inside
		return 0, fmt.Errorf("image: HEIC decoder: %w: %w", ErrMalformed, err)
	}
	return api.DecodeU32(res[0]), nil
}

// alloc reserves n bytes inside.
func (h *heicRun) alloc(n uint32) (uint32, error) {
	p, err := h.call("malloc", n)
	if err == nil && p == 0 {
		err = fmt.Errorf("image: HEIC decoder: no memory: %w", ErrTooManyPixels)
	}
	return p, err
}
